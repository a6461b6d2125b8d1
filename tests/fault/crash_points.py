#!/usr/bin/env python3
"""A crash before and after every step of a commit, in every kind of processor, changes nothing.

The fault build kills itself at named points (core/crash_point.h). Each point is tried once in a
transform, an aggregate and a project stage, in the middle of traffic; in the end the digests of all
stores equal those of a run of the same commands without a crash.
"""

import os
import random
import re
import subprocess
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "support", "python"))

from mrtest import broker, checks, places, runner  # noqa: E402

runner.need_broker()

from mrtest.app import terminate  # noqa: E402
from mrtest.broker import Broker  # noqa: E402
from mrtest.tickets import run  # noqa: E402
from mrtest.tickets.aligned import Aligned  # noqa: E402

SEED = int(os.environ.get("MR_CRASH_SEED", "1"))
STATELESS = ["before-changelog", "after-changelog", "before-flush", "after-flush", "after-offsets", "after-commit"]
STATEFUL = STATELESS + ["before-flush-to-store", "after-flush-to-store"]
# A stage of each kind, in the middle of the flow.
VICTIMS = {
    "policies": STATELESS,
    "cart": STATEFUL,
    "inventory": STATEFUL,
    "availability": STATEFUL,
    "programme": STATEFUL,
}
COMMANDS_MAX = 3000  # after so many a point is taken for unreachable
# Every commit is written to the store at once, so that the points around that are passed, too.
PROPERTIES = {"changelog.tail.records": "1"}


def points_in_source():
    """The names of all points in the tree."""
    found = set()
    grep = subprocess.run(
        [
            "grep",
            "-rhoE",
            r'MR_CRASH_POINT\("[^"]+"\)',
            os.path.join(places.ROOT, "common"),
            os.path.join(places.ROOT, "processors"),
        ],
        stdout=subprocess.PIPE,
        text=True,
        check=True,
    )
    for line in grep.stdout.splitlines():
        found.add(re.search(r'"(.+)"', line).group(1))
    return found


def contents(app, running):
    """{(stage, store): (its digest by `millrace verify`, its rows)}"""
    digests = run.digests(app)
    return {(stage, store): (digests[stage, store], running[stage].rows(store)) for stage, store in run.stores()}


def difference(place, expected, actual):
    """What is different in one store; nothing if nothing is."""
    name = ".".join(place)
    complaints = checks.same_rows(name, expected[1], actual[1])
    if expected[0] != actual[0]:
        complaints.append(f"{name}: the digests are {expected[0]} and {actual[0]}")
    return complaints


def begin(name):
    """(app, its running stages, traffic), with concerts there."""
    files = os.path.join(places.files(), name)
    app = run.tickets_app(Broker(files), files, **PROPERTIES)
    app.apply_topics()
    running = app.start_all()
    traffic = Aligned(SEED, run.PARTITIONS)
    run.send_all(app, traffic.concerts())
    app.settle()
    return app, running, traffic


def end(app, running):
    """The contents of all stores, once everything is read; ends the processes."""
    app.settle()
    run.check(app, running)
    result = contents(app, running)
    terminate(running.values())
    broker.end_all()
    return result


def crash_all(app, armed, running, traffic):
    """Sends commands until every armed stage has died at its point and was started again; returns the commands."""
    sent, armed = [], dict(armed)
    while armed:
        assert len(sent) < COMMANDS_MAX, f"{armed} did not die while {len(sent)} commands were sent"
        commands = traffic.shopping(50)
        sent += commands
        run.Sender(app.bootstrap, commands, 0.5).finish(hurry=False)
        for name in [name for name in armed if not running[name].is_running()]:
            point, code = armed.pop(name), running[name].wait(1)
            assert code == -9, f"{name} was to die at {point} and ended with {code}\n{running[name].tail()}"
            running[name] = app.start(name)
    return sent


def crashed_run():
    """(contents, all commands): in each round every victim dies at another point, and is started again."""
    chance = random.Random(SEED)
    app, running, traffic = begin("crashed")
    commands = []
    for number in range(max(len(points) for points in VICTIMS.values())):
        armed = {
            name: f"{points[number]}:{chance.randint(1, 3)}" for name, points in VICTIMS.items() if number < len(points)
        }
        terminate(running[name] for name in armed)
        for name, point in armed.items():
            running[name] = app.start(name, environment={"MILLRACE_CRASH_POINT": point})
        commands += crash_all(app, armed, running, traffic)
        for name in armed:
            running[name].wait_ready()
    return end(app, running), commands


def undisturbed_run(commands):
    app, running, _ = begin("undisturbed")
    run.send_all(app, commands)
    return end(app, running)


def test_every_point_is_tried():
    # Those of a backup are in backup.py.
    found = {name for name in points_in_source() if not name.startswith("backup-")}
    assert found == set(STATEFUL), f"the tree has the points {sorted(found)}"


def test_crash_points():
    places.fresh_files()
    actual, commands = crashed_run()
    expected = undisturbed_run(commands)
    complaints = [c for place in sorted(expected) for c in difference(place, expected[place], actual[place])]
    assert not complaints, f"{len(complaints)} differences from the undisturbed run:\n" + "\n".join(complaints[:20])
    runner.say(f"{sum(map(len, VICTIMS.values()))} crashes, {len(commands)} commands, {len(expected)} stores are equal")


runner.main(globals())
