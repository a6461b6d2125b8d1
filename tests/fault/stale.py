#!/usr/bin/env python3
"""State directories that are older than their changelogs keep deletions: the rows are not gone on with, or what was
deleted would come back.

Method: a state directory is put aside, rows are deleted, and the broker's cleaner removes the deletions from the
changelogs. Then the old directory is put back, as of a host that was down for days: for a start, and for a standby.
"""

import os
import re
import shutil
import sys
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "support", "python"))

from mrtest import chaos, checks, places, runner  # noqa: E402

runner.need_broker()

from confluent_kafka.admin import AlterConfigOpType, ConfigEntry, ConfigResource, ResourceType  # noqa: E402

from mrtest.app import App, Instance, terminate  # noqa: E402
from mrtest.broker import Broker  # noqa: E402
from mrtest.kafka import Writer  # noqa: E402
from mrtest.tickets import run  # noqa: E402
from mrtest.waiting import Not, until  # noqa: E402

DIRECTORY = os.path.join(os.path.dirname(os.path.abspath(__file__)), "eos_scenarios")
STAGE, CHANGELOG, PARTITIONS = "last", "scenarios-last-rows-changelog", 2
ROWS = 200
DROPPED = re.compile(r"task (\d+): the state on disk has read changelog (\S+) to .*\(delete\.retention\.ms=(\d+)\)")
case = None


class Case:
    """The app, the rows that its view must have, and an old state directory."""

    def __init__(self):
        files = places.fresh_files()
        self.broker = Broker(files)
        self.app = App(
            self.broker,
            files,
            {STAGE: ("project", ("scenarios.updates",))},
            directory=DIRECTORY,
            name="scenarios",
            schemas=os.path.join(DIRECTORY, "schemas"),
            **{"session.timeout.ms": "3000"},
        )
        self.app.apply_topics()
        self.writer, self.rows, self.number = Writer(self.broker.bootstrap), {}, 0
        self.old = os.path.join(files, "old")

    def send(self, keys, number):
        """Rows of these keys, or their deletion."""
        value = None if number is None else self.app.schemas.encode("Number", {"Value": number})
        for key in keys:
            self.writer.send("scenarios.updates", key.encode(), value, {})
            self.rows.pop((key,), None)
            if number is not None:
                self.rows[(key,)] = {"Value": number}
        self.writer.flush()

    def directory(self, instance="0"):
        return Instance(self.app, STAGE, instance).directory

    def start(self, instance="0", standby=False):
        stage = self.app.start(STAGE, instance, standby=standby)
        if not standby:
            stage.wait_ready()
        return stage

    def put_back(self, instance="0"):
        shutil.rmtree(self.directory(instance), ignore_errors=True)
        shutil.copytree(self.old, self.directory(instance))

    def set(self, kind, name, **settings):
        entries = [
            ConfigEntry(key.replace("_", "."), str(value), incremental_operation=AlterConfigOpType.SET)
            for key, value in settings.items()
        ]
        resource = ConfigResource(kind, name, incremental_configs=entries)
        for future in self.app.cluster.admin.incremental_alter_configs([resource]).values():
            future.result(30)

    def changes(self):
        return self.app.cluster.read_topics(CHANGELOG)[CHANGELOG]

    def check_rows(self, stage):
        (said,) = [row for row in self.app.ask("verify", "--stage", STAGE) if row["store"] == "rows"]
        complaints = checks.same_rows("rows", self.rows, stage.rows("rows"))
        assert not complaints, "\n".join(complaints[:3])
        assert said["digest"] == run.digest(self.rows), said


def dropped(stage):
    """{task: delete.retention.ms} of what it did not go on with."""
    return {int(task): int(kept) for task, topic, kept in DROPPED.findall(stage.output()) if topic == CHANGELOG}


def test_a_young_tail_is_gone_on_with():
    """A directory from before the deletions; the changelogs still have them."""
    stage = case.start()
    case.send([f"row-{n}" for n in range(ROWS)], 1)
    case.app.settle()
    terminate([stage])
    shutil.copytree(case.directory(), case.old)
    before = len(case.changes())
    stage = case.start()
    case.send([f"row-{n}" for n in range(0, ROWS, 2)], None)
    case.app.settle()
    stage.kill()
    case.put_back()
    stage = case.start()
    restored = [n for _, n in chaos.restores(stage.log)[-PARTITIONS:]]
    assert sum(restored) == len(case.changes()) - before == ROWS // 2, restored
    assert not dropped(stage), stage.tail()
    case.check_rows(stage)
    terminate([stage])


def clean():
    """Has the cleaner remove the deletions of rows, which takes it two rounds."""

    def is_clean():
        case.number += 1
        case.send([f"more-{n}" for n in range(10)], case.number)  # a segment is closed by what comes later
        left = [c for c in case.changes() if c.value is None]
        return True if not left else Not(f"{len(left)} deletions are in the changelog")

    until("the deletions to be cleaned away", 120, is_clean, 0.5)
    case.app.settle()


def test_an_old_tail_is_not_gone_on_with():
    case.set(ResourceType.BROKER, "1", log_cleaner_backoff_ms=100)
    case.set(
        ResourceType.TOPIC,
        CHANGELOG,
        delete_retention_ms=1000,
        segment_ms=500,
        min_cleanable_dirty_ratio=0.01,
    )
    stage = case.start()
    clean()
    case.check_rows(stage)
    stage.kill()
    case.put_back()
    stage = case.start()
    case.check_rows(stage)
    assert dropped(stage) == {task: 1000 for task in range(PARTITIONS)}, stage.tail()
    terminate([stage])


def test_after_a_clean_stop_nothing_is_asked():
    """However old the end is: what follows the last record is the mark of its transaction."""
    stage = case.start()
    case.send([f"last-{n}" for n in range(10)], 1)
    case.app.settle()
    terminate([stage])
    ends = {r.partition: r.time for r in case.changes()}
    until("the ends to be old", 30, lambda: time.time() * 1000 > max(ends.values()) + 3000)
    stage = case.start()
    assert not dropped(stage), stage.tail()
    assert [n for _, n in chaos.restores(stage.log)[-PARTITIONS:]] == [0] * PARTITIONS, stage.tail()
    terminate([stage])


def test_a_standby_does_not_go_on_with_it():
    owner = case.start("1")
    case.put_back()
    standby = case.start(standby=True)
    standby.wait_for_line(": joining the group", 60)
    owner.kill()
    until("the standby to have all tasks", 60, lambda: tasks_of(standby))
    case.check_rows(standby)
    assert dropped(standby) == {task: 1000 for task in range(PARTITIONS)}, standby.tail()
    terminate([standby])


def tasks_of(stage):
    states = [t["state"] for t in (stage.status() or {}).get("tasks", [])]
    return states == ["running"] * PARTITIONS or Not(states)


def set_up():
    global case  # pylint: disable=global-statement
    case = Case()


runner.main(globals(), set_up)
