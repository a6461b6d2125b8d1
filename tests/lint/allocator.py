"""The processors are linked with jemalloc: --as-needed may leave it out, and nothing but their speed tells.

Reads the programs of a build directory without sanitizers: `allocator.py ROOT BUILD`.
"""
import glob
import os
import subprocess
import sys

import tree


def needed(program):
    """The libraries that it asks for by itself."""
    done = subprocess.run(["objdump", "-p", program], text=True, stdout=subprocess.PIPE, check=True)
    return [line.split()[1] for line in done.stdout.splitlines() if line.split()[:1] == ["NEEDED"]]


def main():
    findings = tree.Findings()
    build = sys.argv[2] if len(sys.argv) > 2 else os.path.join(tree.root(), "build", "gcc")
    programs = sorted(p for p in glob.glob(f"{build}/processors/*/millrace-*") if os.path.isfile(p))
    if not programs:
        tree.cannot_run(f"there are no processors in {build}")
    for program in programs:
        if not any(name.startswith("libjemalloc.") for name in needed(program)):
            findings.add("meson.build", 0, f"{os.path.basename(program)} is linked without jemalloc")
    findings.end()


main()
