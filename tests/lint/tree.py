"""What the checks of this folder share: the files of the tree, C without its comments, the verdict.

Every check is a program `check.py [ROOT]`: it prints `file:line: what is wrong` for each finding and
exits 1 if there was one, 0 if there was none, 77 if it cannot run here.
"""
import os
import re
import sys

SKIPPED = {".git", "build", "__pycache__", "node_modules", "venv"}
COMMENT_OR_LITERAL = re.compile(
    r"""/\*.*?\*/ | //[^\n]* | "(?:\\.|[^"\\\n])*" | '(?:\\.|[^'\\\n])*'""", re.S | re.X)


def root():
    here = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..")
    return os.path.realpath(sys.argv[1] if len(sys.argv) > 1 else here)


def files(*suffixes, under=""):
    """Paths, relative to the root, of the project's files that end in one of the suffixes (all if none)."""
    top = root()
    found = []
    for folder, folders, names in os.walk(os.path.join(top, under)):
        folders[:] = sorted(
            f for f in folders if f not in SKIPPED
            and not os.path.exists(os.path.join(folder, f, "meson-private")))
        for name in sorted(names):
            path = os.path.join(folder, name)
            if (not suffixes or name.endswith(suffixes)) and not os.path.islink(path):
                found.append(os.path.relpath(path, top))
    return found


def read(path):
    """The text of a file, or None if it is not text."""
    with open(os.path.join(root(), path), "rb") as f:
        data = f.read()
    try:
        return None if b"\0" in data else data.decode()
    except UnicodeDecodeError:
        return None


def shell_scripts():
    """Files that a shell runs, by suffix or by first line."""
    return [path for path in files()
            if path.endswith((".sh", ".bash"))
            or ("." not in os.path.basename(path) and re.match(r"#!.*\b(ba|da)?sh\b", read(path) or ""))]


def c_code(text):
    """C without comments and with empty literals; the lines stay where they were."""
    def blank(match):
        piece = match.group(0)
        return piece[0] + piece[0] if piece[0] in "\"'" else re.sub(r"[^\n]", " ", piece)
    return COMMENT_OR_LITERAL.sub(blank, text)


class Findings:
    """Collects what a check found and ends the program with the verdict."""

    def __init__(self):
        self.count = 0

    def add(self, path, line, message):
        self.count += 1
        print(f"{path}:{line}: {message}")

    def end(self):
        if self.count > 0:
            print(f"{self.count} found")
        sys.exit(1 if self.count > 0 else 0)


def cannot_run(reason):
    print(f"skipped: {reason}")
    sys.exit(77)
