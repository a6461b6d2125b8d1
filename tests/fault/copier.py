#!/usr/bin/env python3
"""Kafka's transactions copier against millrace-transform: unique numbers are copied while copiers and brokers go down.

Two copiers take a partition of the input each and write to three; a third keeps the order of one partition. Each copier
is killed, or stopped, three times after another fifth of what it had left; or every broker is. A concurrent reader of
committed records has to see what is there in the end: each number once.

MR_COPIER_LONG=1 is Kafka's size: three brokers, 100,000 numbers (33,333 in order), 750 in a transaction.
"""

import os
import sys
import threading
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "support", "python"))

from mrtest import checks, places, runner, sequences  # noqa: E402

runner.need_broker()

from confluent_kafka import KafkaException  # noqa: E402

from mrtest.app import App, terminate  # noqa: E402
from mrtest.broker import Broker  # noqa: E402
from mrtest.feed import Feed  # noqa: E402
from mrtest.kafka import Follower  # noqa: E402
from mrtest.partition import partition  # noqa: E402
from mrtest.waiting import Not, until  # noqa: E402

DIRECTORY = os.path.join(os.path.dirname(os.path.abspath(__file__)), "copier")
LONG = bool(os.environ.get("MR_COPIER_LONG"))
NODES, NUMBERS, PER_TRANSACTION, SECONDS = (3, 100000, 750, 40) if LONG else (1, 10000, 150, 8)
BOUNCES = 3
# Of what was left to do when a copier, or the last bounce, began.
PROGRESS = 0.2
PROGRESS_SECONDS = 60
# This part is written while copiers and brokers go down, the rest when all are back, however long that took.
DISTURBED = 0.8
DISTURBANCES = ["clients_killed", "clients_stopped", "brokers_killed", "brokers_stopped"]
# Stage: partitions of its input, of its output, numbers.
COPIERS = {name: (2, 3, NUMBERS) for name in DISTURBANCES}
COPIERS.update({f"{name}_order": (1, 1, NUMBERS // 3) for name in DISTURBANCES})
PROPERTIES = {
    "commit.records.max": str(PER_TRANSACTION),
    "commit.interval.ms": "1s",
    "transaction.timeout.ms": "40s",
    # A copier that comes back in time finds its partition still its own.
    "session.timeout.ms": "30000",
}
bench = None


class Bench:
    """The app, with topics for every disturbance, on brokers of its own."""

    def __init__(self):
        files = places.files()
        self.broker = Broker(files, nodes=NODES)
        self.app = App(
            self.broker,
            files,
            {},
            directory=DIRECTORY,
            name="copier",
            schemas=os.path.join(DIRECTORY, "schemas"),
            **PROPERTIES,
        )
        self.app.apply_topics()


class Run:
    """One disturbance: its copiers, what is written for them, and who reads along."""

    def __init__(self, disturbance):
        self.app = bench.app
        self.stages = [disturbance, f"{disturbance}_order"]
        self.app.stages = {stage: ("transform", (f"copier.{stage}.in",)) for stage in self.stages}
        self.copiers = {}
        for stage in self.stages:
            for instance in map(str, range(COPIERS[stage][0])):
                self.copiers[stage, instance] = self.app.start(stage, instance)
        self.partitions = {place: self.wait_for_its_partition(place) for place in self.copiers}
        self.follower = Follower(
            self.app.bootstrap, [tp for s in self.stages for tp in self.app.cluster.partitions(f"copier.{s}.out")]
        )
        self.is_over = threading.Event()
        self.feeds = [
            Feed(self.app.bootstrap, f"copier.{s}.in", self.numbers(s), COPIERS[s][2] / SECONDS) for s in self.stages
        ]
        # How far each copier was when it was last started.
        self.began = dict.fromkeys(self.copiers, 0)

    def numbers(self, stage):
        """(key, value) of all that a stage has to copy."""
        count = COPIERS[stage][2]
        for n in range(count):
            if n == round(DISTURBED * count):
                assert self.is_over.wait(600), "nobody said that all are back"
            yield str(n).encode(), self.app.schemas.encode("Number", {"Value": n})

    # ---- Progress ----

    def wait_for_its_partition(self, place):
        copier = self.copiers[place]

        def running():
            assert copier.is_running(), f"{copier.name} ended with {copier.popen.returncode}\n{copier.tail()}"
            tasks = (copier.status() or {}).get("tasks", [])
            return [task["task"] for task in tasks if task["state"] == "running"]

        until(f"{copier.name} to have one partition", 60, lambda: len(running()) == 1 or Not(running()))
        return running()[0]

    def committed(self, place):
        """How many numbers a copier's partition has been copied of; an input has no end marks."""
        stage = place[0]
        wanted = (f"copier.{stage}.in", self.partitions[place])

        def answered():
            try:
                return (self.app.cluster.committed(f"copier-{stage}").get(wanted, 0),)
            except KafkaException as e:  # a broker that has just come back
                return Not(e)

        return until(f"the committed offset of {self.copiers[place].name}", 60, answered)[0]

    def in_all(self, place):
        """How many numbers there will be for a copier until all are back."""
        inputs, _, count = COPIERS[place[0]]
        numbers = range(round(DISTURBED * count))
        return sum(partition(str(n).encode(), inputs) == self.partitions[place] for n in numbers)

    def wait_for_progress(self, place):
        """A fifth of what it had left."""
        copier, count, began = self.copiers[place], self.in_all(place), self.began[place]

        def far_enough():
            assert all(feed.is_fine() for feed in self.feeds)
            assert copier.is_running(), f"{copier.name} ended with {copier.popen.returncode}\n{copier.tail()}"
            now = self.committed(place)
            return now - began >= PROGRESS * (count - began) or Not(f"from {began} to {now} of {count}")

        until(f"{copier.name} to copy another fifth", PROGRESS_SECONDS, far_enough, every=0.02)

    # ---- Disturbances ----

    def bounce_copier(self, place, end):
        self.wait_for_progress(place)
        end(self.copiers[place])
        self.copiers[place] = self.app.start(*place)
        self.began[place] = self.committed(place)

    def bounce_copiers(self, end):
        for _ in range(BOUNCES):
            for place in self.copiers:
                self.bounce_copier(place, end)

    def bounce_brokers(self, end):
        """Each of them; of several the next when all copiers have gone on."""
        for node in bench.broker.nodes:
            for place in self.copiers:
                self.wait_for_progress(place)
            end(node)
            bench.broker.restart(node)
            self.began = {place: self.committed(place) for place in self.copiers}

    # ---- Verdict ----

    def wait_for_the_end(self):
        self.is_over.set()
        for feed in self.feeds:
            feed.finish()
        self.app.settle(120)
        for stage in self.stages:
            count = self.app.cluster.count(f"copier.{stage}.out")
            until(f"{count} of {stage} to be read", 60, lambda s=stage, c=count: self.saw(s) >= c or Not(self.saw(s)))
        terminate(self.copiers.values())

    def saw(self, stage):
        assert self.follower.failure is None, f"the reader failed: {self.follower.failure}"
        return sum(record.topic == f"copier.{stage}.out" for record in self.follower.records)

    def judge(self):
        """How many records there are that nobody may see, if all others are as they should be."""
        self.wait_for_the_end()
        along, history, verdict = self.follower.stop(), self.app.history(), checks.Verdict()
        for stage, feed in zip(self.stages, self.feeds):
            check_copy(verdict, history, stage, feed, [r for r in along if r.topic == f"copier.{stage}.out"])
        verdict.add("transactions ended", self.app.cluster.open_transactions("copier"))
        verdict.end()
        topics = [f"copier.{stage}.out" for stage in self.stages]
        written = sum(self.app.cluster.count(topic, isolation="read_uncommitted") for topic in topics)
        return written - sum(len(history.records(topic)) for topic in topics)


def check_copy(verdict, history, stage, feed, along):
    source, topic = f"copier.{stage}.in", f"copier.{stage}.out"
    inputs, outputs = values(history, history.records(source)), values(history, history.records(topic))
    wanted, read = range(COPIERS[stage][2]), values(history, along)
    verdict.add(f"{source}: as acknowledged", sequences.written(source, feed.acknowledged, history.records(source)))
    verdict.add(f"{topic}: each number once", sequences.copied_once(topic, wanted, sum(outputs.values(), [])))
    verdict.add(f"{topic}: each once for the reader", sequences.copied_once(topic, wanted, sum(read.values(), [])))
    verdict.add(f"{topic}: what was read along", checks.seen_along(along, history.records(topic)))
    verdict.add(f"{topic}: order", sequences.in_order(topic, inputs, outputs))
    if len(outputs) == 1:
        verdict.add(f"{topic}: exact order", sequences.same(topic, inputs, outputs))
    verdict.add("no dead letters", [repr(r) for r in history.records(f"copier-{stage}-dlq")])


def values(history, records):
    """{partition: [number]}"""
    result = {}
    for record in records:
        result.setdefault(record.partition, []).append(history.value(record)["Value"])
    return result


def run(disturbance, bounce):
    """How many records were thrown away."""
    began = time.monotonic()
    one = Run(disturbance)
    bounce(one)
    aborted = one.judge()
    runner.say(f"{disturbance}: {time.monotonic() - began:.1f} s; {aborted} records are of aborted transactions")
    return aborted


def test_copiers_are_killed():
    aborted = run("clients_killed", lambda one: one.bounce_copiers(lambda copier: copier.kill()))
    assert aborted > 0, "no kill came in the middle of a transaction"


def test_copiers_are_stopped():
    aborted = run("clients_stopped", lambda one: one.bounce_copiers(lambda copier: terminate([copier])))
    assert aborted == 0, f"{aborted} records were thrown away by copiers that ended in order"


def test_brokers_are_killed():
    run("brokers_killed", lambda one: one.bounce_brokers(bench.broker.kill))


def test_brokers_are_stopped():
    run("brokers_stopped", lambda one: one.bounce_brokers(bench.broker.stop))


def set_up():
    global bench  # pylint: disable=global-statement
    places.fresh_files()
    bench = Bench()


runner.main(globals(), set_up)
