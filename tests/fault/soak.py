#!/usr/bin/env python3
"""A steady rate of commands for a long time, with a fault every few seconds: nothing is lost or doubled, and no
process needs more memory or open files as time goes by.

MR_SOAK_SECONDS (45; 1800 is the long form), MR_SOAK_RATE (20 commands a second), MR_SOAK_SEED (1). `millrace run` keeps
the stages of the tickets app running behind a fault proxy. One stage of each kind is never made to end, so that
something small that leaks has the time to show; all others are compared between processes of the same age.
`faults.log` says when what was done, `samples.csv` what was measured.
"""

import csv
import os
import sys
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "support", "python"))

from mrtest import growth, places, runner  # noqa: E402

runner.need_broker()

from mrtest.broker import Broker  # noqa: E402
from mrtest.fault_proxy import FaultProxy  # noqa: E402
from mrtest.faults import Faults  # noqa: E402
from mrtest.tickets import run  # noqa: E402
from mrtest.tickets.traffic import Traffic  # noqa: E402
from mrtest.waiting import Not, until  # noqa: E402

SECONDS = int(os.environ.get("MR_SOAK_SECONDS", "45"))
RATE = int(os.environ.get("MR_SOAK_RATE", "20"))
SEED = int(os.environ.get("MR_SOAK_SEED", "1"))
# A restart of the broker ends nobody's session, a long stop does end a transaction. The budget for rows and queues is
# small, and soon used up.
PROPERTIES = {
    "session.timeout.ms": "45000",
    "transaction.timeout.ms": "10s",
    "changelog.tail.records": "200",
    "memory.budget": "16m",
}
SPARED = ("policies", "inventory", "availability")
SUPERVISOR = "millrace run"
MIB = 1 << 20
# Between the second quarter and the last: half of the budget, for rows become more; files of RocksDB, connections.
MEMORY_MARGIN = 8 * MIB
FILES_MARGIN = 16


def note(samples, path):
    """All samples, for whoever wants to draw them."""
    with open(path, "w", encoding="utf-8", newline="") as f:
        writer = csv.writer(f)
        writer.writerow(["at", "who", "pid", "age", "memory", "files"])
        for s in samples:
            writer.writerow([f"{s.at:.1f}", s.who, s.pid, f"{s.age:.1f}", s.memory, s.files])


def judge(samples):
    """Prints what grew by how much; complains of what grew by more than its margin."""
    memory = {g.who: g for g in growth.grown(samples, SECONDS, "memory")}
    files = {g.who: g for g in growth.grown(samples, SECONDS, "files")}
    lives = {}
    for s in samples:
        lives.setdefault(s.who, set()).add(s.pid)
    complaints = [f"{who} cannot be compared with itself" for who in (SUPERVISOR, *SPARED) if who not in memory]
    for who in sorted(memory):
        m, f = memory[who], files[who]
        runner.say(
            f"{who:16} {len(lives[who]):3} processes, memory {m.before / MIB:6.1f} -> {m.after / MIB:6.1f} MiB, "
            f"open files {f.before:g} -> {f.after:g}"
        )
        if m.by > MEMORY_MARGIN:
            complaints.append(f"{who} grew by {m.by / MIB:.1f} MiB, more than {MEMORY_MARGIN / MIB:g}")
        if f.by > FILES_MARGIN:
            complaints.append(f"{who} has {f.by:g} more open files, more than {FILES_MARGIN}")
    return complaints


def test_soak():
    files = places.fresh_files()
    broker = Broker(files)
    app = run.tickets_app(broker, files, **PROPERTIES)
    app.apply_topics()
    proxy = FaultProxy(broker.bootstrap)
    supervisor = app.run(**{"bootstrap.servers": proxy.bootstrap})
    supervisor.wait_for_line("^ready$", 120)
    follower = run.follow(app)
    instances = app.instances()
    faults = Faults(
        supervisor, list(instances.values()), broker, proxy, SEED, os.path.join(files, "faults.log"), SPARED
    )
    runner.say(f"seed {SEED}: {RATE} commands a second for {SECONDS} s")
    sampler = growth.Sampler(
        lambda: {SUPERVISOR: supervisor.pid, **{name: faults.pid(i) for name, i in instances.items()}}
    )
    sender = run.Sender(broker.bootstrap, Traffic(SEED).commands(RATE * SECONDS), SECONDS)
    faults.run(SECONDS)
    samples = sampler.stop()
    note(samples, os.path.join(files, "samples.csv"))
    began = time.monotonic()
    sender.finish()
    runner.say(f"faults: {faults.said()}")
    until("all stages to be ready", 120, lambda: all_ready(instances))
    app.settle(240)
    runner.say(f"{sender.sent} commands; all is read {time.monotonic() - began:.1f} s after the last fault")
    complaints = judge(samples)
    run.check(app, instances, follower)
    assert not complaints, "\n".join(complaints)
    assert supervisor.terminate() == 0, supervisor.tail()
    proxy.close()


def all_ready(instances):
    waiting = [name for name, instance in instances.items() if not instance.is_ready()]
    return Not(", ".join(waiting)) if waiting else True


runner.main(globals())
