"""Each public header compiles alone, as strict C11, with every compiler that is here."""
import os
import shutil
import subprocess

import tree

FLAGS = ["-std=c11", "-Wall", "-Wextra", "-Wpedantic", "-Werror", "-fsyntax-only", "-x", "c", "-"]


def main():
    findings = tree.Findings()
    compilers = [c for c in ("gcc", "clang") if shutil.which(c)]
    if not compilers:
        tree.cannot_run("there is neither gcc nor clang")
    include = os.path.join(tree.root(), "common", "include")
    for path in tree.files(".h", under="common/include"):
        name = os.path.relpath(path, "common/include")
        # Twice, so that a missing guard is seen; the declaration, as an empty unit is no ISO C.
        program = f"#include <{name}>\n#include <{name}>\nextern int used;\n"
        for compiler in compilers:
            done = subprocess.run([compiler, "-I", include] + FLAGS, input=program, text=True,
                                  stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
            if done.returncode != 0:
                findings.add(path, 1, f"{compiler} cannot compile it alone:\n{done.stdout.rstrip()}")
    findings.end()


main()
