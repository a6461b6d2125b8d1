#!/usr/bin/env python3
"""A restore under way: what is seen of it from outside, and that after SIGKILL it goes on where it was.

The rows of a view are written to its changelog by hand, as a processor commits them. A transaction that is left open
behind them holds the restore up just before its end, for as long as the test likes.
"""

import os
import re
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "support", "python"))

from mrtest import places, runner  # noqa: E402

runner.need_broker()

from confluent_kafka import Producer  # noqa: E402

from mrtest.app import terminate  # noqa: E402
from mrtest.broker import Broker  # noqa: E402
from mrtest.tickets import run  # noqa: E402
from mrtest.waiting import Not, until  # noqa: E402

CHANGELOG = "tickets-users-users-changelog"
# More than a restore may have in memory of `memory.budget`, so that a part is on disk before the rest is read.
ROWS, TEXT, BUDGET = 12000, "x" * 1000, "16m"
# Behind the rows: the end mark of their transaction and the record of the one that is open.
HELD_UP = 2
held = None


class Held:
    """The app, the rows in task 0's changelog, and the open transaction behind them."""

    def __init__(self):
        files = places.fresh_files()
        self.broker = Broker(files)
        self.app = run.tickets_app(self.broker, files, **{"memory.budget": BUDGET})
        self.app.apply_topics()
        self.users = {f"u{number}": self._row(f"u{number}") for number in range(ROWS)}
        self.producer = Producer(
            {
                "bootstrap.servers": self.broker.bootstrap,
                "transactional.id": "test",
                "transaction.timeout.ms": 600000,
                "log_level": 0,
            }
        )
        self.producer.init_transactions(60)
        self._begin(self.users)
        self.producer.commit_transaction(60)
        self._begin({"late": self._row("late")})
        self.stage = None

    @staticmethod
    def _row(user):
        return {"Id": user, "FullName": TEXT, "Email": "", "Created": 1, "LastAuthenticated": None, "Authentications": 0}

    def _begin(self, users):
        self.producer.begin_transaction()
        for user, row in users.items():
            key = b"\x02" + user.encode() + b"\x00"
            self.producer.produce(CHANGELOG, self.app.schemas.encode("UserRow", row), key, partition=0)
            self.producer.poll(0)
        assert self.producer.flush(60) == 0

    def start(self):
        self.stage = self.app.start("users")

    def tasks(self):
        """The tasks as /status has them, by number."""
        assert self.stage.is_running(), self.stage.tail()
        return sorted((self.stage.status() or {}).get("tasks", []), key=lambda task: task["task"])

    def wait_held_up(self):
        """Task 0 when all that can be read is read."""

        def is_held_up():
            tasks = self.tasks()
            return tasks[0] if tasks and tasks[0]["restore_remaining"] == HELD_UP else Not(tasks)

        return until("task 0 to be held up", 60, is_held_up)


def test_a_restore_under_way_is_seen():
    held.start()
    task = held.wait_held_up()
    assert (task["state"], task["restored"]) == ("restoring", ROWS), task
    # The others do not wait for it.
    until("the other tasks to run", 60, lambda: [t["state"] for t in held.tasks()] == ["restoring"] + 3 * ["running"])
    assert not held.stage.is_ready()
    assert [t["restore_remaining"] for t in held.tasks()] == [HELD_UP, 0, 0, 0], held.tasks()
    _, metrics = held.stage.get("/metrics")
    for line in (
        f'millrace_task_restored_records_total{{task="0"}} {ROWS}',
        f'millrace_task_restore_remaining_records{{task="0"}} {HELD_UP}',
        'millrace_task_restore_remaining_records{task="1"} 0',
    ):
        assert line in metrics.splitlines(), f"/metrics lacks {line}:\n{metrics}"
    said = {row["task"]: row for row in held.app.ask("status", "users")}
    assert said[0]["state"] == "restoring" and said[0]["restored"] == ROWS, said[0]
    assert said[0]["restore_remaining"] == HELD_UP, said[0]
    held.stage.wait_for_line(rf"task 0: restoring restored={ROWS} remaining={HELD_UP} records_per_second=\d+$", 30)


def goes_on_where_it_was():
    held.start()
    task = held.wait_held_up()
    assert 0 < task["restored"] < ROWS, f"of {ROWS} records {task['restored']} were read again"


def test_a_killed_restore_goes_on_where_it_was():
    held.stage.kill()
    goes_on_where_it_was()


def test_a_restore_that_is_stopped_goes_on_where_it_was():
    assert held.stage.terminate() == 0, held.stage.tail()
    goes_on_where_it_was()
    held.producer.abort_transaction(60)
    held.stage.wait_ready()
    rows = held.stage.rows("users")
    assert rows == {(user,): row for user, row in held.users.items()}, f"{len(rows)} rows"
    assert held.tasks()[0]["restore_remaining"] == 0


def test_after_a_clean_stop_nothing_is_restored():
    assert held.stage.terminate() == 0, held.stage.tail()
    held.start()
    held.stage.wait_ready()
    found = re.findall(r"task \d: ready restored=(\d+)", held.stage.output())
    assert found == ["0"] * 4, found


def test_what_stays_after_a_rebalance_has_nothing_remaining():
    other = held.app.start("users", "1")

    def are_shared():
        states = [[t["state"] for t in (one.status() or {}).get("tasks", [])] for one in (held.stage, other)]
        return sorted(states[0] + states[1]) == ["running"] * 4 and all(states) or Not(states)

    until("two instances to run all tasks", 60, are_shared)
    assert all(t["restore_remaining"] == 0 for t in held.tasks()), held.tasks()
    terminate([held.stage, other])


def set_up():
    global held  # pylint: disable=global-statement
    held = Held()


runner.main(globals(), set_up)
