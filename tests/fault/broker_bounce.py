#!/usr/bin/env python3
"""The broker goes away and comes back while all runs: nothing is lost or doubled, nobody restarts anything by hand.

Once it ends in order (SIGTERM), once it is killed (SIGKILL) with transactions open; each time traffic goes on,
and the processors find their way back. An outage within the session time-out costs no process its life; a
longer one may, and then `millrace run` starts it again.
"""

import os
import sys
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "support", "python"))

from mrtest import places, runner  # noqa: E402

runner.need_broker()

from mrtest.app import terminate  # noqa: E402
from mrtest.broker import Broker  # noqa: E402
from mrtest.tickets import run  # noqa: E402
from mrtest.tickets.checks import topic  # noqa: E402
from mrtest.tickets.traffic import Traffic  # noqa: E402
from mrtest.waiting import Not, until  # noqa: E402

COMMANDS = 5000
SECONDS = 120  # if it takes so long: what is left after the last bounce is sent at once


def is_result(record):
    return record.topic == topic("cart", "results")


def bounce(broker, follower, stop, away=None):
    """Takes the broker away in the middle of traffic, brings it back, and waits until results flow again."""
    follower.wait_for("result", is_result, 60, len(follower.records))
    stop()
    stopped = time.monotonic()
    if away:
        away()
    broker.restart()
    answers, seen = time.monotonic(), len(follower.records)
    follower.wait_for("result after the broker came back", is_result, 120, seen)
    runner.say(
        f"the broker was away for {answers - stopped:.1f} s; first result {time.monotonic() - answers:.1f} s after it answers"
    )


def begin(name, **properties):
    files = os.path.join(places.files(), name)
    broker = Broker(files)
    app = run.tickets_app(broker, files, **properties)
    app.apply_topics()
    return broker, app


def test_nobody_ends_when_the_broker_is_restarted():
    broker, app = begin("short", **{"session.timeout.ms": "300000"})
    running = app.start_all()
    follower = run.follow(app)
    sender = run.Sender(broker.bootstrap, Traffic(11).commands(COMMANDS), SECONDS)
    bounce(broker, follower, broker.stop)
    bounce(broker, follower, broker.kill)
    sender.finish()
    app.settle(180)
    for stage in running.values():
        assert stage.is_running(), f"{stage.name} ended with {stage.popen.returncode}\n{stage.tail()}"
    run.check(app, running, follower)
    terminate(running.values())
    broker.end()


def test_an_outage_longer_than_the_session():
    broker, app = begin("long", **{"session.timeout.ms": "6000"})
    process = app.run()
    process.wait_for_line("^ready$", 60)
    before = {name: instance.owner()[1] for name, instance in app.instances().items()}
    follower = run.follow(app)
    sender = run.Sender(broker.bootstrap, Traffic(12).commands(COMMANDS), SECONDS)
    began = time.monotonic()
    bounce(
        broker,
        follower,
        broker.kill,
        lambda: until("the sessions to be over", 20, lambda: time.monotonic() - began > 12 or Not("not yet")),
    )
    sender.finish()
    app.settle(180)
    after = {name: instance.owner()[1] for name, instance in app.instances().items()}
    runner.say(f"{sum(before[name] != after[name] for name in before)} of {len(before)} processes were started again")
    run.check(app, app.instances(), follower)
    assert process.terminate() == 0, process.tail()


runner.main(globals(), places.fresh_files)
