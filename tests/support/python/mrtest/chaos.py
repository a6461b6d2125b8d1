"""Kills processors at random moments, each so many times, and starts them again."""

import os
import random
import re
import threading
import time

RESTORED = re.compile(r"task (\d+): ready restored=(\d+) position=(-?\d+)")


def restores(log):
    """[(task, records restored)] of every start of a task that a log tells of."""
    with open(log, encoding="utf-8", errors="replace") as f:
        return [(int(task), int(n)) for task, n, _ in RESTORED.findall(f.read())]


def identity(stage):
    """What RocksDB calls the database in a state directory: another one after a wipe."""
    for folder, _, names in os.walk(stage.directory):
        if "IDENTITY" in names:
            with open(os.path.join(folder, "IDENTITY"), encoding="ascii") as f:
                return f.read()
    return None


class Killer:
    """SIGKILL for running stages: each `times` times, over `seconds`, from a seed."""

    def __init__(self, app, running, times, seconds, seed, log, **properties):
        self.app, self.running, self.times, self.seconds = app, running, times, seconds
        self.random, self.log_path, self.properties = random.Random(seed), log, properties
        self.left = {name: times for name in running}
        self.started = time.monotonic()
        self.identities = {}
        self.unready = 0
        with open(log, "w", encoding="utf-8") as f:
            f.write(f"seed {seed}, {times} kills of each of {len(running)} stages in {seconds} s\n")

    def kills(self):
        return sum(self.times - n for n in self.left.values())

    def _log(self, what):
        with open(self.log_path, "a", encoding="utf-8") as f:
            f.write(f"{time.monotonic() - self.started:8.3f} {what}\n")

    def _restart(self, name):
        old = self.running[name]
        self.running[name] = self.app.start(name, old.instance, **self.properties)

    def kill(self, name):
        """One kill and the restart; what it was doing is told in the log of kills."""
        stage = self.running[name]
        ready = stage.get("/readyz", 2)[0] == 200
        assert stage.is_running(), f"{stage.name} ended by itself with {stage.popen.returncode}\n{stage.tail()}"
        stage.kill()
        self.left[name] -= 1
        self.unready += not ready
        self._log(
            f"killed {name} pid {stage.pid} {'ready' if ready else 'not ready'}, age {time.monotonic() - stage.started:.2f} s"
        )
        self._restart(name)

    def kill_all(self):
        """All at once, as when the power fails."""
        for stage in self.running.values():
            assert stage.is_running(), f"{stage.name} ended by itself with {stage.popen.returncode}\n{stage.tail()}"
            stage.popen.kill()
        for name, stage in self.running.items():
            stage.kill()
            self.left[name] -= 1
        self._log("killed all")
        for name in self.running:
            self._restart(name)

    def note_identities(self):
        """Remembers the databases; complains of those that are not what they were."""
        changed = []
        for name, stage in self.running.items():
            now = identity(stage)
            if now is not None and self.identities.setdefault(name, now) != now:
                changed.append(f"the database of {name} was {self.identities[name]}, now it is {now}")
        return changed

    def run(self, power_failures=2):
        """Most victims are ready and at work; some are killed again while they only start or restore."""
        pace = threading.Event()
        at = {round(self.kills_in_all() * (i + 1) / (power_failures + 1)) for i in range(power_failures)}
        while any(n > 0 for n in self.left.values()):
            if self.kills() in at or (at and self.kills() > min(at)):
                at.discard(min(at))
                self.kill_all()
                continue
            remaining = sum(n for n in self.left.values() if n > 0)
            time_left = max(0.0, self.seconds - (time.monotonic() - self.started))
            pace.wait(self.random.expovariate(1.0) * time_left / remaining)
            victims = sorted(name for name, n in self.left.items() if n > 0)
            name = self.random.choices(victims, [self.left[v] for v in victims])[0]
            self.running[name].wait_ready(60)
            pace.wait(self.random.random() * 0.3)
            self.kill(name)
            while self.left[name] > 0 and self.random.random() < 0.2:
                pace.wait(self.random.random() * 1.5)
                self.kill(name)

    def kills_in_all(self):
        return self.times * len(self.left)
