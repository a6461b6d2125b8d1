#!/usr/bin/env python3
"""Clients log what they send and read while processors are killed and stopped, the broker is restarted, and requests are
held, lost and cut off; a checker finds nothing in the log that must not be there.

Values go through a stage of each kind (operations/app.lua), two instances of each under `millrace run`. Some senders use
transactions and abort some of them; the ends of those are disturbed, too. Readers follow every topic on the way.
MR_OPLOG_SECONDS (40; 600 is the long form), MR_OPLOG_SEED (1). `operations.jsonl` is the log, `faults.log` says what was
done when.
"""

import os
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "support", "python"))

from mrtest import checks, fault_proxy, oplog, places, runner  # noqa: E402

runner.need_broker()

from mrtest.app import App, Instance  # noqa: E402
from mrtest.broker import Broker  # noqa: E402
from mrtest.clients import Poller, Sender, TransactionalSender  # noqa: E402
from mrtest.fault_proxy import FaultProxy  # noqa: E402
from mrtest.faults import Faults  # noqa: E402
from mrtest.tickets import run  # noqa: E402
from mrtest.waiting import Not, until  # noqa: E402

SECONDS = int(os.environ.get("MR_OPLOG_SECONDS", "40"))
SEED = int(os.environ.get("MR_OPLOG_SEED", "1"))
DIRECTORY = os.path.join(os.path.dirname(os.path.abspath(__file__)), "operations")
SENT, COMMANDS, EVENTS, RESULTS, LATEST = (
    f"oplog.{name}" for name in ("sent", "commands", "events", "results", "latest")
)
# {topic: where its values come from}
FLOW = {COMMANDS: SENT, EVENTS: COMMANDS, LATEST: EVENTS}
STAGES = {"move": ("transform", [SENT]), "notes": ("aggregate", [COMMANDS]), "latest": ("project", [EVENTS])}
INSTANCES = 2
SENDERS, RATE = 3, 20  # of each sort; values a second
# An instance that is stopped is missed soon, what it left open is ended soon, and what is held longer than the socket's
# time comes late, within the next transaction.
PROPERTIES = {
    "session.timeout.ms": "6000",
    "transaction.timeout.ms": "10s",
    "socket.timeout.ms": "2500",
    "changelog.tail.records": "200",
}
# What can happen to the end of a client's transaction; none comes late, for against that the client has no help.
CLIENTS_FAULTS = [(fault, 1.0 if fault == fault_proxy.HOLD else None) for fault in fault_proxy.FAULTS]
CLIENTS_EVERY = 20  # ends of transactions


def start_clients(app, log, proxy):
    """(senders, pollers)"""
    partitions = [tp for topic in (SENT, COMMANDS, EVENTS, LATEST) for tp in app.cluster.partitions(topic)]
    readers = {"reader": None, "reader-too": None, "reader-again": 7}
    pollers = [Poller(name, log, app.bootstrap, partitions, app.schemas, again) for name, again in readers.items()]
    senders = []
    for n in range(SENDERS):
        senders.append(Sender(f"plain-{n}", log, app.bootstrap, SENT, app.schemas, RATE, SEED))
        senders.append(TransactionalSender(f"txn-{n}", log, proxy.bootstrap, SENT, app.schemas, RATE, SEED))
    for client in pollers + senders:
        client.start()
    return senders, pollers


def disturb_clients(proxy):
    """At the end of every so many of their transactions."""
    for number in range(SECONDS // 3):
        fault, seconds = CLIENTS_FAULTS[number % len(CLIENTS_FAULTS)]
        proxy.rule(fault_proxy.END_TXN, fault, seconds, nth=(number + 1) * CLIENTS_EVERY)


def has_all(poller, last):
    assert poller.failure is None, f"{poller.name} failed:\n{poller.failure}"
    return poller.has_read(last) or Not(f"{poller.name} is at {poller.next}, the last records are {last}")


def stored(instances):
    """{key: row} of the view."""
    return run.rows_of([i for i in instances if i.stage == "latest"], "latest")


def expected_rows(history):
    """What the events amount to."""
    rows = {}
    for event in history.records(EVENTS):
        count = rows.get((event.key,), {"Count": 0})["Count"] + 1
        rows[event.key,] = {"Count": count, "Value": history.value(event)["Value"]}
    return rows


def judge(app, instances, operations):
    verdict = checks.Verdict()
    for name, complaints in oplog.check(operations, FLOW).items():
        verdict.add(name, complaints)
    history = app.history()
    verdict.add("versions", checks.versions(history.records(EVENTS)))
    verdict.add("answers", checks.answers(history.records(COMMANDS), history.records(RESULTS)))
    verdict.add("rows", checks.same_rows("latest", expected_rows(history), stored(instances)))
    verdict.add("dead letters", [repr(r) for s in STAGES for r in history.records(f"oplog-{s}-dlq")])
    verdict.end()


def said(operations):
    """How often each operation ended in each way, and how much was read."""
    counts, read = {}, 0
    for operation in operations:
        name = f"{operation['op']} {operation['type']}"
        counts[name] = counts.get(name, 0) + 1
        read += len(operation.get("records", ()))
    return ", ".join(f"{n} {name}" for name, n in sorted(counts.items())) + f", {read} records read"


def test_operations():
    files = places.fresh_files()
    broker = Broker(files)
    app = App(
        broker,
        files,
        STAGES,
        directory=DIRECTORY,
        name="oplog",
        schemas=os.path.join(DIRECTORY, "schemas"),
        **PROPERTIES,
    )
    app.apply_topics()
    proxy, clients_proxy = FaultProxy(broker.bootstrap), FaultProxy(broker.bootstrap)
    supervisor = app.run("--instances", str(INSTANCES), **{"bootstrap.servers": proxy.bootstrap})
    supervisor.wait_for_line("^ready$", 120)
    instances = [Instance(app, stage, str(n)) for stage in STAGES for n in range(INSTANCES)]
    path = os.path.join(files, "operations.jsonl")
    log = oplog.Writer(path)
    senders, pollers = start_clients(app, log, clients_proxy)
    disturb_clients(clients_proxy)
    faults = Faults(supervisor, instances, broker, proxy, SEED, os.path.join(files, "faults.log"))
    faults.run(SECONDS, (1.0, 2.5))
    clients_proxy.clear()
    for sender in senders:
        sender.stop()
    for instance in instances:
        until(f"{instance.name} to be ready", 120, instance.is_ready)
    app.settle(180)
    last = {}
    for topic in (SENT, *FLOW):
        for record in app.cluster.read(app.cluster.partitions(topic)):
            last[topic, record.partition] = max(last.get((topic, record.partition), 0), record.offset)
    for poller in pollers:
        until(f"{poller.name} to read all", 60, lambda p=poller: has_all(p, last))
        poller.stop()
    log.close()
    operations = oplog.load(path)
    runner.say(f"seed {SEED}, {SECONDS} s, faults: {faults.said()}")
    runner.say(said(operations))
    judge(app, instances, operations)
    assert supervisor.terminate() == 0, supervisor.tail()
    for p in (proxy, clients_proxy):
        p.close()


runner.main(globals())
