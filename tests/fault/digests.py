#!/usr/bin/env python3
"""The digest law: the same input leaves the same digest in every store of the tickets app, whatever has happened.

Live = restored = rebuilt = replayed = with 1, 2, 3 instances of every stage = after any history of crashes. The commands are the same bytes
each time, on a fresh broker; mrtest/tickets/phased.py says why nothing in them depends on who is faster. MR_DIGEST_LONG=1
adds to the short form: 2 instances, two more histories of crashes. MR_DIGEST_SEED (1), MR_DIGEST_COMMANDS (2000).
"""

import os
import shutil
import sys
import threading
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "support", "python"))

from mrtest import broker, checks, places, runner  # noqa: E402

runner.need_broker()

from mrtest.app import Instance, terminate  # noqa: E402
from mrtest.broker import Broker  # noqa: E402
from mrtest.chaos import Killer  # noqa: E402
from mrtest.tickets import run, topology  # noqa: E402
from mrtest.tickets.phased import Phased  # noqa: E402
from mrtest.waiting import Not, until  # noqa: E402

SEED = int(os.environ.get("MR_DIGEST_SEED", "1"))
COMMANDS = int(os.environ.get("MR_DIGEST_COMMANDS", "2000"))
LONG = os.environ.get("MR_DIGEST_LONG") == "1"
KILLS, KILL_SECONDS = 2, 16
VIEWS = [stage for stage in topology.STATEFUL if topology.STAGES[stage][0] == "project"]
# A restart reads at most so much of a changelog again, so that crashes meet rows on the disk, too.
PROPERTIES = {"changelog.tail.records": "200"}


class Contents:
    """What is in all stores: {(stage, store): digest by `millrace verify`}, {(stage, store): rows} over HTTP."""

    def __init__(self, app, stages):
        """`stages` is {stage: [Instance]} of what runs."""
        self.digests = run.digests(app)
        self.rows = {(stage, store): run.rows_of(stages[stage], store) for stage, store in run.stores()}


def differences(expected, digests, rows=None):
    """Which stores are not what they should be, and how; without `rows` only which."""
    complaints = []
    for place in sorted(set(expected.digests) | set(digests)):
        wanted, got = expected.digests.get(place), digests.get(place)
        if wanted != got:
            complaints.append(f"{'.'.join(place)} has the digest {got}, live it is {wanted}")
            if rows is not None and place in rows:
                complaints += checks.same_rows(".".join(place), expected.rows[place], rows[place])[:5]
    return complaints


def begin(name):
    """The app on a broker of its own."""
    files = os.path.join(places.files(), name.replace(" ", "-"))
    app = run.tickets_app(Broker(files), files, **PROPERTIES)
    app.apply_topics()
    return app


def send(app):
    """All commands; a phase begins when the one before is worked off."""
    for commands in Phased(SEED, run.PARTITIONS).phases(COMMANDS):
        run.send_all(app, commands)
        app.settle(240)


def one_each(running):
    return {name: [stage] for name, stage in running.items()}


# ---- Runs of their own ----


def crashed(app, seed):
    """Every stage is killed a few times, all of them at once among others."""
    running = app.start_all()
    killer = Killer(app, running, KILLS, KILL_SECONDS, seed, os.path.join(app.files, "kills.log"))
    sender = threading.Thread(target=send, args=(app,), daemon=True)
    sender.start()
    killer.run(power_failures=1)
    during = sender.is_alive()
    sender.join(300)
    assert not sender.is_alive(), "the commands were not worked off"
    runner.say(
        f"{killer.kills()} kills with seed {seed}, {'all' if during else 'not all'} while commands were worked off"
    )
    for stage in running.values():
        stage.wait_ready()
    app.settle()
    contents = Contents(app, one_each(running))
    terminate(running.values())
    return contents


def instances(app, count):
    """So many processes a stage."""
    supervisor = app.run("--instances", str(count))
    supervisor.wait_for_line("^ready$", 180)
    send(app)
    contents = Contents(app, {stage: [Instance(app, stage, str(n)) for n in range(count)] for stage in app.stages})
    assert supervisor.terminate() == 0, supervisor.tail()
    return contents


RUNS = {"3 instances": lambda app: instances(app, 3), "crashes 1": lambda app: crashed(app, 1)}
if LONG:
    RUNS["2 instances"] = lambda app: instances(app, 2)
    RUNS["crashes 2"] = lambda app: crashed(app, 2)
    RUNS["crashes 3"] = lambda app: crashed(app, 3)


# ---- The live run, and what is made again from its topics ----


def live(app):
    """The stages as one process each, undisturbed; nothing runs in the end."""
    running = app.start_all()
    send(app)
    run.check(app, running)
    contents = Contents(app, one_each(running))
    empty = [place for place, rows in contents.rows.items() if not rows]
    assert not empty, f"the traffic leaves these stores empty: {empty}"
    terminate(running.values())
    return contents


def restored_by_a_start(app):
    """Every processor starts on an empty disk."""
    shutil.rmtree(app.state)
    running = app.start_all()
    app.settle()
    digests = run.digests(app)
    terminate(running.values())
    return digests


def restored_by_the_verb(app):
    """`millrace restore` without a state directory; the digests are those of the directories it makes."""
    shutil.rmtree(app.state)
    for stage in topology.STATEFUL:
        code, out, err = app.cli("restore", "--stage", stage)
        assert code == 0, f"millrace restore --stage {stage} exits {code}:\n{out}{err}"
    return run.digests(app)


def must_work(app, *words):
    code, out, err = app.cli(*words, seconds=240)
    assert code == 0, f"millrace {' '.join(words)} exits {code}:\n{out}{err}"


def wait_idle(app):
    """No group has a member: who was ended stays until its session is over."""

    def is_idle():
        members = [member for stage in app.stages for member in app.cluster.members(f"tickets-{stage}")]
        return Not(members) if members else True

    until("the groups to be empty", 60, is_idle)


def replayed(app):
    """Every aggregate is folded again from its events, every view reads its input again."""
    wait_idle(app)
    for stage in topology.STATEFUL:
        must_work(app, "replay", "--stage", stage)
    return restored_by_a_start(app)


def rebuilt(app):
    """Every view is built beside the live one; aggregates have no versions and stay as they are."""
    wait_idle(app)
    digests = run.digests(app)
    for stage in VIEWS:
        must_work(app, "rebuild", stage, "--as", "again")
        for row in app.ask("verify", "--stage", stage, "--as", "again"):
            digests[stage, row["store"]] = row["digest"]
    return digests


# {name: what makes the stores of the live run again and returns their digests}
AGAIN = {
    "restored by a start": restored_by_a_start,
    "restored by millrace restore": restored_by_the_verb,
    "rebuilt": rebuilt,
    "replayed": replayed,
}


def compare(name, began, complaints):
    runner.say(f"{name}: {len(complaints)} differences, {time.monotonic() - began:.1f} s")
    return [f"{name}: {c}" for c in complaints]


def test_digests():
    places.fresh_files()
    began = time.monotonic()
    app = begin("live")
    expected, complaints = live(app), []
    runner.say(f"live: {len(expected.digests)} stores, {time.monotonic() - began:.1f} s")
    for name, again in AGAIN.items():
        began = time.monotonic()
        complaints += compare(name, began, differences(expected, again(app)))
    broker.end_all()
    for name, other in RUNS.items():
        began = time.monotonic()
        app = begin(name)
        found = other(app)
        complaints += compare(name, began, differences(expected, found.digests, found.rows))
        broker.end_all()
    assert not complaints, "\n".join(complaints)


runner.main(globals())
