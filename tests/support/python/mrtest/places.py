"""Where things are: the tree, the build that is tested, and a directory for what a test leaves behind."""

import glob
import os
import shutil
import sys

ROOT = os.path.realpath(os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..", "..", ".."))


def build():
    """The build directory whose executables are tested: MR_BUILD, or build/fault."""
    return os.path.realpath(os.environ.get("MR_BUILD") or os.path.join(ROOT, "build", "fault"))


def executables():
    """Folders of the build that hold the executables."""
    return [os.path.join(build(), "common", "cli")] + sorted(glob.glob(os.path.join(build(), "processors", "*", "")))


def environment(**more):
    """The environment of a process under test: its executables first in PATH, none of our own variables."""
    result = {name: value for name, value in os.environ.items() if not name.startswith("MILLRACE_")}
    result["PATH"] = os.pathsep.join(executables() + [result.get("PATH", "/usr/bin:/bin")])
    result.update(more)
    return result


def program():
    return os.path.splitext(os.path.basename(sys.argv[0]))[0] or "python"


def files():
    """The directory of this test program: logs, states, broker data."""
    return os.path.join(build(), "test-files", program())


def fresh_files():
    path = files()
    shutil.rmtree(path, ignore_errors=True)
    os.makedirs(path)
    return path
