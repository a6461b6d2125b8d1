"""Every processor's folder has the same shape."""
import os

import tree

SHAPE = ("main.c", "README.md", "meson.build")


def main():
    findings = tree.Findings()
    top = os.path.join(tree.root(), "processors")
    for kind in sorted(os.listdir(top)) if os.path.isdir(top) else []:
        folder = os.path.join(top, kind)
        if not os.path.isdir(folder) or kind in tree.SKIPPED:
            continue
        for name in SHAPE:
            if not os.path.exists(os.path.join(folder, name)):
                findings.add(f"processors/{kind}", 0, f"has no {name}")
    findings.end()


main()
