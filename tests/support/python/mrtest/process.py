"""A process under test: its output in a file, its end awaited, its log shown when a test fails."""

import atexit
import os
import re
import signal
import subprocess
import time

from mrtest import places
from mrtest.waiting import until

_alive = []


class Process:
    """One operating system process; everything it prints goes to `log`, appended."""

    def __init__(self, name, command, log, **environment):
        self.name, self.command, self.log = name, command, log
        self.log_from = os.path.getsize(log) if os.path.exists(log) else 0
        self.started = time.monotonic()
        with open(log, "ab") as out:
            self.popen = subprocess.Popen(
                command,
                stdin=subprocess.DEVNULL,
                stdout=out,
                stderr=out,
                cwd=places.ROOT,
                env=places.environment(**environment),
            )
        _alive.append(self)

    @property
    def pid(self):
        return self.popen.pid

    def is_running(self):
        return self.popen.poll() is None

    def signal(self, number):
        if self.is_running():
            self.popen.send_signal(number)

    def wait(self, seconds):
        """The exit code (-9 after SIGKILL); fails when the process is still there."""
        try:
            code = self.popen.wait(seconds)
        except subprocess.TimeoutExpired:
            raise AssertionError(f"{self.name} did not end within {seconds:g} s\n{self.tail()}") from None
        if self in _alive:
            _alive.remove(self)
        return code

    def kill(self):
        """SIGKILL, and it is gone when this returns."""
        if self.is_running():
            self.popen.kill()
        return self.wait(30)

    def terminate(self, seconds=40):
        """SIGTERM, and the exit code."""
        self.signal(signal.SIGTERM)
        return self.wait(seconds)

    def output(self):
        """What this process printed so far (not its predecessors with the same log)."""
        with open(self.log, "rb") as f:
            f.seek(self.log_from)
            return f.read().decode(errors="replace")

    def wait_for_line(self, pattern, seconds):
        """The match of a line of its log; fails at once when the process ends without it."""
        expression = re.compile(pattern, re.M)

        def seen():
            ended = not self.is_running()
            match = expression.search(self.output())
            assert (
                match or not ended
            ), f"{self.name} ended with {self.popen.returncode} before '{pattern}'\n{self.tail()}"
            return match

        return until(f"{self.name} to log '{pattern}' ({self.log})", seconds, seen)

    def tail(self, lines=15):
        text = self.output().rstrip("\n").split("\n")[-lines:]
        return f"--- the end of {self.log}:\n" + "\n".join(text)

    def cpu_seconds(self):
        """User and system time so far, from /proc."""
        with open(f"/proc/{self.pid}/stat", encoding="ascii") as f:
            fields = f.read().rsplit(")", 1)[1].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    def peak_kilobytes(self):
        """Peak resident set, from /proc."""
        with open(f"/proc/{self.pid}/status", encoding="ascii") as f:
            return int(re.search(r"VmHWM:\s+(\d+)", f.read()).group(1))


def run(command, seconds=60, **environment):
    """Runs a command to its end; returns (exit code, stdout, stderr)."""
    try:
        done = subprocess.run(
            command,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            cwd=places.ROOT,
            env=places.environment(**environment),
            timeout=seconds,
            check=False,
        )
    except subprocess.TimeoutExpired as e:
        raise AssertionError(
            f"did not end within {seconds:g} s: {' '.join(command)}\n"
            f"{(e.stdout or b'').decode(errors='replace')}{(e.stderr or b'').decode(errors='replace')}"
        ) from None
    return done.returncode, done.stdout.decode(errors="replace"), done.stderr.decode(errors="replace")


def end_all():
    """Ends what a test left running."""
    for process in _alive[:]:
        process.popen.send_signal(signal.SIGCONT)
        process.kill()


atexit.register(end_all)
