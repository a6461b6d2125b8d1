"""A real Kafka broker of the test's own, by scripts/kafka."""

import atexit
import os
import subprocess

from mrtest import places

_running = []


class Broker:
    """One node, or three, with data below the test's files; ports stay the same over restarts."""

    def __init__(self, directory, variables=None, nodes=1):
        """The JVM's options, unless `variables` name others, are for a life of seconds: it compiles soon, and not
        well."""
        self.directory = os.path.join(directory, "kafka")
        self.variables = variables or {"JDK_JAVA_OPTIONS": "-XX:TieredStopAtLevel=1"}
        self.nodes = range(1, nodes + 1)
        self.bootstrap = self._script("start", "--brokers", str(nodes)).strip()
        _running.append(self)

    def end(self):
        """SIGKILL: the test is over."""
        if self in _running:
            _running.remove(self)
            self._script("kill")

    def _script(self, verb, *arguments):
        done = subprocess.run(
            [os.path.join(places.ROOT, "scripts", "kafka"), verb, "--dir", self.directory, *arguments],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            env={**os.environ, **self.variables},
            timeout=150,
            check=False,
        )
        assert done.returncode == 0, f"scripts/kafka {verb} failed:\n{done.stderr}"
        return done.stdout

    # Of several nodes the number of one may be given.

    def stop(self, *node):
        """SIGTERM: it ends in order."""
        self._script("stop", *map(str, node))

    def kill(self, *node):
        self._script("kill", *map(str, node))

    def restart(self, *node):
        """Starts it again with the data it had, and waits until it answers."""
        self._script("restart", *map(str, node))


def end_all():
    """Ends what a test left running."""
    for broker in _running[:]:
        broker.end()


atexit.register(end_all)
