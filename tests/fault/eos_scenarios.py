#!/usr/bin/env python3
"""The scenarios of Kafka Streams' own exactly-once integration tests, with their numbers, against a stage without state
and one with it (eos_scenarios/app.lua).

One task fails; a task is fenced; the input is transactional; two stages with other keys between them; an unclean end
wipes no state; a state with deleted rows is made again from its changelog. What its other tests show, a restore that
is stopped and one that finds nothing to do, is in integration/test_restore.py.
"""

import os
import shutil
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "support", "python"))

from mrtest import chaos, checks, places, runner, sequences  # noqa: E402

runner.need_broker()

from confluent_kafka import Producer  # noqa: E402

from mrtest.app import App, terminate  # noqa: E402
from mrtest.broker import Broker  # noqa: E402
from mrtest.kafka import Writer  # noqa: E402
from mrtest.partition import partition  # noqa: E402
from mrtest.tickets import run  # noqa: E402
from mrtest.waiting import Not, until  # noqa: E402

DIRECTORY = os.path.join(os.path.dirname(os.path.abspath(__file__)), "eos_scenarios")
PARTITIONS = 2
# One key for each partition.
KEYS = [next(k for k in map(str, range(100)) if partition(k.encode(), PARTITIONS) == p) for p in range(PARTITIONS)]
KINDS = {"copy": "transform", "sums": "project"}
# A task commits when it has read ten records, and not before. All that is committed is on disk.
BY_TEN = {"num.workers": "2", "commit.records.max": "10", "commit.interval.ms": "60s", "changelog.tail.records": "1"}
bench = None


class Bench:
    """The app on a broker of its own; each scenario says which of its stages it has."""

    def __init__(self):
        files = places.files()
        self.broker = Broker(files)
        self.app = App(
            self.broker,
            files,
            {},
            directory=DIRECTORY,
            name="scenarios",
            schemas=os.path.join(DIRECTORY, "schemas"),
        )
        self.app.apply_topics()
        self.writer = Writer(self.broker.bootstrap)

    def value(self, number):
        return None if number is None else self.app.schemas.encode("Number", {"Value": number})

    def send(self, topic, records):
        for key, number in records:
            self.writer.send(topic, key.encode(), self.value(number), {})
        self.writer.flush()

    def count(self, topic, isolation="read_committed"):
        partitions = [tp for tp in self.app.cluster.partitions(topic) if tp.topic == topic]
        return len(self.app.cluster.read(partitions, isolation=isolation))

    def wait_for(self, topic, count, isolation="read_committed"):
        """Not more either."""

        def there():
            found = self.count(topic, isolation)
            return found if found >= count else Not(f"{found} are there")

        found = until(f"{count} records on {topic}, {isolation}", 60, there)
        assert found == count, f"{topic} has {found} records, not {count}, {isolation}"


class Twice:
    """One input, read without and with state: what was sent to it, and what has to come out."""

    def __init__(self, name):
        self.name, self.sent = name, 0
        self.source, self.topics = f"scenarios.{name}.in", [f"scenarios.{name}.{kind}" for kind in ("copied", "sums")]
        bench.app.stages = {f"{name}_{what}": (kind, (self.source,)) for what, kind in KINDS.items()}

    def start(self, instance="0", **properties):
        return [bench.app.start(stage, instance, **properties) for stage in bench.app.stages]

    def next(self, count):
        """So many more numbers for each partition."""
        numbers = range(self.sent, self.sent + count)
        self.sent += count
        return [(key, number) for number in numbers for key in KEYS]

    def send(self, count):
        bench.send(self.source, self.next(count))

    def wait_for(self, count, isolation="read_committed"):
        for topic in self.topics:
            bench.wait_for(topic, count, isolation)

    def judge(self, holders):
        """Exactly what was sent comes out, in order; the rows of all who hold some are the sums."""
        history, verdict = bench.app.history(), checks.Verdict()
        inputs = {p: [(KEYS[p], number) for number in range(self.sent)] for p in range(PARTITIONS)}
        sums = sequences.running(inputs, lambda total, number: (total or 0) + number)
        for topic, wanted in zip(self.topics, (inputs, sums)):
            verdict.add(topic, sequences.same(topic, wanted, values(history, topic)))
        total = self.sent * (self.sent - 1) // 2
        rows = run.rows_of(holders, "rows")
        verdict.add("rows", checks.same_rows("rows", {(key,): {"Value": total} for key in KEYS}, rows))
        verdict.add("transactions ended", bench.app.cluster.open_transactions("scenarios"))
        verdict.end()


def values(history, topic):
    """{partition: [(key, number)]}"""
    return {
        p: [(r.key, history.value(r)["Value"]) for r in records] for p, records in history.partitions(topic).items()
    }


def wait_for_tasks(instance, count):
    def states():
        assert instance.is_running(), f"{instance.name} ended with {instance.popen.returncode}\n{instance.tail()}"
        return [task["state"] for task in (instance.status() or {}).get("tasks", [])]

    until(f"{instance.name} to run {count} tasks", 60, lambda: (s := states()) == ["running"] * count or Not(s))


def test_one_task_fails():
    """Of 50 records that are written, 40 are committed; the state is on disk and stays."""
    numbers = Twice("fails")
    running = numbers.start(**BY_TEN)
    numbers.send(10)
    numbers.wait_for(20)
    numbers.send(5)
    numbers.wait_for(30, "read_uncommitted")
    numbers.wait_for(20)
    database = chaos.identity(running[1])
    for instance in running:
        instance.kill()
    numbers.send(5)
    running = numbers.start(**BY_TEN)
    numbers.wait_for(40)
    numbers.wait_for(50, "read_uncommitted")
    numbers.judge(running[1:])
    assert chaos.identity(running[1]) == database, "the state was wiped"
    restored = chaos.restores(running[1].log)
    assert sorted(restored) == [(0, 0), (0, 0), (1, 0), (1, 0)], f"(task, restored): {restored}"
    terminate(running)


def test_a_task_is_fenced():
    """It stalls with five uncommitted records of each kind, another takes its partition over, it wakes."""
    numbers = Twice("fenced")
    impatient = {"session.timeout.ms": "3000", "transaction.timeout.ms": "8s"}
    first = numbers.start("first", **{**BY_TEN, **impatient, "num.workers": "1"})
    for instance in first:
        wait_for_tasks(instance, 2)
    second = numbers.start("second", **impatient)
    for instance in first + second:
        wait_for_tasks(instance, 1)
    numbers.send(10)
    numbers.wait_for(20)
    numbers.send(5)
    # The second commits by time.
    numbers.wait_for(30, "read_uncommitted")
    numbers.wait_for(25)
    for instance in first:
        instance.pause()
    numbers.send(5)
    for instance in second:
        wait_for_tasks(instance, 2)
    numbers.wait_for(40)
    for instance in first:
        instance.resume()
    for instance in first + second:
        wait_for_tasks(instance, 1)
    numbers.send(10)
    numbers.wait_for(60)
    numbers.wait_for(65, "read_uncommitted")
    numbers.judge([first[1], second[1]])
    terminate(first + second)


def write_transaction(producer, topic, records, end):
    producer.begin_transaction()
    for key, number in records:
        producer.produce(topic, bench.value(number), key, partition=KEYS.index(key))
    assert producer.flush(60) == 0
    end(60)


def test_the_input_is_transactional():
    """Nothing of an aborted transaction comes out; end marks and aborted records behind the last one are no lag."""
    numbers = Twice("transactional")
    running = numbers.start()
    settings = {"bootstrap.servers": bench.broker.bootstrap, "transactional.id": "test", "log_level": 0}
    producer = Producer(settings)
    producer.init_transactions(60)
    aborted = [(key, -1) for key in KEYS]
    for _ in range(2):
        write_transaction(producer, numbers.source, numbers.next(10), producer.commit_transaction)
        write_transaction(producer, numbers.source, 10 * aborted, producer.abort_transaction)
    numbers.wait_for(40)
    bench.app.settle()
    # In each partition 10 records, a mark, 10 aborted and a mark; 10, a mark, 10 aborted and a mark.
    for stage in bench.app.stages:
        rows = bench.app.ask("lag", "--stage", stage)
        assert [row["lag"] for row in rows] == [0, 0], rows
        assert all(32 <= row["position"] <= row["end"] == 44 for row in rows), rows
    # Neither an unclean nor a clean end makes anything be read again.
    for end in (lambda instance: instance.kill(), lambda instance: terminate([instance])):
        for instance in running:
            end(instance)
        running = numbers.start()
        write_transaction(producer, numbers.source, numbers.next(5), producer.commit_transaction)
        numbers.wait_for(2 * numbers.sent)
    numbers.judge(running[1:])
    terminate(running)


def test_two_stages_with_other_keys_between_them():
    bench.app.stages = {
        "rekey": ("transform", ("scenarios.numbers",)),
        "rekeyed_sums": ("project", ("scenarios.rekeyed",)),
    }
    running = bench.app.start_all()
    bench.send("scenarios.numbers", [(f"key-{n % 10}", n) for n in range(500)])
    bench.app.settle()
    history, verdict = bench.app.history(), checks.Verdict()
    inputs, rekeyed = history.records("scenarios.numbers"), history.records("scenarios.rekeyed")
    number = lambda r: history.value(r)["Value"]  # noqa: E731
    expected = lambda r: [("scenarios.rekeyed", f"rest-{number(r) % 7}", number(r))]  # noqa: E731
    verdict.add("rekeyed", checks.transformed(inputs, rekeyed, expected, number))
    sums = sequences.running(values(history, "scenarios.rekeyed"), lambda total, n: (total or 0) + n)
    topic = "scenarios.rekeyed.sums"
    verdict.add("sums", sequences.same(topic, sums, values(history, topic)))
    rows = {(f"rest-{rest}",): {"Value": sum(range(rest, 500, 7))} for rest in range(7)}
    verdict.add("rows", checks.same_rows("rows", rows, running["rekeyed_sums"].rows("rows")))
    used = {topic: len(history.partitions(topic)) for topic in ("scenarios.numbers", "scenarios.rekeyed")}
    verdict.add("more than one partition", [f"only one of {topic} has records" for topic, n in used.items() if n < 2])
    verdict.end()
    terminate(running.values())


def test_restored_from_a_changelog_with_deleted_rows():
    """Rows put, deleted, put again, deleted twice, and deleted though never there."""
    bench.app.stages = {"last": ("project", ("scenarios.updates",))}
    stage = bench.app.start("last")
    updates = [(str(n), n) for n in range(40)]
    updates += [(str(n), None) for n in range(0, 40, 2)] + [(str(n), 1000 + n) for n in range(0, 40, 4)]
    updates += [(str(n), None) for n in (2, 2, 4, 99)]
    rows = {}
    for at in range(0, len(updates), 15):
        bench.send("scenarios.updates", updates[at : at + 15])
        bench.app.settle()
        rows.update({(key,): {"Value": number} for key, number in updates[at : at + 15]})
    rows = {key: row for key, row in rows.items() if row["Value"] is not None}
    changes = bench.app.cluster.read_topics("scenarios-last-rows-changelog")["scenarios-last-rows-changelog"]
    assert any(change.value is None for change in changes), "no row's deletion is in the changelog"

    def contents():
        (said,) = [row for row in bench.app.ask("verify", "--stage", "last") if row["store"] == "rows"]
        found = stage.rows("rows")
        complaints = checks.same_rows("rows", rows, found)
        assert not complaints, "\n".join(complaints)
        assert said["digest"] == run.digest(rows), said
        return said["digest"]

    before = contents()
    assert stage.terminate() == 0, stage.tail()
    shutil.rmtree(stage.directory)
    stage = bench.app.start("last")
    stage.wait_ready()
    restored = sum(n for _, n in chaos.restores(stage.log)[PARTITIONS:])
    assert restored == len(changes), f"{restored} of {len(changes)} records were read again"
    assert contents() == before
    terminate([stage])


def set_up():
    global bench  # pylint: disable=global-statement
    places.fresh_files()
    bench = Bench()


runner.main(globals(), set_up)
