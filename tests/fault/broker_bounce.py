#!/usr/bin/env python3
"""The broker goes away and comes back while all runs: nothing is lost or doubled, no process is restarted.

Once it ends in order (SIGTERM), once it is killed (SIGKILL) with transactions open; each time traffic goes
on, and the processors find their way back by themselves.
"""
import os
import sys
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "support", "python"))

from mrtest import places, runner  # noqa: E402

runner.need_broker()

from mrtest.broker import Broker  # noqa: E402
from mrtest.tickets import run  # noqa: E402
from mrtest.tickets.checks import topic  # noqa: E402
from mrtest.tickets.traffic import Traffic  # noqa: E402

COMMANDS = 8000
SECONDS = 120  # if it takes so long; what is left after the second bounce is sent at once


def bounce(broker, follower, stop):
    """Takes the broker away in the middle of traffic, brings it back, and waits until results flow again."""
    seen = len(follower.records)
    follower.wait_for("result", lambda r: r.topic == topic("cart", "results"), 60, seen)
    stop()
    stopped = time.monotonic()
    broker.restart()
    seen, answers = len(follower.records), time.monotonic()
    follower.wait_for("result after the broker came back", lambda r: r.topic == topic("cart", "results"), 120, seen)
    runner.say(f"the broker was away for {answers - stopped:.1f} s; first result {time.monotonic() - answers:.1f} s after it answers")


def test_broker_bounce():
    files = places.fresh_files()
    broker = Broker(files)
    app = run.tickets_app(broker, files)
    app.apply_topics()
    running = app.start_all()
    follower = run.follow(app)
    sender = run.Sender(broker.bootstrap, Traffic(11).commands(COMMANDS), SECONDS)
    bounce(broker, follower, broker.stop)
    bounce(broker, follower, broker.kill)
    sender.finish()
    for stage in running.values():
        assert stage.is_running(), f"{stage.name} ended with {stage.popen.returncode}\n{stage.tail()}"
    app.settle(180)
    run.check(app, running, follower)
    for stage in running.values():
        assert stage.terminate() == 0, stage.tail()


runner.main(globals())
