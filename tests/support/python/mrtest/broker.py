"""A real Kafka broker of the test's own, by scripts/kafka."""
import os
import subprocess

from mrtest import places


class Broker:
    """One node with its data below the test's files; the port stays the same over restarts."""

    def __init__(self, directory):
        self.directory = os.path.join(directory, "kafka")
        self.bootstrap = self._script("start").strip()

    def _script(self, verb):
        done = subprocess.run([os.path.join(places.ROOT, "scripts", "kafka"), verb, "--dir", self.directory],
                              stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
                              timeout=150, check=False)
        assert done.returncode == 0, f"scripts/kafka {verb} failed:\n{done.stderr}"
        return done.stdout

    def stop(self):
        """SIGTERM: it ends in order."""
        self._script("stop")

    def kill(self):
        self._script("kill")

    def restart(self):
        """Starts it again with the data it had, and waits until it answers."""
        self._script("restart")
