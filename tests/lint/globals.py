"""No mutable data at file scope in the static libraries: what they keep is passed to them.

Reads the libraries of a build directory: `globals.py ROOT BUILD`.
"""
import os
import re
import subprocess
import sys

import tree

# The counter of a fault build's crash points.
ALLOWED = {"passed_count"}
MUTABLE = re.compile(r"\.(data(?!\.rel\.ro)|bss|tdata|tbss)|\*COM\*")
ROW = re.compile(r"^[0-9a-f]+ (.{7}) (\S+)\t[0-9a-f]+ (?:\.hidden )?(\S+)$")


def libraries(build):
    for folder, _, names in os.walk(os.path.join(build, "common")):
        for name in sorted(names):
            if name.endswith(".a"):
                yield os.path.join(folder, name)


def main():
    findings = tree.Findings()
    build = sys.argv[2] if len(sys.argv) > 2 else os.path.join(tree.root(), "build", "gcc")
    found = list(libraries(build))
    if not found:
        tree.cannot_run(f"there are no static libraries in {build}")
    for library in found:
        listing = subprocess.run(["objdump", "-t", library], text=True, stdout=subprocess.PIPE, check=True).stdout
        if "__asan_init" in listing or "__ubsan_" in listing:
            tree.cannot_run("a sanitizer's build has data of its own")
        member = ""
        for line in listing.splitlines():
            if line.endswith("file format elf64-x86-64") or ":     file format" in line:
                member = line.split(":")[0]
            row = ROW.match(line)
            if not row or row.group(1)[-1] not in "O " or row.group(1)[5] == "d":
                continue
            name = re.sub(r"\.\d+$", "", row.group(3))
            if MUTABLE.match(row.group(2)) and name not in ALLOWED:
                findings.add(os.path.basename(library), os.path.basename(member),
                             f"{name} is mutable data at file scope ({row.group(2)})")
    findings.end()


main()
