"""Text that can be committed: ends in a newline, no blanks at line ends, no note of work left undone."""
import re

import tree

# Written so that this file does not find itself.
UNDONE = re.compile(r"\b(" + "|".join(("TO" + "DO", "FIX" + "ME", "X" * 3)) + r")\b")
# What a parser is to take or refuse is kept byte for byte.
INPUTS = "tests/fuzz/corpus/"
CONFLICT = re.compile(r"^(<{7} |>{7} |={7}$)")


def main():
    findings = tree.Findings()
    for path in tree.files():
        text = tree.read(path)
        if not text or path.startswith(INPUTS):
            continue
        if not text.endswith("\n"):
            findings.add(path, text.count("\n") + 1, "no newline at the end of the file")
        elif text.endswith("\n\n"):
            findings.add(path, text.count("\n"), "empty lines at the end of the file")
        for number, line in enumerate(text.split("\n"), 1):
            if line != line.rstrip():
                findings.add(path, number, "blanks at the end of the line")
            if UNDONE.search(line):
                findings.add(path, number, "a note of work left undone")
            if CONFLICT.match(line):
                findings.add(path, number, "a mark of a merge conflict")
            if "\t" in line and path.endswith((".c", ".h", ".lua", ".py", ".build", ".avsc")):
                findings.add(path, number, "a tab character")
    findings.end()


main()
