"""The app of tests/fault/readings: readings go in, and what comes out for each is known."""

import os
import threading

from mrtest import checks, places
from mrtest.app import App
from mrtest.kafka import Follower, Writer
from mrtest.waiting import Not, until

PARTITIONS = 4
STAGES = {"route": ("transform", ["readings.measured"]), "totals": ("project", ["readings.keyed"])}
MEASURED, KEYED, TOTALS = "readings.measured", "readings.keyed", "readings.totals"


def readings_app(broker, files, stages=tuple(STAGES), directory=None, **properties):
    """The app, or one with other handlers, with its topics."""
    app = App(
        broker,
        files,
        {name: STAGES[name] for name in stages},
        directory or os.path.join(places.ROOT, "tests", "fault", "readings"),
        "readings",
        os.path.join(places.ROOT, "tests", "fault", "readings", "schemas"),
        **properties,
    )
    app.apply_topics()
    return app


def tasks(instance, state):
    """Numbers of an instance's tasks in a state."""
    return sorted(t["task"] for t in (instance.status() or {}).get("tasks", []) if t["state"] == state)


def shared(instances):
    """Whether each task runs in exactly one of the instances, and each of these has one."""
    have = [tasks(instance, "running") for instance in instances]
    is_shared = sorted(sum(have, [])) == list(range(PARTITIONS)) and all(have)
    return have if is_shared else Not(", ".join(f"{i.name} runs {h}" for i, h in zip(instances, have)))


def wait_shared(*instances, seconds=60):
    """[tasks of each], once all are shared among them."""
    return until("the tasks to be shared", seconds, lambda: shared(instances), 0.05)


class Readings:
    """Sends readings and remembers what must become of them."""

    def __init__(self, app, topic):
        self.app, self.topic = app, topic
        self.writer = Writer(app.bootstrap)
        self.sent = {}

    def send(self, sensor, amount):
        value = self.app.schemas.encode("Reading", {"Sensor": sensor, "Amount": amount})
        self.writer.send(self.topic, sensor.encode(), value, {})
        self.sent.setdefault(sensor, []).append(amount)

    def send_one_each(self, sensors):
        """A reading of each of so many sensors, acknowledged."""
        for number in range(sensors):
            self.send(f"sensor-{number}", number)
        self.writer.flush(180)

    def rows(self):
        """The rows that the view must hold."""
        return {(sensor,): {"Count": len(a), "Sum": sum(a)} for sensor, a in self.sent.items()}

    def check_outputs(self):
        """Each reading has changed its total once, in order."""
        verdict, history, seen, complaints = checks.Verdict(), self.app.history(), {}, []
        for record in history.records(TOTALS):
            amounts = self.sent.get(record.key, [])
            at = seen[record.key] = seen.get(record.key, 0) + 1
            wanted = {"Count": at, "Sum": sum(amounts[:at])}
            if history.value(record) != wanted:
                complaints.append(f"{record.place}: {record.key} has {history.value(record)}, {wanted} follows")
        lost = [f"{k}: {seen.get(k, 0)} totals of {len(a)}" for k, a in self.sent.items() if seen.get(k) != len(a)]
        verdict.add("totals in order", complaints)
        verdict.add("one total for each reading", lost)
        dead = [r.place for stage in self.app.stages for r in history.records(f"readings-{stage}-dlq")]
        verdict.add("dead letters", dead)
        verdict.end()

    def check_rows(self, *instances):
        """The view, of all instances together, is what was sent."""
        rows = {}
        for instance in instances:
            more = instance.rows("totals")
            assert not rows.keys() & more.keys(), f"{instance.name} has rows that another one has as well"
            rows.update(more)
        wanted = self.rows()
        wrong = [key for key in wanted.keys() | rows.keys() if wanted.get(key) != rows.get(key)]
        first = sorted(wrong)[:3]
        assert not wrong, f"{len(wrong)} rows are wrong: " + "; ".join(
            f"{key}: {rows.get(key)}, not {wanted.get(key)}" for key in first
        )


class Steady(threading.Thread):
    """Readings of some sensors at a steady rate, until it is told to end."""

    def __init__(self, readings, sensors, rate):
        super().__init__(daemon=True)
        self.readings, self.sensors, self.rate = readings, sensors, rate
        self.failure = None
        self._end = threading.Event()
        self.start()

    def run(self):
        try:
            number = 0
            while not self._end.wait(0.02):
                for _ in range(max(1, int(self.rate * 0.02))):
                    self.readings.send(f"sensor-{number % self.sensors}", number)
                    number += 1
            self.readings.writer.flush(180)
        except Exception as e:  # pylint: disable=broad-except
            self.failure = e

    def finish(self):
        """Everything it sent is acknowledged when this returns."""
        self._end.set()
        self.join(200)
        assert not self.is_alive() and self.failure is None, f"sending failed: {self.failure}"


def follow(app):
    """A reader of the totals that notes when they come."""
    return Follower(app.bootstrap, app.cluster.partitions(TOTALS), pace=0.01)


def longest_gap(follower, since, until_):
    """The longest time between two moments that a partition of the totals was silent."""
    longest = 0.0
    for partition in range(PARTITIONS):
        came = [since] + [at for at, seen in list(follower.arrivals) if partition in seen and since < at < until_]
        longest = max([longest] + [later - at for at, later in zip(came, came[1:] + [until_])])
    return longest


def first_after(follower, since, partitions):
    """When each of these partitions had its first record after that moment; None: not all had one so far."""
    came = {}
    for at, seen in list(follower.arrivals):
        for partition in seen & set(partitions) if at > since else ():
            came.setdefault(partition, at)
    return came if len(came) == len(partitions) else None
