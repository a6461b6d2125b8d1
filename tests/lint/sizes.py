"""Files, headers and functions stay small enough to be read at one sitting."""
import os
import shutil
import subprocess

import tree

FILE_MAX = 700
FILE_WARNING = 500
HEADER_MAX = 300
MAIN_MAX = 40
FUNCTION_MAX = 70


def check_files(findings):
    for path in tree.files(".c", ".h", ".py", ".lua") + tree.shell_scripts():
        lines = (tree.read(path) or "").count("\n")
        limit = FILE_MAX
        if path.endswith(".h"):
            limit = HEADER_MAX
        elif path.startswith("processors/") and os.path.basename(path) == "main.c":
            limit = MAIN_MAX
        if lines > limit:
            findings.add(path, lines, f"{lines} lines, more than {limit}")
        elif lines > FILE_WARNING:
            print(f"{path}:{lines}: warning: {lines} lines, {FILE_WARNING} are plenty")


def check_functions(findings):
    sources = tree.files(".c", ".h")
    if not sources:
        return
    if shutil.which("ctags") is None:
        tree.cannot_run("there is no ctags")
    listing = subprocess.run(
        ["ctags", "-x", "--kinds-C=f", "--language-force=C", "--_xformat=%F\t%n\t%{end}\t%N", "-L", "-"],
        input="\n".join(sources), cwd=tree.root(), text=True, stdout=subprocess.PIPE, check=True).stdout
    for row in listing.splitlines():
        path, first, last, name = row.split("\t")
        if last.isdigit() and int(last) - int(first) + 1 > FUNCTION_MAX:
            findings.add(path, first, f"{name}() has {int(last) - int(first) + 1} lines, more than {FUNCTION_MAX}")


def main():
    findings = tree.Findings()
    check_files(findings)
    check_functions(findings)
    findings.end()


main()
