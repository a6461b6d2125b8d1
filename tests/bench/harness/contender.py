"""A contender: one way to do a workload's work, as a process that is started, watched and ended."""

import dataclasses
import os
import re
import shutil
import subprocess

from mrtest import places
from mrtest.kafka import Cluster
from mrtest.process import Process


@dataclasses.dataclass
class Run:
    """One contender's turn: its own names on the broker, its own directory."""

    name: str
    cluster: Cluster
    directory: str
    input: str
    settings: object
    guarantee: str
    rules: int = 0  # of workload shuffle

    @property
    def output(self):
        return f"{self.name}.out"

    @property
    def state(self):
        return os.path.join(self.directory, "state")

    def path(self, *parts):
        os.makedirs(self.directory, exist_ok=True)
        return os.path.join(self.directory, *parts)

    def clear(self):
        shutil.rmtree(self.directory, ignore_errors=True)


class Contender:
    """What all have in common. `kind` says who it is held against: raw is the limit, streams the peer."""

    kind = "ours"
    is_stateful = True
    is_one_to_one = True  # promises one output per input
    figures = ("drain", "restore", "restart", "latency")

    def __init__(self, name, title):
        self.name, self.title = name, title

    def group(self, run):
        """The consumer group whose offsets tell how far it is."""
        return run.name

    def prepare(self, run):
        """Makes topics and files."""

    def start(self, run):
        """A Process that works until SIGTERM."""
        raise NotImplementedError

    def last_step(self, run):
        """The group and the topic of the step that makes the outputs."""
        return self.group(run), run.input

    def wait_rest(self, run, process):
        """The moment when it has done what is left once its input is committed; None when that is all."""

    def is_ready(self, process):
        """Whether it has its state and waits for input; may be a Not that says why not."""
        raise NotImplementedError

    def restored(self, process):
        """How many records it says that it has read back."""
        raise NotImplementedError

    def drop_state(self, run):
        """What another machine would begin with: nothing on the disk."""
        shutil.rmtree(run.state)

    def version(self, process):
        """What it says of the libraries that it runs with."""
        raise NotImplementedError


class Native(Contender):
    """A program that uses librdkafka: the newer one, or the distribution's."""

    def __init__(self, name, title, librdkafka="newer"):
        super().__init__(name, title)
        self.librdkafka = librdkafka

    def environment(self):
        if self.librdkafka == "distribution":
            return {}
        done = subprocess.run(
            [os.path.join(places.ROOT, "scripts", "librdkafka")],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            text=True,
            timeout=900,
            check=True,
        )
        return {"LD_LIBRARY_PATH": os.path.join(done.stdout.strip(), "lib")}

    def version(self, process):
        found = re.search(r"librdkafka=(\S+)", process.output())
        return f"librdkafka {found.group(1)}" if found else "unknown"

    def launch(self, run, command):
        return Process(self.name, command, run.path("log"), **self.environment())
