#!/usr/bin/env python3
"""How fast a stage drains what waits for it, beside librdkafka alone on the same records. No verdict.

MR_BENCH_RECORDS (500000) commands for MR_BENCH_CARTS (10000) carts are written first; then, one after the
other, with the broker on the same machine: a raw consume-and-produce loop in transactions (raw.c), the
cart stage (aggregate) on the commands, and the cart_facts stage (project) on the events that came of them.
MR_BENCH_WORKERS (1) is num.workers.
"""

import json
import os
import sys
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "support", "python"))

from mrtest import places, runner  # noqa: E402

runner.need_broker()

from confluent_kafka.admin import NewTopic  # noqa: E402

from mrtest.broker import Broker  # noqa: E402
from mrtest.kafka import Writer  # noqa: E402
from mrtest.process import run as run_command  # noqa: E402
from mrtest.tickets import run  # noqa: E402
from mrtest.waiting import until  # noqa: E402

RECORDS = int(os.environ.get("MR_BENCH_RECORDS", "500000"))
CARTS = int(os.environ.get("MR_BENCH_CARTS", "10000"))
WORKERS = os.environ.get("MR_BENCH_WORKERS", "1")
COMMIT_MS = "100"
RAW = os.path.join(places.build(), "tests", "bench", "raw")
rows = []


def report(what, records, seconds, cpu, kilobytes):
    rows.append((what, records, seconds, cpu, kilobytes))
    runner.say(
        f"{what:24} {records:9} records {seconds:7.2f} s {records / seconds:10.0f} records/s "
        f"{cpu:7.2f} CPU s {cpu / records * 1e6:6.1f} CPU s per million {kilobytes / 1024:7.1f} MiB peak"
    )


def write_commands(app):
    """A cart is created, then items come and go, so that a state stays small."""
    writer = Writer(app.bootstrap, **{"queue.buffering.max.messages": 1000000, "linger.ms": 50})
    for i in range(RECORDS):
        cart, step = f"cart-{i % CARTS}", i // CARTS
        if step == 0:
            kind, fields = "CreateCart", {"CartId": None, "CustomerId": f"customer-{i % CARTS}"}
        elif step % 2:
            kind, fields = "AddCartItem", {
                "CartId": None,
                "ItemId": f"item-{step}",
                "TicketTypeId": "type",
                "Quantity": 2,
            }
        else:
            kind, fields = "RemoveCartItem", {
                "CartId": None,
                "ItemId": f"item-{step - 1}",
                "CartItemId": None,
                "Cause": "CUSTOMER",
                "ReservationId": None,
            }
        writer.send(
            "tickets.cart.commands",
            cart.encode(),
            app.schemas.encode(kind, fields),
            [
                ("ce_specversion", b"1.0"),
                ("ce_id", f"bench-{i}".encode()),
                ("ce_source", b"bench"),
                ("ce_type", kind.encode()),
                ("ce_subject", cart.encode()),
                ("ce_time", b"2026-01-01T00:00:00Z"),
            ],
        )
    writer.flush(120)


def count(app, topic):
    return len(app.cluster.read([tp for tp in app.cluster.partitions(topic) if tp.topic == topic]))


def raw(app, topic):
    for future in app.cluster.admin.create_topics([NewTopic(f"bench.{topic}", run.PARTITIONS, 1)]).values():
        future.result()
    code, out, err = run_command([RAW, app.bootstrap, topic, f"bench.{topic}", COMMIT_MS], 300)
    assert code == 0, err
    used = json.loads(out)
    report(f"raw {topic}", used["records"], used["seconds"], used["cpu_seconds"], used["peak_kilobytes"])


def drain(app, name, records):
    """From its first commit to the moment it has read everything. CPU and memory are of the whole process."""
    stage = app.start(name, **{"commit.interval.ms": COMMIT_MS, "num.workers": WORKERS, "memory.budget": "128m"})

    def seen():
        status = stage.status() or {}
        return status.get("commits", 0), sum(task["records"] for task in status.get("tasks", []))

    until(f"{name} to commit", 60, lambda: seen()[0] > 0, every=0.01)
    started, before = time.monotonic(), seen()[1]
    until(f"{name} to read everything", 600, lambda: seen()[1] >= records, every=0.05)
    seconds = time.monotonic() - started
    report(f"{stage.kind} {name}", records - before, seconds, stage.cpu_seconds(), stage.peak_kilobytes())
    assert stage.terminate() == 0, stage.tail()


def test_bench():
    files = places.fresh_files()
    broker = Broker(files)
    app = run.tickets_app(broker, files)
    app.apply_topics()
    write_commands(app)
    raw(app, "tickets.cart.commands")
    drain(app, "cart", RECORDS)
    events = count(app, "tickets.cart.events")
    assert events == RECORDS, f"{RECORDS} commands made {events} events"
    raw(app, "tickets.cart.events")
    drain(app, "cart_facts", events)
    broker.end()


runner.main(globals())
