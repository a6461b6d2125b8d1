#!/usr/bin/env python3
"""--standby: an instance that keeps warm copies of the others' tasks restores next to nothing when it takes them over.

The same takeover is done by a standby and by an instance whose disk is empty. Records are what is asserted; the times
are printed: from the kill to the first new output, most of which is the session timeout that both wait for, and what
the restore has of it.
"""

import datetime
import os
import re
import sys
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "support", "python"))

from mrtest import places, runner  # noqa: E402

runner.need_broker()

from mrtest.app import terminate  # noqa: E402
from mrtest.broker import Broker  # noqa: E402
from mrtest.chaos import identity, restores  # noqa: E402
from mrtest.readings import (  # noqa: E402
    KEYED,
    PARTITIONS,
    Readings,
    Steady,
    first_after,
    follow,
    readings_app,
    tasks,
    wait_shared,
)
from mrtest.waiting import Not, until  # noqa: E402

SENSORS = int(os.environ.get("MR_STANDBY_SENSORS", "200000"))
LIVE, RATE, SESSION = 400, 400, 3.0
WARM_LAG = 10000  # of common/runtime/follower_impl.h
GIVEN_OR_READY = re.compile(r"^(\S+)Z info .*: (assigned partitions=[1-9]|task \d+: ready )", re.M)
IMPATIENT = {"session.timeout.ms": "3000", "transaction.timeout.ms": "3s"}
stage = None


def restore_seconds(heir):
    """From when its log says that it was given tasks the last time to when all of them were complete."""
    given = ready = None
    for at, what in GIVEN_OR_READY.findall(heir.output()):
        if what.startswith("assigned"):
            given = datetime.datetime.fromisoformat(at)
        else:
            ready = datetime.datetime.fromisoformat(at)
    return (ready - given).total_seconds()


class Totals:
    """The app with its state; `owner` and `second` share the tasks in the end."""

    def __init__(self, name, sensors, **properties):
        files = os.path.join(places.files(), name)
        os.makedirs(files)
        self.app = readings_app(Broker(files), files, ["totals"], **IMPATIENT, **properties)
        self.readings = Readings(self.app, KEYED)
        self.follower = follow(self.app)
        self.owner = self.app.start("totals", "0")
        self.readings.send_one_each(sensors)
        self.owner.wait_ready()
        self.app.settle()

    def start_standby(self, instance, *others):
        """One that is warm, has its part of the tasks and follows the rest."""
        standby = self.app.start("totals", instance, standby=True)
        standby.wait_for_line(": joining the group", 60)
        wait_shared(standby, *others)
        self.wait_followed(standby)
        return standby

    def wait_followed(self, standby):
        """Until it has all that there is of all other tasks; their status."""

        def is_followed():
            followed = [t for t in (standby.status() or {}).get("tasks", []) if t["state"] == "standby"]
            done = len(followed) == PARTITIONS - len(tasks(standby, "running"))
            done = done and followed and all(0 <= t["restore_remaining"] <= RATE for t in followed)
            return followed if done else Not(followed)

        return until(f"{standby.name} to follow", 60, is_followed)

    def take_over(self, victim, heir, under_load):
        """Kills one; (records that the heir restored, seconds of the restore, seconds from the kill to when each task
        that moved has output again).

        Idle, nothing but the session is waited for; under load also for the transaction that is left.
        """
        moved, before = tasks(victim, "running"), len(restores(heir.log))
        if under_load:
            steady = Steady(self.readings, LIVE, RATE)
            later = time.monotonic() + 1  # of the load are whole commits by then
            until("outputs", 30, lambda: first_after(self.follower, later, range(PARTITIONS)))
        killed = time.monotonic()
        victim.kill()
        if not under_load:
            steady = Steady(self.readings, LIVE, RATE)
        came = until("new outputs", 90, lambda: first_after(self.follower, killed + SESSION / 2, moved), 0.02)
        wait_shared(heir)
        steady.finish()
        self.app.settle()
        restored = [n for task, n in restores(heir.log)[before:] if task in moved]
        assert len(restored) == len(moved), heir.tail()
        return sum(restored), restore_seconds(heir), max(came.values()) - killed


def test_a_standby_is_seen():
    global stage  # pylint: disable=global-statement
    stage = Totals("exactly-once", SENSORS)
    stage.second = stage.start_standby("1", stage.owner)
    said = stage.second.output()
    assert 0 <= said.find("standby: warm remaining=") < said.find("assigned partitions="), said
    at_first = sum(n for _, n in restores(stage.second.log))
    assert at_first < WARM_LAG, f"{at_first} records were not read yet when it took tasks from a warm member"
    followed = {t["task"] for t in stage.wait_followed(stage.second)}
    assert followed == set(tasks(stage.owner, "running")), followed
    said = stage.app.ask("status", "totals")
    states = {(row["address"], row["task"]): row["state"] for row in said}
    assert {states[stage.second.address(), task] for task in followed} == {"standby"}, said
    assert stage.app.ask("status")[-1]["tasks"] == PARTITIONS, "tasks are counted twice"
    _, metrics = stage.second.get("/metrics")
    for task in followed:
        assert f'millrace_standby_lag_records{{task="{task}"}} ' in metrics, metrics
        assert f'millrace_task_position{{task="{task}"}}' not in metrics, metrics
    stage.readings.check_rows(stage.owner, stage.second)  # a standby does not answer for what it follows


def test_a_standby_that_is_killed_goes_on_where_it_was():
    steady = Steady(stage.readings, LIVE, RATE)
    was = identity(stage.second)
    stage.second.kill()
    stage.second = stage.start_standby("1", stage.owner)
    again = sum(t["restored"] for t in stage.wait_followed(stage.second))
    steady.finish()
    assert again < SENSORS / 10, f"{again} records were read again"
    assert identity(stage.second) == was
    runner.say(f"a standby that was killed read {again} records of {SENSORS}")


def test_a_takeover_restores_what_is_missing():
    """The first by a standby, the second by one that has nothing: the same tasks, and as many, move."""
    warm = stage.take_over(stage.owner, stage.second, under_load=False)
    assert warm[0] < RATE, f"a standby restored {warm[0]} records"
    stage.readings.check_rows(stage.second)
    stage.third = stage.app.start("totals", "2")
    wait_shared(stage.second, stage.third)
    cold = stage.take_over(stage.second, stage.third, under_load=False)
    assert cold[0] > SENSORS / 4, f"{cold[0]} records cannot be half of {SENSORS} rows"
    runner.say(
        f"takeover: standby {warm[0]} records in {warm[1]:.2f} s, cold {cold[0]} records in {cold[1]:.2f} s; "
        f"from kill to output {warm[2]:.2f} s and {cold[2]:.2f} s, session timeout {SESSION:g} s"
    )


def test_a_takeover_under_load():
    """By a former owner, which follows from where it was killed."""
    stage.owner = stage.start_standby("0", stage.third)
    restored, *_ = stage.take_over(stage.third, stage.owner, under_load=True)
    assert restored < RATE, f"a standby restored {restored} records"
    stage.readings.check_rows(stage.owner)
    stage.readings.check_outputs()
    terminate([stage.owner])


def test_a_standby_at_least_once():
    """Rows of commits are followed whole; states are exact."""
    own = Totals("at-least-once", SENSORS // 10, **{"processing.guarantee": "at_least_once"})
    own.second = own.start_standby("1", own.owner)
    restored, *_ = own.take_over(own.owner, own.second, under_load=True)
    # The last commit is held back until it is known to be whole.
    assert restored < RATE, f"a standby restored {restored} records"
    own.readings.check_rows(own.second)
    terminate([own.second])


def test_a_stateless_stage_has_none():
    app = stage.app
    app.stages["route"] = ("transform", [])
    refused = app.start("route", "0", standby=True)
    assert refused.wait(30) == 2, refused.tail()
    assert re.search("--standby: stage 'route' is of kind transform, which keeps no state", refused.output())


runner.main(globals(), places.fresh_files)
