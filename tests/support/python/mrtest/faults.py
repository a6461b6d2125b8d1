"""Faults every few seconds, from a seed, for what `millrace run` keeps running behind a fault proxy.

A processor is killed, ended or stopped for a while, one of its requests is held, lost or cut off, the broker is
restarted. Who ends is started again by `millrace run`, whether it was told to or not.
"""

import os
import random
import re
import signal
import threading
import time

from mrtest import fault_proxy
from mrtest.waiting import Deadline

FETCH, HEARTBEAT = 1, 12
# The end of a transaction is where a lost answer hurts most.
DISTURBED = {
    fault_proxy.END_TXN: 6,
    fault_proxy.TXN_OFFSET_COMMIT: 2,
    fault_proxy.ADD_OFFSETS: 1,
    fault_proxy.ADD_PARTITIONS: 2,
    fault_proxy.PRODUCE: 2,
    fault_proxy.INIT_PRODUCER_ID: 1,
    FETCH: 1,
    HEARTBEAT: 1,
}
# Each of these comes once in so many faults, in an order of its own each time.
DECK = ("kill", "kill", "end", "stop", "request", "request", "request")
HARMLESS = ("stop", "request")  # who is spared only meets these
STOPPED = (1.0, 12.0)  # seconds: some outlive their transaction, or their session
HELD = (0.2, 4.0)
# The broker is restarted instead of the tenth fault, and of every 25th after that.
BROKER_FIRST, BROKER_EVERY = 10, 25
FAILED = re.compile(r"millrace: (\S+) ended with exit code [1-9]")


def parent_of(pid):
    """The parent's process ID; None when there is no such process."""
    try:
        with open(f"/proc/{pid}/stat", encoding="ascii") as f:
            return int(f.read().rsplit(")", 1)[1].split()[1])
    except OSError:
        return None


class Faults:
    """`run` disturbs for a time; `calm` lets all go on. `counts` is {kind: number}."""

    def __init__(self, supervisor, instances, broker, proxy, seed, log, spared=()):
        """`supervisor` is the process of `millrace run`, `instances` [Instance] of what it runs."""
        self.supervisor, self.instances, self.broker, self.proxy = supervisor, instances, broker, proxy
        self.spared, self.random, self.log_path = spared, random.Random(seed), log
        self.counts, self.stopped, self.number, self.rule, self.deck = {}, {}, 0, None, []
        self.started = time.monotonic()
        self._pace = threading.Event()
        self._log(f"seed {seed}")

    def _log(self, what):
        with open(self.log_path, "a", encoding="utf-8") as f:
            f.write(f"{time.monotonic() - self.started:8.3f} {what}\n")

    def pid(self, instance):
        """Of the process that is this instance now; None when it is only being started again."""
        pid = instance.owner()[1]
        return pid if pid is not None and parent_of(pid) == self.supervisor.pid else None

    def run(self, seconds, gap=(1.5, 4.0)):
        """Disturbs for so long, with so many seconds between faults."""
        end = Deadline(seconds)
        while not end.is_over():
            self._wait(min(self.random.uniform(*gap), end.left()))
            self._one()
        self.calm()

    def calm(self):
        """Whoever is stopped goes on, and so does every request that is held."""
        self._clear()
        for pid in list(self.stopped):
            self._resume(pid)

    def said(self):
        """What was done and what came of it, for people."""
        done = ", ".join(f"{n} {kind}" for kind, n in sorted(self.counts.items()))
        failed = FAILED.findall(self.supervisor.output())
        return f"{done}; {len(failed)} processes ended with an error {', '.join(failed)}".rstrip()

    def _wait(self, seconds):
        """Lets those go on whose time is over."""
        end = Deadline(seconds)
        while not end.is_over():
            for pid, until in list(self.stopped.items()):
                if until.is_over():
                    self._resume(pid)
            self._pace.wait(min(0.1, end.left()))

    def _resume(self, pid):
        del self.stopped[pid]
        if parent_of(pid) == self.supervisor.pid:
            os.kill(pid, signal.SIGCONT)
            self._log(f"pid {pid} goes on")

    def _one(self):
        assert self.supervisor.is_running(), f"millrace run ended\n{self.supervisor.tail()}"
        self.number += 1
        if self.number % BROKER_EVERY == BROKER_FIRST:
            self._broker()
            return
        if not self.deck:
            self.deck = self.random.sample(DECK, len(DECK))
        kind = self.deck.pop()
        possible = [i for i in self.instances if kind in HARMLESS or i.stage not in self.spared]
        instance, amount = self.random.choice(possible), self.random.random()
        pid = self.pid(instance)
        if pid is None or pid in self.stopped:
            self._log(f"{kind} {instance.name}: not now")
            return
        if kind == "request":
            self._request(instance)
            return
        self._count(kind)
        self._log(f"{kind} {instance.name} pid {pid}")
        os.kill(pid, {"kill": signal.SIGKILL, "end": signal.SIGTERM, "stop": signal.SIGSTOP}[kind])
        if kind == "stop":
            self.stopped[pid] = Deadline(STOPPED[0] + amount * (STOPPED[1] - STOPPED[0]))

    def _request(self, instance):
        """One of its next requests; the address in its client ID tells it from others."""
        self._clear()
        api_key = self.random.choices(list(DISTURBED), list(DISTURBED.values()))[0]
        fault = self.random.choice(fault_proxy.FAULTS)
        seconds = self.random.uniform(*HELD) if fault == fault_proxy.HOLD else None
        client = re.escape(f"@{instance.address()}") + "$"
        self.rule = self.proxy.rule(api_key, fault, seconds, nth=self.random.randint(1, 3), client=client)
        self._log(f"request of {instance.name}: API key {api_key}, {fault} {seconds or ''}")

    def _clear(self):
        """The rule that was set hits nothing more; it counts if it has."""
        if self.rule is not None:
            self.proxy.clear(self.rule)
            self._log(str(self.rule))
            if self.rule.hits:
                self._count("request")
        self.rule = None

    def _broker(self):
        kind = self.random.choice(("stop", "kill"))
        self._log(f"the broker: {kind}")
        self.broker.stop() if kind == "stop" else self.broker.kill()
        self.broker.restart()
        self._log("the broker answers")
        self._count("broker")

    def _count(self, kind):
        self.counts[kind] = self.counts.get(kind, 0) + 1
