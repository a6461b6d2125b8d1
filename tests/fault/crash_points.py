#!/usr/bin/env python3
"""A crash before and after every step of a commit, in every kind of processor, changes nothing.

The fault build kills itself at named points (core/crash_point.h). Each point is tried once in a
transform, an aggregate and a project stage, in the middle of traffic; in the end the digests of all
stores equal those of a run of the same commands without a crash.
"""

import os
import re
import subprocess
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "support", "python"))

from mrtest import checks, places, runner  # noqa: E402

runner.need_broker()

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
PER_POINT = 150
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


def one_run(name, crash):
    """The digests after one run; `crash(stage, round)` names the point that a stage is to die at."""
    files = os.path.join(places.files(), name)
    broker = Broker(files)
    app = run.tickets_app(broker, files, **PROPERTIES)
    app.apply_topics()
    running = app.start_all()
    traffic = Aligned(SEED, run.PARTITIONS)
    run.send_all(app, traffic.concerts())
    app.settle()
    for number in range(max(len(points) for points in VICTIMS.values())):
        armed = {}
        for stage in VICTIMS:
            point = crash(stage, number)
            if point:
                assert running[stage].terminate() == 0, running[stage].tail()
                armed[stage] = point
                running[stage] = app.start(stage, environment={"MILLRACE_CRASH_POINT": point})
        for stage in armed:
            running[stage].wait_ready()
        sender = run.Sender(broker.bootstrap, traffic.shopping(PER_POINT), 2)
        for stage, point in armed.items():
            code = running[stage].wait(60)
            assert code == -9, f"{stage} was to die at {point} and ended with {code}\n{running[stage].tail()}"
            running[stage] = app.start(stage)
        sender.finish()
        app.settle()
    run.check(app, running)
    result = contents(app, running)
    for stage in running.values():
        assert stage.terminate() == 0, stage.tail()
    broker.end()
    return result


def test_every_point_is_tried():
    assert points_in_source() == set(STATEFUL), f"the tree has the points {sorted(points_in_source())}"


def test_crash_points():
    places.fresh_files()
    expected = one_run("undisturbed", lambda stage, number: None)

    def crash(stage, number):
        points = VICTIMS[stage]
        # The first passage: how many more there will be depends on how the traffic falls into commits.
        return points[number] if number < len(points) else None

    actual = one_run("crashed", crash)
    complaints = [c for place in sorted(expected) for c in difference(place, expected[place], actual[place])]
    assert not complaints, f"{len(complaints)} differences from the undisturbed run:\n" + "\n".join(complaints[:20])
    runner.say(f"{sum(map(len, VICTIMS.values()))} crashes, {len(expected)} stores are equal")


runner.main(globals())
