"""shellcheck is content with every shell script."""
import shutil
import subprocess
import sys

import tree


def main():
    if shutil.which("shellcheck") is None:
        tree.cannot_run("there is no shellcheck")
    scripts = tree.shell_scripts()
    if scripts:
        sys.exit(subprocess.run(["shellcheck", "-x", "--source-path=SCRIPTDIR"] + scripts, cwd=tree.root()).returncode)


main()
