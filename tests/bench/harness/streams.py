"""Kafka Streams, the peer: the jars from Maven, the topologies in tests/bench/streams."""

import fcntl
import glob
import os
import re
import shlex
import shutil
import subprocess
import tempfile

from harness import topics
from harness.contender import Contender
from mrtest import places
from mrtest.process import Process
from mrtest.waiting import Not

SOURCES = os.path.join(places.ROOT, "tests", "bench", "streams")
POM = os.path.join(SOURCES, "pom.xml")
CACHES = {"default": -1, "0": 0, "same": None}


def read(path):
    with open(path, encoding="utf-8") as f:
        return f.read()


def version():
    return re.search(r"<kafka.version>(.*)</kafka.version>", read(POM)).group(1)


def run_tool(command, what):
    done = subprocess.run(
        command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False
    )
    assert done.returncode == 0, f"{what}:\n{done.stdout[-2000:]}"


def jars():
    """The directory with the jars; fetched once, and again when pom.xml has changed."""
    cache = os.path.join(os.environ.get("XDG_CACHE_HOME") or os.path.expanduser("~/.cache"), "millrace")
    directory = os.path.join(cache, f"kafka-streams-{version()}")
    os.makedirs(cache, exist_ok=True)
    with open(f"{directory}.lock", "w", encoding="ascii") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        kept = os.path.join(directory, "pom.xml")
        if not os.path.exists(kept) or read(kept) != read(POM):
            part = tempfile.mkdtemp(prefix=f"{directory}.part.")
            run_tool(
                ["mvn", "-q", "-B", "-f", POM, "dependency:copy-dependencies", f"-DoutputDirectory={part}/libs"],
                "could not fetch the jars of Kafka Streams with mvn",
            )
            shutil.copy(POM, part)
            shutil.rmtree(directory, ignore_errors=True)
            os.rename(part, directory)
    return os.path.join(directory, "libs")


def class_path():
    """The jars and the compiled topologies."""
    classes = os.path.join(places.build(), "tests", "bench", "streams")
    shutil.rmtree(classes, ignore_errors=True)
    os.makedirs(classes)
    sources = sorted(glob.glob(os.path.join(SOURCES, "src", "*.java")))
    run_tool(
        ["javac", "-Xlint:all,-processing", "-Werror", "-cp", f"{jars()}/*", "-d", classes, *sources],
        "could not compile the topologies of Kafka Streams",
    )
    return f"{classes}:{jars()}/*"


class Streams(Contender):
    """A topology with one of three sizes of its cache; `processes`: how many of ours it stands for, whose threads and
    memory it gets."""

    kind = "streams"
    _class_path = None

    def __init__(self, name, title, cache, static=True, processes=1):
        of_cache = {"default": "the default cache", "0": "no cache", "same": "a cache as large as our memory"}[cache]
        of_member = "" if static else ", no static membership"
        super().__init__(name, f"Kafka Streams {version()}, {title}, {of_cache}{of_member}")
        self.cache, self.static, self.processes = cache, static, processes

    def of_workload(self, run):
        """The properties that its topology asks for."""
        raise NotImplementedError

    def prepare(self, run):
        topics.create(run.cluster, run.output, run.settings.partitions)
        with open(run.path("streams.properties"), "w", encoding="ascii") as f:
            f.writelines(f"{name}={value}\n" for name, value in self.properties(run).items())
        if Streams._class_path is None:
            Streams._class_path = class_path()

    def properties(self, run):
        s = run.settings
        cache = {"same": s.memory_mib * self.processes << 20}.get(self.cache, CACHES[self.cache])
        result = {
            **self.of_workload(run),
            "bench.input": run.input,
            "bench.output": run.output,
            "application.id": run.name,
            "bootstrap.servers": run.cluster.bootstrap,
            "processing.guarantee": "exactly_once_v2" if run.guarantee == "exactly_once" else run.guarantee,
            "commit.interval.ms": s.commit_ms,
            "num.stream.threads": s.threads * self.processes,
            "state.dir": run.state,
            "main.consumer.isolation.level": "read_committed",
            "main.consumer.auto.offset.reset": "earliest",
        }
        if cache >= 0:
            result["statestore.cache.max.bytes"] = cache
        if self.static:
            result["group.instance.id"] = "0"
        return result

    def start(self, run):
        command = ["java", *shlex.split(run.settings.java_options), "-cp", Streams._class_path]
        return Process(self.name, [*command, "StreamsBench", run.path("streams.properties")], run.path("log"))

    def is_ready(self, process):
        assert process.is_running(), f"{self.name} ended with {process.popen.returncode}\n{process.tail()}"
        states = re.findall(r"^state (\S+)$", process.output(), re.M)
        return (states and states[-1] == "RUNNING") or Not(f"state {states[-1] if states else 'none'}")

    def restored(self, process):
        found = re.findall(r"^restored (\d+)$", process.output(), re.M)
        return int(found[-1]) if found else 0

    def version(self, process):
        return f"kafka-streams {version()}"
