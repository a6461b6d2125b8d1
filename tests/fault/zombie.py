#!/usr/bin/env python3
"""A processor that was given up for dead and wakes again changes nothing; neither do races across a crash.

Two instances share a stage. One is stopped (SIGSTOP) for longer than its session, the other takes over,
and when the first goes on it has to be fenced. Eight writers race for every version of an aggregate while
its stage is killed and its partitions move.
"""

import os
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "support", "python"))

from mrtest import places, runner  # noqa: E402

runner.need_broker()

from mrtest.app import terminate  # noqa: E402
from mrtest.broker import Broker  # noqa: E402
from mrtest.tickets import run  # noqa: E402
from mrtest.tickets.checks import topic  # noqa: E402
from mrtest.tickets.traffic import DAY, T0, Command, Traffic  # noqa: E402
from mrtest.waiting import Not, until  # noqa: E402

WRITERS = 8
CONCERTS = 24
ROUNDS = 12
# An instance that is stopped is missed soon, and what it left open is ended soon.
IMPATIENT = {"session.timeout.ms": "3000", "transaction.timeout.ms": "10s"}


def fresh_app(name):
    """The app on a broker of its own."""
    files = os.path.join(places.files(), name)
    app = run.tickets_app(Broker(files), files, **IMPATIENT)
    app.apply_topics()
    return app


def holds(stage, tasks):
    """Whether an instance runs exactly so many tasks."""
    status = stage.status() or {}
    states = [task["state"] for task in status.get("tasks", [])]
    return True if states == ["running"] * tasks else Not(f"{stage.name} is {status.get('state')} with tasks {states}")


def with_two(app, stage):
    """All stages, and two instances of one of them that share its tasks."""
    running = app.start_all()
    second = app.start(stage, "1")
    for instance in (running[stage], second):
        until(f"{instance.name} to have half of the tasks", 60, lambda i=instance: holds(i, run.PARTITIONS // 2))
    return running, running[stage], second


def test_stalled_instance_is_fenced():
    """Of a stateful and of a stateless stage at once."""
    app = fresh_app("stalled")
    running, cart, cart_second = with_two(app, "cart")
    route_second = app.start("route", "1")
    route = running["route"]
    for instance in (route, route_second):
        until(f"{instance.name} to have its half", 60, lambda i=instance: holds(i, run.PARTITIONS // 2))
    commands = Traffic(7, venues=5, concerts=10, customers=30).commands(4000)
    follower = run.follow(app)
    sender = run.Sender(app.bootstrap, commands, 45)
    follower.wait_for("event", lambda r: r.topic == topic("cart", "events"), 30)
    seen = len(follower.records)
    cart.pause()
    route.pause()
    for survivor in (cart_second, route_second):
        until(f"{survivor.name} to take over", 60, lambda s=survivor: holds(s, run.PARTITIONS))
    follower.wait_for("event after the takeover", lambda r: r.topic == topic("cart", "events"), 60, seen)
    cart.resume()
    route.resume()
    sender.finish()
    for instance in (cart, route):
        assert instance.is_running(), f"{instance.name} was fenced and did not come back\n{instance.tail()}"
    app.settle()
    for name, pair in (("cart", (cart, cart_second)), ("route", (route, route_second))):
        until(
            f"both instances of {name} to share the tasks again",
            60,
            lambda p=pair: all(holds(i, run.PARTITIONS // 2) for i in p),
        )
    run.check(app, {**running, "cart": [cart, cart_second]}, follower)
    terminate([*running.values(), cart_second, route_second])


def test_replaced_instance_is_fenced():
    """A second process with the same name on another machine: the first, when it goes on, has to end."""
    app = fresh_app("replaced")
    running = app.start_all()
    follower = run.follow(app)
    sender = run.Sender(app.bootstrap, Traffic(8, venues=5, concerts=10, customers=30).commands(2000), 25)
    follower.wait_for("event", lambda r: r.topic == topic("cart", "events"), 30)
    old = running["cart"]
    old.pause()
    elsewhere = app.elsewhere()
    replacement = elsewhere.start("cart")
    until("the replacement to have all tasks", 60, lambda: holds(replacement, run.PARTITIONS))
    old.resume()
    code = old.wait(60)
    assert code not in (0, -9), f"the replaced instance ended with {code}\n{old.tail()}"
    sender.finish()
    app.settle()
    run.check(app, {**running, "cart": replacement}, follower, operator=elsewhere)
    terminate([*[s for s in running.values() if s is not old], replacement])


def races():
    """Per round, eight writers want to reschedule each concert at the version they all know."""
    for number in range(ROUNDS):
        for c in range(CONCERTS):
            for w in range(WRITERS):
                start = T0 + (number * WRITERS + w) * DAY
                yield Command(
                    f"race-{c}-{number}-{w}",
                    "ScheduleConcert",
                    f"concert-{c}",
                    {"StartDate": start, "EndDate": start + 1},
                    number,
                    f"writer-{w}",
                    T0,
                )


def test_eight_writers_across_a_crash_and_a_rebalance():
    app = fresh_app("writers")
    running = app.start_all()
    run.send_all(
        app,
        [
            Command(f"new-{c}", "CreateConcert", f"concert-{c}", {"Name": f"Concert {c}"}, -1, f"concert-{c}", T0)
            for c in range(CONCERTS)
        ],
    )
    app.settle()
    follower = run.follow(app)
    sender = run.Sender(app.bootstrap, list(races()), 30)
    is_event = lambda r: r.topic == topic("concert", "events")  # noqa: E731
    follower.wait_for("event", is_event, 30)
    running["concert"].kill()
    running["concert"] = app.start("concert")
    second = app.start("concert", "1")
    until("the second instance to have its half", 60, lambda: holds(second, run.PARTITIONS // 2))
    seen = len(follower.records)
    follower.wait_for("event after the rebalance", is_event, 30, seen)
    running["concert"].kill()
    running["concert"] = app.start("concert")
    second.kill()
    until("the first instance to have all tasks", 60, lambda: holds(running["concert"], run.PARTITIONS))
    sender.finish()
    app.settle()
    history = run.check(app, running, follower)
    outcomes = {}
    for result in history.records(topic("concert", "results")):
        if result.cause.startswith("race-"):
            race = result.cause.rsplit("-", 1)[0]
            outcomes.setdefault(race, []).append((result.type, run.reason_of(history, result)))
    wanted = sorted([("accepted", None)] + [("rejected", "version_conflict")] * (WRITERS - 1), key=str)
    wrong = {race: found for race, found in outcomes.items() if sorted(found, key=str) != wanted}
    lost = CONCERTS * ROUNDS - len(outcomes)
    assert (
        not wrong and not lost
    ), f"{lost} races without a result, {len(wrong)} with another than one accepted: {wrong}"
    terminate(running.values())


runner.main(globals(), places.fresh_files)
