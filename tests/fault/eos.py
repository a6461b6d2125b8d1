#!/usr/bin/env python3
"""Kafka's own exactly-once test for Streams against us: members come, go and are killed while numbers flow.

Three members run every stage of eos/app.lua. Afterwards each output has, partition for partition, one record for each
input that was committed, in its order and with the running aggregate; what the generator wrote is checked, too. After
every step each member that runs has its part of every stage, and reads on.

MR_EOS_LONG=1 is Kafka's size: three brokers, 20,000 keys, commits each 5 s so that kills meet open transactions.
MR_EOS_SEED (1) says which numbers.
"""

import os
import random
import sys
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "support", "python"))

from mrtest import checks, places, runner, sequences  # noqa: E402

runner.need_broker()

from mrtest.app import App, terminate  # noqa: E402
from mrtest.broker import Broker  # noqa: E402
from mrtest.feed import Feed  # noqa: E402
from mrtest.waiting import Not, until  # noqa: E402

DIRECTORY = os.path.join(os.path.dirname(os.path.abspath(__file__)), "eos")
LONG = bool(os.environ.get("MR_EOS_LONG"))
SEED = int(os.environ.get("MR_EOS_SEED", "1"))
NODES, KEYS, COMMIT_MS = (3, 20000, 5000) if LONG else (1, 500, 500)
RATE = 220  # a pause of 0 to 9 ms after each
PARTITIONS = 5
DATA, REPARTITION = "eos.data", "eos.repartition"
# Stage: kind, input.
STAGES = {
    "echo": ("transform", (DATA,)),
    "repartition": ("transform", (DATA,)),
    "simple": ("project", (DATA,)),
    "max": ("project", (REPARTITION,)),
    "cnt": ("project", (REPARTITION,)),
}
# Output: its stage, and what an input makes of the aggregate before it.
OUTPUTS = {
    "echo": ("echo", lambda _, value: value),
    "repartition": ("repartition", lambda _, value: value),
    "min": ("simple", lambda least, value: value if least is None else min(least, value)),
    "sum": ("simple", lambda total, value: (total or 0) + value),
    "max": ("max", lambda most, value: value if most is None else max(most, value)),
    "cnt": ("cnt", lambda n, _: (n or 0) + 1),
}
PROPERTIES = {
    "commit.interval.ms": f"{COMMIT_MS}ms",
    # A member that is gone is missed soon, and what it left open is ended soon.
    "session.timeout.ms": "3000",
    "transaction.timeout.ms": f"{2 * COMMIT_MS + 4000}ms",
}
STEP_SECONDS = 120
bench = None


def numbers(seed, schemas):
    chance = random.Random(seed)
    while True:
        key = str(chance.randrange(KEYS)).encode()
        yield key, schemas.encode("Number", {"Value": chance.randrange(10000)})


class Bench:
    """The app on a broker of its own, its members, and what was written to it."""

    def __init__(self):
        files = places.files()
        self.broker = Broker(files, nodes=NODES)
        schemas = os.path.join(DIRECTORY, "schemas")
        self.app = App(self.broker, files, STAGES, directory=DIRECTORY, name="eos", schemas=schemas, **PROPERTIES)
        self.app.apply_topics()
        self.members = {}
        self.acknowledged = []

    # ---- Steps ----

    def step(self, verb, member):
        if verb == "start":
            self.members[member] = {stage: self.app.start(stage, member) for stage in STAGES}
        else:
            gone = self.members.pop(member).values()
            if verb == "stop":
                terminate(gone)
            else:
                for instance in gone:
                    instance.popen.kill()
                for instance in gone:
                    instance.kill()

    def run(self, schedule, seed):
        """Each step, and after it all that run work; numbers flow from before the first to after the last."""
        feed = Feed(self.app.bootstrap, DATA, numbers(seed, self.app.schemas), RATE)
        for verb, member in schedule:
            began = time.monotonic()
            self.step(verb, member)
            self.wait_until_all_work(feed, f"{verb} {member}")
            runner.say(f"{verb} {member}: {time.monotonic() - began:.1f} s")
        feed.stop()
        self.acknowledged += feed.acknowledged

    def wait_until_all_work(self, feed, step):
        for stage in STAGES if self.members else ():
            instances = [stages[stage] for stages in self.members.values()]
            read = until(f"{stage} to be shared after {step}", STEP_SECONDS, lambda i=instances: are_shared(i))
            until(
                f"every member of {stage} to read on after {step}",
                STEP_SECONDS,
                lambda i=instances, r=read: feed.is_fine() and read_on(i, r),
            )

    # ---- Verdict ----

    def groups(self):
        return [f"{self.app.name}-{stage}" for stage in STAGES]

    def judge(self):
        """All that was ever written, against what the groups have committed."""
        cluster = self.app.cluster
        until("all transactions to end", 60, lambda: not (o := cluster.open_transactions("eos")) or Not(o))
        until("the groups to be empty", 60, lambda: not (m := sum(map(cluster.members, self.groups()), [])) or Not(m))
        outputs = cluster.partitions("eos.")
        ends = cluster.ends(outputs)
        history, verdict = self.app.history(), checks.Verdict()
        verdict.add("the generator", sequences.written(DATA, self.acknowledged, history.records(DATA)))
        for output, (stage, step) in OUTPUTS.items():
            topic, source = f"eos.{output}", STAGES[stage][1][0]
            inputs = before(history, source, cluster.committed(f"eos-{stage}"))
            wanted = sequences.running(inputs, step) if STAGES[stage][0] == "project" else inputs
            verdict.add(f"{topic}: one output for each input", sequences.same(topic, wanted, values(history, topic)))
        verdict.add("no dead letters", [repr(r) for s in STAGES for r in history.records(f"eos-{s}-dlq")])
        verdict.add("nothing was written after the end", [] if cluster.ends(outputs) == ends else ["the ends moved"])
        verdict.end()
        return history

    def aborted(self, history):
        """How many records of outputs and changelogs there are that nobody may see."""
        seen = sum(map(len, history.topics.values())) + self.app.cluster.count("eos-", "-changelog")
        return self.app.cluster.count("eos", isolation="read_uncommitted") - seen


def are_shared(instances):
    """How many records each has read, once together they run every task; else a Not."""
    for instance in instances:
        assert instance.is_running(), f"{instance.name} ended with {instance.popen.returncode}\n{instance.tail()}"
    tasks = [(instance.status() or {}).get("tasks", []) for instance in instances]
    states = [[task["state"] for task in of_one] for of_one in tasks]
    if all(states) and sorted(sum(states, [])) == ["running"] * PARTITIONS:
        return [sum(task["records"] for task in of_one) for of_one in tasks]
    return Not(states)


def read_on(instances, before_that):
    now = are_shared(instances)
    return now and all(n > b for n, b in zip(now, before_that)) or Not(f"{before_that} records were read, now {now}")


def values(history, topic):
    """{partition: [(key, number)]}"""
    return {
        p: [(r.key, history.value(r)["Value"]) for r in records] for p, records in history.partitions(topic).items()
    }


def before(history, topic, committed):
    """As values, of what is before the committed offsets."""
    cut = {
        p: [r for r in records if r.offset < committed.get((topic, p), 0)]
        for p, records in history.partitions(topic).items()
    }
    return {p: [(r.key, history.value(r)["Value"]) for r in records] for p, records in cut.items()}


def say_what_was(history, aborted):
    counts = ", ".join(f"{output} {len(history.records(f'eos.{output}'))}" for output in ("data", *OUTPUTS))
    runner.say(f"{counts}; {aborted} records are of aborted transactions")


def set_up():
    global bench  # pylint: disable=global-statement
    places.fresh_files()
    bench = Bench()


def test_members_come_and_go():
    come_and_go = "start p1, start p2, start p3, stop p1, start p1, stop p2, stop p3, stop p1"
    bench.run([step.split() for step in come_and_go.split(", ")], SEED)
    history = bench.judge()
    say_what_was(history, bench.aborted(history))


def test_members_are_killed():
    are_killed = "start p1, start p2, start p3, kill p1, start p1, kill p1, start p1, kill p2, stop p3, stop p1"
    bench.run([step.split() for step in are_killed.split(", ")], SEED + 1)
    history = bench.judge()
    aborted = bench.aborted(history)
    say_what_was(history, aborted)
    assert aborted > 0, "no kill came in the middle of a transaction"
    bench.broker.end()


runner.main(globals(), set_up)
