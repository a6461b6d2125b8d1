"""An app under test: its topics, its stages as processes, and questions to it through CLI and HTTP."""

import copy
import json
import os
import shutil
import signal
import urllib.error
import urllib.parse
import urllib.request

from confluent_kafka import KafkaException

from mrtest import places
from mrtest.avro import Schemas
from mrtest.history import History
from mrtest.kafka import Cluster
from mrtest.process import Process, run
from mrtest.waiting import Not, until

# A restart is noticed and a rebalance over quickly; a broker's restart is survived.
PROPERTIES = {
    "session.timeout.ms": "6000",
    "heartbeat.interval.ms": "500",
    "commit.interval.ms": "100ms",
    "memory.budget": "32m",
    "reconnect.backoff.max.ms": "500",
}


def copy_app(name, to):
    """A copy of an app and its schemas that a test may change; returns the app's directory."""
    shutil.copytree(os.path.join(places.ROOT, "deploy", "apps", name), os.path.join(to, "deploy", "apps", name))
    shutil.copytree(os.path.join(places.ROOT, "schemas", name), os.path.join(to, "schemas", name))
    return os.path.join(to, "deploy", "apps", name)


class App:
    """One app on one broker; everything it writes is below `files`."""

    def __init__(self, broker, files, stages, directory=None, name="tickets", schemas=None, **properties):
        self.name, self.stages = name, stages
        self.directory = directory or os.path.join(places.ROOT, "deploy", "apps", name)
        self.bootstrap, self.files = broker.bootstrap, files
        self.cluster = Cluster(broker.bootstrap)
        self.state = os.path.join(files, "state")
        self.properties = {"bootstrap.servers": broker.bootstrap, "state.dir": self.state, **PROPERTIES, **properties}
        self.schemas = Schemas(schemas or os.path.join(self.directory, "..", "..", "..", "schemas", name))

    def elsewhere(self):
        """The same app as another machine would run it: with states and logs of its own."""
        other = copy.copy(self)
        other.files = os.path.join(self.files, "elsewhere")
        other.state = os.path.join(other.files, "state")
        other.properties = {**self.properties, "state.dir": other.state}
        return other

    def settings(self, **more):
        result = []
        for key, value in {**self.properties, **more}.items():
            result += ["-X", f"{key}={value}"]
        return result

    # ---- The CLI ----

    def cli(self, verb, *arguments, seconds=60, **properties):
        """(exit code, stdout, stderr) of `millrace VERB APP ...`; VERB may be two words."""
        return run(["millrace", *verb.split(), self.directory, *arguments, *self.settings(**properties)], seconds)

    def ask(self, verb, *arguments, seconds=60, codes=(0,), **properties):
        """The JSON documents that a CLI verb prints, one a line; fails if it exits with another code than 0."""
        code, out, err = self.cli(verb, *arguments, "--json", seconds=seconds, **properties)
        assert code in codes, f"millrace {verb} {' '.join(arguments)} exits {code}:\n{out}{err}"
        return [json.loads(line) for line in out.splitlines()]

    def apply_topics(self):
        code, out, err = self.cli("topics apply")
        assert code == 0, f"millrace topics apply exits {code}:\n{out}{err}"

    # ---- Processors ----

    def start(self, stage, instance="0", environment=None, standby=False, **properties):
        return Stage(self, stage, instance, environment or {}, properties, ["--standby"] if standby else [])

    def run(self, *arguments, **properties):
        """`millrace run APP`: all stages under its supervision."""
        os.makedirs(os.path.join(self.files, "logs"), exist_ok=True)
        return Process(
            "millrace run",
            ["millrace", "run", self.directory, *arguments, *self.settings(**properties)],
            os.path.join(self.files, "logs", "run.log"),
        )

    def instances(self):
        """{stage: Instance} of what `run` has started."""
        return {stage: Instance(self, stage) for stage in self.stages}

    def start_all(self, seconds=60, **properties):
        """{stage: Stage} of all stages, ready."""
        running = {stage: self.start(stage, **properties) for stage in self.stages}
        for stage in running.values():
            stage.wait_ready(seconds)
        return running

    # ---- Progress ----

    def is_settled(self):
        """Whether all transactions have ended and every committed record of every input has been read; else a Not
        that says what is left."""
        pending = self.cluster.open_transactions(self.name)
        if pending:
            return Not(f"open transactions: {', '.join(pending[:3])}")
        inputs = [tp for tp in self.cluster.partitions() if any(tp.topic in reads for _, reads in self.stages.values())]
        ends = self.cluster.ends(inputs)
        left, start = {}, {}
        for stage, (_, reads) in self.stages.items():
            committed = self.cluster.committed(f"{self.name}-{stage}")
            for tp in inputs:
                place = (tp.topic, tp.partition)
                if tp.topic in reads and committed.get(place, 0) < ends[place]:
                    left.setdefault(place, []).append((committed.get(place, 0), stage))
                    start[place] = min(start.get(place, ends[place]), committed.get(place, 0))
        # What follows a committed offset may be the end marks of transactions only.
        try:
            rest = self.cluster.read([tp for tp in inputs if (tp.topic, tp.partition) in left], start) if left else []
        except KafkaException as e:
            return Not(f"what is left to read cannot be read: {e}")
        unread = {}
        for record in rest:
            for offset, stage in left[record.topic, record.partition]:
                if record.offset >= offset:
                    unread[stage] = unread.get(stage, 0) + 1
        if unread:
            return Not("unread: " + ", ".join(f"{stage} {n}" for stage, n in sorted(unread.items())))
        if self.cluster.ends(inputs) != ends:
            return Not("records are still being written")
        return True

    def settle(self, seconds=120):
        until("all inputs to be read", seconds, self.is_settled, every=0.5)

    def history(self):
        """What is on the app's topics and on those of its dead letters."""
        topics = {**self.cluster.read_topics(f"{self.name}."), **self.cluster.read_topics(f"{self.name}-", "-dlq")}
        return History(topics, self.schemas)


class Instance:
    """What a processor answers over HTTP, whoever started it."""

    def __init__(self, app, stage, instance="0"):
        self.stage, self.instance, self.kind = stage, instance, app.stages[stage][0]
        self.name = f"{stage}.{instance}"
        self.directory = os.path.join(app.state, app.name, stage, instance)

    def owner(self):
        """(address, process ID) of whoever says that it is this instance; (None, None) if nobody does."""
        try:
            with open(os.path.join(self.directory, "http"), encoding="utf-8") as f:
                address, pid = f.read().split()
        except (OSError, ValueError):
            return None, None
        return address, int(pid)

    def address(self):
        return self.owner()[0]

    def get(self, target, seconds=10):
        """(HTTP status, body); (0, why) when nobody answers."""
        address = self.address()
        if address is None:
            return 0, "it does not say where it answers"
        try:
            with urllib.request.urlopen(f"http://{address}{target}", timeout=seconds) as answer:
                return answer.status, answer.read().decode()
        except urllib.error.HTTPError as e:
            return e.code, e.read().decode()
        except OSError as e:
            return 0, str(e)

    def is_ready(self):
        status, body = self.get("/readyz")
        return True if status == 200 else Not(body.strip())

    def status(self):
        """What it says of itself; None when it does not answer."""
        status, body = self.get("/status")
        return json.loads(body) if status == 200 else None

    def rows(self, store):
        """{key parts: row} of all that it holds of a store, page by page."""
        rows, cursor = {}, None
        while True:
            more = "" if cursor is None else "&cursor=" + urllib.parse.quote(cursor)
            status, body = self.get(f"/stores/{store}?limit=1000{more}")
            assert status == 200, f"{self.name}: /stores/{store} answers {status}: {body}"
            page = json.loads(body)
            for row in page["rows"]:
                key = tuple(row["key"])
                assert key not in rows, f"{self.name}: row {key!r} of {store} comes twice"
                rows[key] = row["value"]
            cursor = page["cursor"]
            if cursor is None:
                return rows


class Stage(Instance, Process):
    """A processor of one stage that the test itself starts."""

    def __init__(self, app, stage, instance, environment, properties, flags=()):
        Instance.__init__(self, app, stage, instance)
        logs = os.path.join(app.files, "logs")
        os.makedirs(logs, exist_ok=True)
        command = [
            f"millrace-{self.kind}",
            "--app",
            app.directory,
            "--stage",
            stage,
            *flags,
            *app.settings(**{"group.instance.id": instance, **properties}),
        ]
        Process.__init__(self, self.name, command, os.path.join(logs, f"{self.name}.log"), **environment)

    def address(self):
        """None while the file is still that of a process before this one."""
        address, pid = self.owner()
        return address if pid == self.pid else None

    def is_ready(self):
        assert self.is_running(), f"{self.name} ended with {self.popen.returncode}\n{self.tail()}"
        return super().is_ready()

    def wait_ready(self, seconds=60):
        try:
            until(f"{self.name} to be ready", seconds, self.is_ready)
        except AssertionError as e:
            raise AssertionError(f"{e}\n{self.tail()}") from None

    def pause(self):
        self.signal(signal.SIGSTOP)

    def resume(self):
        self.signal(signal.SIGCONT)


def terminate(stages):
    """SIGTERM to all; each has to end in order."""
    stages = list(stages)
    for stage in stages:
        stage.signal(signal.SIGTERM)
    for stage in stages:
        code = stage.wait(40)
        assert code == 0, f"{stage.name} ended with {code} after SIGTERM\n{stage.tail()}"
