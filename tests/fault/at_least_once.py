#!/usr/bin/env python3
"""processing.guarantee=at_least_once under SIGKILL: every state is exact, outputs may be there twice.

The same traffic and the same checks as in kill_test.py, on what a reader sees that drops repeated IDs.
"""

import os
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "support", "python"))

from mrtest import places, runner  # noqa: E402

runner.need_broker()

from mrtest.app import terminate  # noqa: E402
from mrtest.broker import Broker  # noqa: E402
from mrtest.chaos import Killer  # noqa: E402
from mrtest.tickets import run  # noqa: E402
from mrtest.tickets.traffic import Traffic  # noqa: E402

COMMANDS = int(os.environ.get("MR_KILL_COMMANDS", "4500"))
TIMES = 3
SECONDS = 25
SEED = int(os.environ.get("MR_KILL_SEED", "2"))


def test_state_is_exact_at_least_once():
    files = places.fresh_files()
    broker = Broker(files)
    app = run.tickets_app(broker, files, **{"processing.guarantee": "at_least_once", "changelog.tail.records": "200"})
    app.apply_topics()
    running = app.start_all()
    sender = run.Sender(broker.bootstrap, Traffic(SEED).commands(COMMANDS), SECONDS)
    killer = Killer(app, running, TIMES, SECONDS, SEED, os.path.join(files, "kills.log"))
    killer.run(power_failures=1)
    sender.finish()
    for stage in running.values():
        stage.wait_ready()
    app.settle(180)
    history = run.check(app, running, repeats=True)
    raw = sum(len(r) for t, r in app.history().topics.items() if t.startswith("tickets."))
    once = sum(len(r) for t, r in history.topics.items() if t.startswith("tickets."))
    runner.say(f"{killer.kills()} kills; {raw - once} of {raw} records are repeats")
    terminate(running.values())


runner.main(globals())
