#!/usr/bin/env python3
"""Exactly once while every processor is killed with SIGKILL at random moments, over and over.

MR_KILL_COMMANDS (20000) commands over several hundred aggregates go through the tickets app on a real
broker; every stage is an own process and is killed MR_KILL_TIMES (10) times or more within
MR_KILL_SECONDS (100), now and then all of them at once. MR_KILL_SEED (1) says when. Afterwards all of
it is compared with the rules, and the records that restarts restored show that no state was wiped.
"""

import os
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "support", "python"))

from mrtest import checks, places, runner  # noqa: E402

runner.need_broker()

from mrtest.app import terminate  # noqa: E402
from mrtest.broker import Broker  # noqa: E402
from mrtest.chaos import Killer, restores  # noqa: E402
from mrtest.tickets import run, topology  # noqa: E402
from mrtest.tickets.traffic import Traffic  # noqa: E402

COMMANDS = int(os.environ.get("MR_KILL_COMMANDS", "20000"))
TIMES = int(os.environ.get("MR_KILL_TIMES", "10"))
SECONDS = int(os.environ.get("MR_KILL_SECONDS", "75"))
SEED = int(os.environ.get("MR_KILL_SEED", "1"))
# More settings for the processors: "num.workers=2,commit.interval.ms=10ms".
SETTINGS = dict(pair.split("=", 1) for pair in os.environ.get("MR_KILL_SETTINGS", "").split(",") if pair)
# A restart reads at most this much of a changelog partition: flushes come after TAIL changed rows,
# and while one is under way more are written.
TAIL = 200
MOST_RESTORED = 1200


def count_restores(app, history_of_changelogs):
    """(who, records, of how many) for every start of every task."""
    found = []
    for stage in topology.STATEFUL:
        sizes = {}
        for topic, records in history_of_changelogs.items():
            if topic.startswith(f"tickets-{stage}-"):
                for record in records:
                    sizes[record.partition] = sizes.get(record.partition, 0) + 1
        for task, n in restores(os.path.join(app.files, "logs", f"{stage}.0.log")):
            found.append((f"{stage} task {task}", n, sizes.get(task, 0)))
    return found


def test_exactly_once_under_kills():
    files = places.fresh_files()
    broker = Broker(files)
    app = run.tickets_app(broker, files, **{"changelog.tail.records": str(TAIL), **SETTINGS})
    app.apply_topics()
    running = app.start_all()
    follower = run.follow(app)
    commands = Traffic(SEED).commands(COMMANDS)
    runner.say(f"seed {SEED}: {COMMANDS} commands, {TIMES} kills of each of {len(running)} stages in {SECONDS} s")

    killer = Killer(app, running, TIMES, SECONDS, SEED, os.path.join(files, "kills.log"))
    killer.note_identities()
    sender = run.Sender(broker.bootstrap, commands, SECONDS)
    killer.run()
    sender.finish()
    for stage in running.values():
        stage.wait_ready(60)
    runner.say(f"{killer.kills()} kills, {killer.unready} of them before the stage was ready")
    app.settle(180)
    wiped = killer.note_identities()
    assert not wiped, "\n".join(wiped)

    history = run.check(app, running, follower)
    committed = sum(len(records) for name, records in history.topics.items() if name.startswith(topology.PREFIX))
    aborted = app.cluster.count(topology.PREFIX, isolation="read_uncommitted") - committed
    runner.say(f"{committed} records are committed, {aborted} more were written in transactions that a kill cut off")
    assert aborted > 0, "no kill came in the middle of a transaction"
    found = count_restores(app, app.cluster.read_topics("tickets-", "-changelog"))
    complaints = checks.restored_little(found, MOST_RESTORED)
    assert not complaints, "\n".join(complaints)
    largest = max(found, key=lambda row: row[2])
    assert (
        largest[2] > 2 * MOST_RESTORED
    ), f"the longest changelog has {largest[2]} records: too few to tell a wipe from a tail"
    runner.say(
        f"{len(found)} task starts restored at most {max(n for _, n, _ in found)} records; "
        f"the longest changelog partition has {largest[2]}"
    )

    terminate(running.values())


runner.main(globals())
