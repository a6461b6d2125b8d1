#!/usr/bin/env python3
"""Instances come, go, restart, hang and are replaced under load: nothing is lost, doubled, or owned by two.

What is printed is the longest time that a partition of the output was silent while the group changed: what a user
waits. A member that ends says nothing to the group (static membership), so its session timeout is a part of it.
"""

import os
import re
import shutil
import sys
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "support", "python"))

from mrtest import places, runner  # noqa: E402

runner.need_broker()

from mrtest.app import terminate  # noqa: E402
from mrtest.broker import Broker  # noqa: E402
from mrtest.chaos import restores  # noqa: E402
from mrtest.readings import (  # noqa: E402
    KEYED,
    MEASURED,
    PARTITIONS,
    Readings,
    Steady,
    first_after,
    follow,
    longest_gap,
    readings_app,
    tasks,
    wait_shared,
)
from mrtest.waiting import Not, until  # noqa: E402

SENSORS, RATE = 40, 400
IMPATIENT = {"session.timeout.ms": "3000", "transaction.timeout.ms": "3s"}


class Load:
    """The app with some instances of its stages, readings that come all the time, and a look at the totals."""

    def __init__(self, name, stages, instances, directory=None, environment=None, **properties):
        files = os.path.join(places.files(), name)
        os.makedirs(files)
        self.broker = Broker(files)
        self.app = readings_app(self.broker, files, stages, directory, **{**IMPATIENT, **properties})
        self.readings = Readings(self.app, MEASURED if "route" in stages else KEYED)
        self.follower = follow(self.app)
        self.running = {s: {i: self.app.start(s, i, environment) for i in instances} for s in stages}
        for stage in stages:
            self.shared(stage)
        self.steady = Steady(self.readings, SENSORS, RATE)
        self.wait_output(time.monotonic())

    def shared(self, stage="totals"):
        """[tasks of each instance], once all are shared."""
        return wait_shared(*self.running[stage].values())

    def wait_output(self, since):
        """Until each partition of the totals went on after that moment."""
        until("all totals to go on", 90, lambda: first_after(self.follower, since, range(PARTITIONS)), 0.02)

    def gap(self, since):
        """The longest silence since then, once all goes on."""
        now = time.monotonic()
        self.wait_output(now)
        return longest_gap(self.follower, since, time.monotonic())

    def finish(self):
        """All is there once, and every view is what it must be."""
        self.steady.finish()
        self.app.settle()
        self.readings.check_outputs()
        self.readings.check_rows(*self.running["totals"].values())
        terminate([one for stage in self.running.values() for one in stage.values()])
        self.broker.end()


def test_one_three_one():
    """Of a stateless and a stateful stage at once."""
    load = Load("scaled", ["route", "totals"], ["0"])
    since = time.monotonic()
    for stage, instances in load.running.items():
        instances.update({i: load.app.start(stage, i) for i in ("1", "2")})
    for stage in load.running:
        load.shared(stage)
    up, since = load.gap(since), time.monotonic()
    for instances in load.running.values():
        terminate([instances.pop("1"), instances.pop("2")])
    for stage in load.running:
        load.shared(stage)
    down = load.gap(since)
    load.finish()
    runner.say(f"longest gap: 1 to 3 instances {up:.2f} s, 3 to 1 {down:.2f} s (session timeout 3 s)")


def test_a_rolling_restart_moves_no_task():
    load = Load("rolling", ["totals"], ["0", "1", "2"], **{"session.timeout.ms": "30000"})
    before = load.shared()
    gaps = []
    for name in ("0", "1", "2"):
        old = load.running["totals"][name]
        others = [one for one in load.running["totals"].values() if one is not old]
        counted = [one.status()["rebalances"] for one in others]
        had, restored, since = tasks(old, "running"), len(restores(old.log)), time.monotonic()
        terminate([old])
        new = load.running["totals"][name] = load.app.start("totals", name)
        has = lambda n=new, h=had: tasks(n, "running") == h or Not(tasks(n, "running"))  # noqa: E731
        until(f"{new.name} to have {had}", 60, has)
        gaps.append(load.gap(since))
        assert load.shared() == before, f"tasks have moved from {before} to {load.shared()}"
        assert [one.status()["rebalances"] for one in others] == counted, "the others were rebalanced"
        again = restores(new.log)[restored:]
        assert sorted(again) == [(task, 0) for task in had], f"restored after a clean stop: {again}"
    load.finish()
    runner.say(f"longest gap: rolling restart {max(gaps):.2f} s")


def hanging_app(files):
    """The app with handlers in C for the totals, which hang where an instance is told to."""
    directory = os.path.join(files, "hanging-app")
    schemas = os.path.join(places.ROOT, "tests", "fault", "readings", "schemas")
    shutil.copytree(schemas, os.path.join(directory, "schemas"))
    with open(os.path.join(directory, "app.lua"), "w", encoding="utf-8") as f:
        f.write(
            f"""
local totals = {{
  kind = "project", from = "readings.keyed", input = "Reading", versioned = false,
  stores = {{ totals = {{ key = "string", value = "Total", topic = "readings.totals" }} }},
  native = "{os.path.join(places.build(), "tests", "fault", "hang.so")}",
}}
return {{ name = "readings", schemas = "schemas", partitions = {PARTITIONS}, stages = {{ totals = totals }},
  topics = {{ ["readings.totals"] = {{ compact = false, retention = "forever" }} }} }}
"""
        )
    return directory


def test_a_member_that_hangs_loses_its_tasks():
    """Its worker does, in a handler; its poll thread and its heartbeats go on."""
    directory = hanging_app(places.files())
    load = Load("hanging", ["totals"], ["0"], directory, **{"max.poll.interval.ms": "4s"})
    bad = load.running["totals"]["1"] = load.app.start("totals", "1", {"MR_TEST_HANG": "poison"})
    load.shared()
    since = time.monotonic()
    for number in range(10 * PARTITIONS):  # so that some are its own, whatever tasks it has
        load.readings.send(f"poison-{number}", number)
    assert bad.wait(60) == 1, bad.tail()
    assert re.search(r"a worker made no progress for max.poll.interval.ms=4000: its tasks go", bad.output()), bad.tail()
    del load.running["totals"]["1"]
    load.shared()
    gap = load.gap(since)
    load.finish()
    runner.say(f"longest gap: a member that hangs {gap:.2f} s (max.poll.interval.ms 4 s, session timeout 3 s)")


def test_one_of_three_is_replaced():
    load = Load("replaced", ["totals"], ["0", "1", "2"])
    said = []
    for old, new in (("1", "1"), ("2", "3")):
        victim, since = load.running["totals"].pop(old), time.monotonic()
        victim.kill()
        load.running["totals"][new] = load.app.start("totals", new)
        load.shared()
        said.append(f"{load.gap(since):.2f} s with {'the same' if old == new else 'a new'} group.instance.id")
    load.finish()
    runner.say(f"longest gap: one of three is killed and replaced: {', '.join(said)} (session timeout 3 s)")


runner.main(globals(), places.fresh_files)
