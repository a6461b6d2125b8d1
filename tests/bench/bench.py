#!/usr/bin/env python3
"""Millrace, Kafka Streams and librdkafka alone on the same records and the same broker, one at a time, in turns.
Prints a table and writes results.json, table.txt and plots. What is measured is not judged; what comes out is."""

import os
import signal
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path[:0] = [HERE, os.path.join(HERE, "..", "support", "python")]
os.environ.setdefault("MR_BUILD", os.path.join(HERE, "..", "..", "build", "gcc"))

from mrtest import broker, process, runner  # noqa: E402

runner.need_broker()

from harness import plot, profile, settings, table  # noqa: E402
from harness.session import Session  # noqa: E402
from harness.workload_shuffle import Shuffle  # noqa: E402
from harness.workload_tickets import Tickets  # noqa: E402
from harness.workload_totals import Totals  # noqa: E402

# A workload more is a class with a name and run() more.
WORKLOADS = {workload.name: workload for workload in (Totals, Shuffle, Tickets)}


def show(session):
    text = table.text(session.results.data["rows"])
    with open(os.path.join(session.settings.out, "table.txt"), "w", encoding="utf-8") as f:
        f.write(text.lstrip("\n"))
    if session.settings.profile:
        with open(os.path.join(session.settings.out, "profile.txt"), "w", encoding="utf-8") as f:
            f.write(profile.text(session.results.data["rows"]))
    plot.write(session.settings.out, session.results.data)
    runner.say(text)
    for row in session.results.failures:
        runner.say(f"FAILED: {row['workload']}, {row['case']}, {row['contender']}, {row['guarantee']}: {row['failed']}")
    runner.say(f"results, table and plots: {session.settings.out}")


def show_list():
    for workload in WORKLOADS.values():
        runner.say(f"workload {workload.name}")
        for contender in workload.contenders:
            runner.say(f"  {contender.name:34} {contender.title} ({', '.join(contender.figures)})")
    runner.say(f"figures {', '.join(settings.FIGURES)}")


def main():
    for number in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, lambda *_: sys.exit(1))
    chosen, only_list = settings.read(sys.argv[1:], WORKLOADS, __doc__)
    if only_list:
        show_list()
        return
    session = Session(chosen)
    try:
        for name in chosen.workloads:
            WORKLOADS[name](session).run()
    finally:
        try:
            process.end_all()
            broker.end_all()
        finally:
            show(session)
    runner.finish(["failed" if session.results.failures else "ok"])


main()
