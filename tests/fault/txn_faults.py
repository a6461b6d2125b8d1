#!/usr/bin/env python3
"""Every request of a transaction is held back, lost or cut off, before and after the broker has it, and comes late,
within the next transaction: nothing is lost or doubled, nobody restarts anything by hand.

One stage for each request or danger (txn/app.lua) reads the same topic through a fault proxy of its own; one more is
left alone. Each makes one record of running totals for each that it reads, so order, number and values of its output
say what became of every transaction. What the broker alone can refuse is shown at the end.
"""

import os
import sys
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "support", "python"))

from mrtest import checks, places, runner, sequences  # noqa: E402

runner.need_broker()

from confluent_kafka import IsolationLevel, Producer  # noqa: E402
from confluent_kafka.admin import AlterConfigOpType, ConfigEntry, ConfigResource, NewTopic  # noqa: E402

from mrtest import fault_proxy  # noqa: E402
from mrtest.app import App, terminate  # noqa: E402
from mrtest.broker import Broker  # noqa: E402
from mrtest.fault_proxy import FaultProxy  # noqa: E402
from mrtest.kafka import Cluster, Follower, Writer  # noqa: E402
from mrtest.tickets import run  # noqa: E402
from mrtest.waiting import Not, until  # noqa: E402

DIRECTORY = os.path.join(os.path.dirname(os.path.abspath(__file__)), "txn")
READINGS = "txn.readings"
DISTURBED = {
    "init_producer_id": fault_proxy.INIT_PRODUCER_ID,
    "add_partitions": fault_proxy.ADD_PARTITIONS,
    "add_offsets": fault_proxy.ADD_OFFSETS,
    "txn_offset_commit": fault_proxy.TXN_OFFSET_COMMIT,
    "end_txn": fault_proxy.END_TXN,
}
UNCLEAR = {"unheard": fault_proxy.DROP_REQUEST, "unanswered": fault_proxy.DROP_ANSWER}
HEARTBEAT = 12
UNDISTURBED = "undisturbed"
FORGETFUL = "forgetful"
FORGOTTEN = 3
KEYS = 40
BATCH = 300
SOCKET_SECONDS = 1.0
# A request that is not answered is given up soon, and so is a transaction.
IMPATIENT = {
    "socket.timeout.ms": str(round(SOCKET_SECONDS * 1000)),
    "fetch.wait.max.ms": "0",
    "transaction.timeout.ms": "10s",
    "reconnect.backoff.ms": "20",
}
HELD = SOCKET_SECONDS * 1.5


class Bench:
    """The app on a broker of its own, a proxy for each stage that is disturbed, and all that is sent."""

    def __init__(self):
        files = places.files()
        self.broker = Broker(files)
        self.app = App(
            self.broker,
            files,
            {stage: ("project", (READINGS,)) for stage in [*DISTURBED, UNDISTURBED, *UNCLEAR, *LATE, FORGETFUL]},
            directory=DIRECTORY,
            name="txn",
            schemas=os.path.join(DIRECTORY, "schemas"),
            **IMPATIENT,
        )
        self.app.apply_topics()
        self.proxies, self.running, self.sent = {}, {}, 0
        self.writer = Writer(self.broker.bootstrap)
        self.follower = Follower(self.broker.bootstrap, self.app.cluster.partitions("txn"))

    def start(self, name, **properties):
        """Through a proxy of its own, except for the stage that is left alone."""
        if name != UNDISTURBED:
            self.proxies.setdefault(name, FaultProxy(self.broker.bootstrap))
            properties["bootstrap.servers"] = self.proxies[name].bootstrap
        self.running[name] = self.app.start(name, **properties)

    def send(self, count=BATCH):
        """Readings that differ from each other."""
        for _ in range(count):
            key = f"sensor-{self.sent * 7 % KEYS}".encode()
            self.writer.send(READINGS, key, self.app.schemas.encode("Reading", {"Amount": self.sent}), {})
            self.sent += 1
        self.writer.flush()

    def has_all(self, name):
        """Whether a stage's output has a record for each reading; else a Not that says how many it has."""
        stage = self.running[name]
        assert stage.is_running(), f"{stage.name} ended with {stage.popen.returncode}\n{stage.tail()}"
        assert self.follower.failure is None, f"the reader failed: {self.follower.failure}"
        found = sum(record.topic == f"txn.{name}" for record in self.follower.records)
        return found >= self.sent or Not(f"{name} has {found} of {self.sent}")

    def wait_for(self, name, what, seconds=30):
        until(f"{what}: the output", seconds, lambda: self.has_all(name))

    def wait_for_all(self, what, seconds=30):
        for name in self.running:
            self.wait_for(name, what, seconds)

    def judge(self):
        """Everything that is on the topics and in the stores, and what was read along."""
        self.app.stages = {name: self.app.stages[name] for name in self.running}
        self.app.settle(60)
        history, schemas = self.app.history(), self.app.schemas
        outputs, rows = expected(history.partitions(READINGS), schemas)
        verdict = checks.Verdict()
        for name, stage in self.running.items():
            verdict.add(f"{name}: one output for each input", same_outputs(outputs, history, f"txn.{name}"))
            verdict.add(f"{name}: rows", checks.same_rows(name, rows, stage.rows("totals")))
        digests = {name: self.digest(name) for name in self.running}
        verdict.add("digests", [f"{name}: {d}" for name, d in digests.items() if d != run.digest(rows)])
        verdict.add("transactions ended", self.app.cluster.open_transactions("txn"))
        along = [r for r in self.follower.stop() if r.topic in history.topics]
        at_end = [r for topic, records in history.topics.items() if topic.startswith("txn.") for r in records]
        verdict.add("what was read along", checks.seen_along(along, at_end))
        verdict.end()

    def digest(self, name):
        """Of a stage's totals, by `millrace verify`."""
        (said,) = [row for row in self.app.ask("verify", "--stage", name) if row["store"] == "totals"]
        return said["digest"]

    def end(self):
        terminate(self.running.values())
        for proxy in self.proxies.values():
            proxy.close()
        self.broker.end()


def expected(inputs, schemas):
    """({partition: [(key, total)]}, {key: total}) of the readings."""
    outputs, rows = {}, {}
    for partition, records in inputs.items():
        for record in records:
            amount = schemas.decode(record.value)[1]["Amount"]
            last = rows.get((record.key,), {"Count": 0, "Sum": 0})
            total = {"Count": last["Count"] + 1, "Sum": last["Sum"] + amount, "Last": amount}
            rows[record.key,] = total
            outputs.setdefault(partition, []).append((record.key, total))
    return outputs, rows


def same_outputs(wanted, history, topic):
    found = {p: [(r.key, history.value(r)) for r in records] for p, records in history.partitions(topic).items()}
    return sequences.same(topic, wanted, found)


def disturb(bench, fault, times):
    """Arms a fault in every proxy and sends until all have hit and everything has come out."""
    began = time.monotonic()
    seconds = HELD if fault == fault_proxy.HOLD else None
    rules = {n: p.rule(DISTURBED[n], fault, seconds, times=times) for n, p in bench.proxies.items()}
    # A producer's ID is asked for once in its life.
    terminate([bench.running["init_producer_id"]])
    bench.start("init_producer_id")
    bench.send()
    for name, rule in rules.items():
        bench.proxies[name].wait_for_hits(rule, 1, 30)
    bench.send()
    for name, rule in rules.items():
        bench.proxies[name].wait_for_hits(rule, times, 30)
    bench.wait_for_all(f"{fault}, {times} times", 60)
    for proxy in bench.proxies.values():
        proxy.clear()
    runner.say(f"{fault}, {times} times: {time.monotonic() - began:.1f} s")


def every_request_and_every_fault(bench):
    for name in [*DISTURBED, UNDISTURBED]:
        bench.start(name)
    bench.send()
    bench.wait_for_all("undisturbed")
    for times in (1, 2):
        for fault in fault_proxy.FAULTS:
            disturb(bench, fault, times)
    # What went without an answer must not be able to come later (requests_that_come_in_the_next_transaction).
    for name in set(DISTURBED) - {"init_producer_id"}:
        bench.running[name].wait_for_line("the producer begins anew", 0)


def ends_without_an_answer(bench):
    """Within the time of the transaction. Whether it was committed, only the broker knows: once it was, once not."""
    began = time.monotonic()
    for name, fault in UNCLEAR.items():
        bench.start(name, **{"transaction.timeout.ms": "2s"})
        bench.running[name].wait_ready()
        bench.proxies[name].rule(fault_proxy.END_TXN, fault, times=1000)
    bench.send()
    for name in UNCLEAR:
        bench.running[name].wait_for_line("commit the transaction: .*: aborting, retrying", 30)
        bench.proxies[name].clear()
    bench.send()
    bench.wait_for_all("after the end was not answered")
    runner.say(f"ends without an answer: {time.monotonic() - began:.1f} s")


def no_broker_is_named(bench):
    """As a broker ends in order: librdkafka 2.10 to 2.16 may then not know of any, for good."""
    began = time.monotonic()
    bench.start(FORGETFUL, **{"topic.metadata.refresh.interval.ms": "200"})
    stage, proxy = bench.running[FORGETFUL], bench.proxies[FORGETFUL]
    stage.wait_ready()
    for i in range(FORGOTTEN):
        rule = proxy.rule(
            fault_proxy.METADATA, fault_proxy.NAME_NOBODY, times=1000, body=fault_proxy.names_topics
        )
        proxy.wait_for_hits(rule, 3, 30)
        proxy.clear(rule)
        bench.send(10)
        bench.wait_for(FORGETFUL, f"forgotten {i + 1} times", 60)
        runner.say(f"no broker is named, {i + 1}: {time.monotonic() - began:.1f} s")


# ---- Requests that come late ----


def written(bench, name):
    """How many records and end marks there are on a stage's output, committed or not."""
    partitions = bench.app.cluster.partitions(f"txn.{name}")
    return sum(bench.app.cluster.ends(partitions, IsolationLevel.READ_UNCOMMITTED).values())


def wait_until_written(bench, name, count):
    until(f"{name} to write {count}", 30, lambda: written(bench, name) >= count or Not(written(bench, name)))


def is_commit(request):
    """Of EndTxn; its last byte says so, but in versions that no librdkafka asks for yet."""
    assert request.api_version <= 2, f"EndTxn has version {request.api_version}: look where it says what it wants"
    return request.frame[-1] == 1


def is_abort(request):
    return not is_commit(request)


def let_come(proxy, late):
    """The broker has answered what was late when this returns."""
    assert (late.hits, late.answered) == (1, 0), str(late)
    late.release()
    proxy.wait_for_answers(late, 1, 10)


def late_commit(bench, name):
    """It would commit the next transaction before its input offsets are in."""
    proxy = bench.proxies[name]
    late = proxy.rule(fault_proxy.END_TXN, fault_proxy.HOLD, 60, body=is_commit)
    bench.send()
    bench.wait_for(name, "the commit that was asked for again")
    offsets = proxy.rule(fault_proxy.ADD_OFFSETS, fault_proxy.HOLD, 60)
    bench.send()
    proxy.wait_for_hits(offsets, 1, 20)
    let_come(proxy, late)
    bench.running[name].kill()


def late_offsets(bench, name):
    """They would replace those of the next transaction."""
    proxy = bench.proxies[name]
    late = proxy.rule(fault_proxy.TXN_OFFSET_COMMIT, fault_proxy.HOLD, 60)
    bench.send()
    bench.wait_for(name, "the offsets that were sent again")
    commit = proxy.rule(fault_proxy.END_TXN, fault_proxy.HOLD, 60)
    bench.send()
    proxy.wait_for_hits(commit, 1, 20)
    let_come(proxy, late)
    commit.release()
    bench.wait_for(name, "the next transaction")
    bench.running[name].kill()


def late_abort(bench, name):
    """It would throw away what the next transaction has written, and its offsets would be committed."""
    proxy = bench.proxies[name]
    late = proxy.rule(fault_proxy.END_TXN, fault_proxy.HOLD, 60, body=is_abort)
    bench.send()
    wait_until_written(bench, name, bench.sent)
    # Without heartbeats it is thrown out of its group, and has to abort.
    heartbeats = proxy.rule(HEARTBEAT, fault_proxy.DROP_REQUEST, times=1000)
    bench.running[name].wait_for_line("lost partitions", 30)
    proxy.clear(heartbeats)
    wait_until_written(bench, name, 2 * bench.sent)
    let_come(proxy, late)
    terminate([bench.running[name]])


# Each with properties of its stage: one does not commit until it ends, and is soon missed.
LATE = {
    "late_commit": (late_commit, {}),
    "late_offsets": (late_offsets, {}),
    "late_abort": (late_abort, {"commit.interval.ms": "60s", "session.timeout.ms": "2000"}),
}


def requests_that_come_in_the_next_transaction(bench):
    for name, (disturb_by, properties) in LATE.items():
        began = time.monotonic()
        bench.start(name, **properties)
        bench.running[name].wait_ready()
        disturb_by(bench, name)
        bench.proxies[name].clear()
        bench.start(name)
        runner.say(f"{name}: {time.monotonic() - began:.1f} s")


def test_transactions():
    bench = Bench()
    every_request_and_every_fault(bench)
    ends_without_an_answer(bench)
    no_broker_is_named(bench)
    requests_that_come_in_the_next_transaction(bench)
    # More, so that offsets which went back are told from the end of the input.
    bench.send()
    bench.wait_for_all("all that was sent")
    bench.judge()
    bench.end()


# ---- Records that come late ----


def set_verification(admin, wanted):
    """Whether the broker asks, before it takes the first record of a transaction, if there is that transaction."""
    name = "transaction.partition.verification.enable"
    setting = ConfigEntry(name, wanted, incremental_operation=AlterConfigOpType.SET)
    resource = ConfigResource(ConfigResource.Type.BROKER, "1", incremental_configs=[setting])
    for future in admin.incremental_alter_configs([resource]).values():
        future.result(30)


class LateRecord:
    """A transactional producer whose record is held on its way."""

    def __init__(self, proxy, name):
        self.proxy = proxy
        self.producer = producer_of(proxy.bootstrap, name)
        # The others are librdkafka's own repetitions, up to the end of the record's time.
        self.rule = proxy.rule(fault_proxy.PRODUCE, fault_proxy.HOLD, 60, times=1000, client=f"^{name}$")
        self.producer.begin_transaction()
        self.producer.produce(name, b"late", partition=0)
        self.producer.flush(0.1)
        proxy.wait_for_hits(self.rule, 1, 10)

    def give_up(self):
        self.proxy.wait_for_hits(self.rule, 2, 10)
        self.producer.abort_transaction(30)

    def come(self):
        self.rule.release()
        self.proxy.wait_for_answers(self.rule, self.rule.hits, 10)


def producer_of(bootstrap, name):
    """A transactional producer of librdkafka's, ready to begin."""
    producer = Producer(
        {
            "bootstrap.servers": bootstrap,
            "transactional.id": name,
            "client.id": name,
            "socket.timeout.ms": 1000,
            "message.timeout.ms": 2500,
            "log_level": 0,
        }
    )
    producer.init_transactions(30)
    return producer


def test_records_that_come_after_their_transaction():
    """Its numbers are no help against the first record of a transaction; it is the broker that has to ask whether there
    is such a transaction, which 4.1.1 does by default. If not, nobody ends what that record begins."""
    broker = Broker(os.path.join(places.files(), "records"))
    cluster, proxy = Cluster(broker.bootstrap), FaultProxy(broker.bootstrap)
    names = ["verified", "unverified", "fenced"]
    for future in cluster.admin.create_topics([NewTopic(name, 1, 1) for name in names]).values():
        future.result(30)
    for name in names:
        set_verification(cluster.admin, "true" if name == "verified" else "false")
        late = LateRecord(proxy, name)
        if name == "fenced":
            producer_of(broker.bootstrap, name)
        else:
            late.give_up()
        late.come()
    hanging = [text.split("[")[0] for text in cluster.open_transactions()]
    assert hanging == ["unverified"], f"transactions are left open on {hanging}, not on the unverified topic alone"
    proxy.close()
    broker.end()


runner.main(globals(), places.fresh_files)
