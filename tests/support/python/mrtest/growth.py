"""Memory and open files of processes over a long run, and whether they grow."""

import os
import re
import statistics
import threading
import time

FEWEST = 4  # samples of a median
FIRST_AGE = 2.5  # seconds


class Sample:
    """What one process had at one moment; times and ages in seconds, memory in bytes."""

    __slots__ = ("at", "who", "pid", "age", "memory", "files")

    def __init__(self, at, who, pid, age, memory, files):
        self.at, self.who, self.pid, self.age, self.memory, self.files = at, who, pid, age, memory, files


class Growth:
    """One process's kind between two parts of a run: the medians of that age which has grown most."""

    __slots__ = ("who", "before", "after")

    def __init__(self, who, before, after):
        self.who, self.before, self.after = who, before, after

    @property
    def by(self):
        return self.after - self.before


def ages(seconds):
    """Where the classes of age end, each twice the one before; what has lived through most of a quarter is old."""
    edges, edge = [], FIRST_AGE
    while edge <= seconds / 4 * 2 / 3:
        edges.append(edge)
        edge *= 2
    return edges


def grown(samples, seconds, what):
    """[Growth] of a field from the second quarter of `seconds` to the last, for everyone that can be compared: in both
    there are enough samples of the same class of age."""
    edges, classes = ages(seconds), {}
    for sample in samples:
        quarter = int(sample.at * 4 / seconds)
        if quarter in (1, 3):
            age = sum(sample.age >= edge for edge in edges)
            found = classes.setdefault((sample.who, age), {1: [], 3: []})
            found[quarter].append(getattr(sample, what))
    most = {}
    for (who, _), found in classes.items():
        if all(len(values) >= FEWEST for values in found.values()):
            growth = Growth(who, statistics.median(found[1]), statistics.median(found[3]))
            if who not in most or growth.by > most[who].by:
                most[who] = growth
    return [most[who] for who in sorted(most)]


def look(pid):
    """(resident bytes, open files) of a process, or None when it is not there."""
    try:
        with open(f"/proc/{pid}/status", encoding="ascii") as f:
            resident = re.search(r"VmRSS:\s+(\d+)", f.read())
        files = len(os.listdir(f"/proc/{pid}/fd"))
    except OSError:
        return None
    return (int(resident.group(1)) * 1024, files) if resident else None


class Sampler(threading.Thread):
    """Looks at processes all along; `processes()` gives {who: process ID or None}."""

    def __init__(self, processes, every=1.0):
        super().__init__(daemon=True)
        self.processes, self.every = processes, every
        self.samples, self.born, self.failure = [], {}, None
        self.started = time.monotonic()
        self._end = threading.Event()
        self.start()

    def run(self):
        try:
            while not self._end.wait(self.every):
                for who, pid in self.processes().items():
                    self._sample(who, pid)
        except Exception as e:  # pylint: disable=broad-except
            self.failure = e

    def _sample(self, who, pid):
        seen = look(pid) if pid is not None else None
        if seen is None:
            return
        at = time.monotonic() - self.started
        born = self.born.setdefault((who, pid), at)
        self.samples.append(Sample(at, who, pid, at - born, *seen))

    def stop(self):
        self._end.set()
        self.join(30)
        assert self.failure is None, f"looking at the processes failed: {self.failure}"
        return self.samples
