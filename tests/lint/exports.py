"""The programs export to native handlers what common/native.list names, and all of it is in a public header.

Reads the programs of a build directory: `exports.py ROOT BUILD`.
"""
import glob
import os
import re
import subprocess
import sys

import tree

LIST = "common/native.list"
ENTRY = re.compile(r"^\s*(\w+);")


def entries():
    """Names with their lines."""
    for number, line in enumerate(tree.c_code(tree.read(LIST) or "").split("\n"), 1):
        found = ENTRY.match(line)
        if found:
            yield number, found.group(1)


def exported(program):
    done = subprocess.run(["nm", "-D", "--defined-only", program], text=True, stdout=subprocess.PIPE, check=True)
    return {line.split()[-1] for line in done.stdout.splitlines() if line.split()[-1].startswith("mr_")}


def main():
    findings = tree.Findings()
    build = sys.argv[2] if len(sys.argv) > 2 else os.path.join(tree.root(), "build", "gcc")
    programs = sorted(p for folder in ("common/cli", "processors/*") for p in glob.glob(f"{build}/{folder}/millrace*")
                      if os.path.isfile(p) and "." not in os.path.basename(p))
    if not programs:
        tree.cannot_run(f"there are no programs in {build}")
    public = "".join(tree.c_code(tree.read(path) or "") for path in tree.files(".h", under="common/include"))
    listed = dict((name, number) for number, name in entries())
    for name, number in listed.items():
        if not re.search(rf"\b{name}\(", public):
            findings.add(LIST, number, f"{name} is declared in no public header")
    for program in programs:
        found = exported(program)
        for name in sorted(set(listed) - found):
            findings.add(LIST, listed[name], f"{os.path.basename(program)} does not export {name}")
        for name in sorted(found - set(listed)):
            findings.add(LIST, 0, f"{os.path.basename(program)} exports {name}, which is not in the list")
    findings.end()


main()
