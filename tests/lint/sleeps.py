"""No test sleeps: it waits on a condition with a deadline, or drives a clock of its own."""
import re

import tree

C_SLEEP = re.compile(r"\b(?:sleep|usleep|nanosleep|clock_nanosleep|thrd_sleep)\s*\(")
PYTHON_SLEEP = re.compile(r"\bsleep\s*\(|\bimport\s+sleep\b|\bfrom\s+time\s+import\b.*\bsleep\b|[\"']sleep[\"']")
SHELL_SLEEP = re.compile(r"(?:^|[;&|(`]|\b(?:do|then|else|until|while|if|exec|env)\b)\s*sleep\b")


def main():
    findings = tree.Findings()
    shell = set(tree.shell_scripts())
    for path in tree.files(under="tests"):
        if path.startswith("tests/lint/"):
            continue
        pattern, text = None, tree.read(path) or ""
        if path.endswith((".c", ".h")):
            pattern, text = C_SLEEP, tree.c_code(text)
        elif path.endswith(".py"):
            pattern, text = PYTHON_SLEEP, re.sub(r"(?m)#.*$", "", text)
        elif path in shell:
            pattern, text = SHELL_SLEEP, re.sub(r"(?m)(^|\s)#.*$", "", text)
        if pattern is None:
            continue
        for number, line in enumerate(text.split("\n"), 1):
            if pattern.search(line):
                findings.add(path, number, "a test sleeps: wait on a condition with a deadline")
    findings.end()


main()
