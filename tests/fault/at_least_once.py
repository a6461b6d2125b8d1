#!/usr/bin/env python3
"""processing.guarantee=at_least_once under SIGKILL: every state is exact, outputs may be there twice.

The same traffic and the same checks as in kill_test.py, on what a reader sees that drops repeated IDs. In the end the broker
compacts the changelogs, and from what is left of them the same states are restored; MR_COMPACTION_LAG_MS=8000 has it compact
them meanwhile, too.
"""

import os
import shutil
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "support", "python"))

from mrtest import places, runner  # noqa: E402

runner.need_broker()

from confluent_kafka.admin import AlterConfigOpType, ConfigEntry, ConfigResource, ResourceType  # noqa: E402

from mrtest.app import terminate  # noqa: E402
from mrtest.kafka import Writer  # noqa: E402
from mrtest.broker import Broker  # noqa: E402
from mrtest.chaos import Killer  # noqa: E402
from mrtest.tickets import run  # noqa: E402
from mrtest.tickets.traffic import Traffic  # noqa: E402
from mrtest.waiting import Not, until  # noqa: E402

COMMANDS = int(os.environ.get("MR_KILL_COMMANDS", "4500"))
TIMES = 3
SECONDS = 25
SEED = int(os.environ.get("MR_KILL_SEED", "2"))
CHANGELOGS = ("tickets-", "-changelog")
# How long a row must stay that a commit has overwritten which is not complete yet: until the next one is.
LAG_MS = int(os.environ.get("MR_COMPACTION_LAG_MS", "3600000"))
COMPACTED_ROWS = 100


def alter(app, resources, **settings):
    entries = [
        ConfigEntry(name.replace("_", "."), value, incremental_operation=AlterConfigOpType.SET)
        for name, value in settings.items()
    ]
    changed = [ConfigResource(kind, name, incremental_configs=entries) for kind, name in resources]
    for future in app.cluster.admin.incremental_alter_configs(changed).values():
        future.result(60)


def changelogs(app):
    return [(ResourceType.TOPIC, name) for name in sorted({tp.topic for tp in app.cluster.partitions(*CHANGELOGS)})]


def cut_segments(app):
    """A segment a second, and a cleaner that does not rest: what is older than the lag can be compacted at any time."""
    alter(app, [(ResourceType.BROKER, "1")], log_cleaner_backoff_ms="200")
    settings = {"segment_ms": "1000", "min_cleanable_dirty_ratio": "0.01", "min_compaction_lag_ms": str(LAG_MS)}
    alter(app, changelogs(app), **settings)


def rows_without_marker(app):
    """How many rows the changelogs have of commits whose marker was compacted away."""
    rows, markers = [], set()
    for record in app.cluster.read(app.cluster.partitions(*CHANGELOGS)):
        commit = (record.topic, record.partition, record.headers["__millrace.commit"])
        if "__millrace.input" in record.headers:
            markers.add(commit)
        else:
            rows.append(commit)
    return sum(commit not in markers for commit in rows)


def wait_compacted(app):
    def is_compacted():
        count = rows_without_marker(app)
        return count if count >= COMPACTED_ROWS else Not(f"{count} rows have lost their marker")

    return until(f"{COMPACTED_ROWS} rows without a marker", 60, is_compacted, every=0.5)


def cut_off(running):
    """How many tasks have found half a commit at a start, by the logs."""
    count = 0
    for stage in running.values():
        with open(stage.log, encoding="utf-8", errors="replace") as f:
            count += f.read().count("a commit was cut off")
    return count


def cut_off_by_hand(app):
    """What a crash in the middle of a commit leaves in every changelog that has two rows: one has the value of the
    other, which is gone, and there is a new one. The number of changelogs."""
    last, rows = {}, {}
    for record in app.cluster.read(app.cluster.partitions(*CHANGELOGS)):
        place = (record.topic, record.partition)
        last[place] = record.headers["__millrace.commit"]
        if "__millrace.input" not in record.headers and "\\" not in record.key:
            rows.setdefault(place, {}).pop(record.key, None)
            if record.value is not None:
                rows[place][record.key] = record.value
    writer, count = Writer(app.bootstrap), 0
    for (topic, partition), values in sorted(rows.items()):
        attempt, number = last[topic, partition].split("/")
        if len(values) >= 2:
            (first, _), (second, value) = sorted(values.items())[:2]
            headers = {"__millrace.commit": f"{attempt}/{int(number) + 1}"}
            writer.send(topic, first.encode(), value, headers, partition)
            writer.send(topic, second.encode(), None, headers, partition)
            if first.count("\0") == 1 and first[-1] == "\0":
                writer.send(topic, first.replace("\0", "-new\0").encode(), value, headers, partition)
            count += 1
    writer.flush()
    return count


def restored_digests(app):
    shutil.rmtree(app.state)
    running = app.start_all(120)
    app.settle()
    digests = run.digests(app, repeats=True)
    terminate(running.values())
    return digests


def test_state_is_exact_at_least_once():
    files = places.fresh_files()
    broker = Broker(files)
    app = run.tickets_app(broker, files, **{"processing.guarantee": "at_least_once", "changelog.tail.records": "200"})
    app.apply_topics()
    cut_segments(app)
    running = app.start_all()
    commands = list(Traffic(SEED).commands(COMMANDS))
    sender = run.Sender(broker.bootstrap, commands[: -COMMANDS // 3], SECONDS)
    killer = Killer(app, running, TIMES, SECONDS, SEED, os.path.join(files, "kills.log"))
    killer.run(power_failures=1)
    sender.finish()
    for stage in running.values():
        stage.wait_ready()
    app.settle(180)
    terminate(running.values())
    found = cut_off(running)
    by_hand = cut_off_by_hand(app)
    running = app.start_all()
    assert cut_off(running) > found, "half a commit was not found"
    run.send_all(app, commands[-COMMANDS // 3 :])
    app.settle(180)
    history = run.check(app, running, repeats=True)
    raw = sum(len(r) for t, r in app.history().topics.items() if t.startswith("tickets."))
    once = sum(len(r) for t, r in history.topics.items() if t.startswith("tickets."))
    live = run.digests(app, repeats=True)
    terminate(running.values())
    runner.say(
        f"{killer.kills()} kills, {found} tasks found half a commit, {by_hand} changelogs had one by hand; "
        f"{raw - once} of {raw} records are repeats"
    )
    alter(app, changelogs(app), min_compaction_lag_ms="0")
    runner.say(f"{wait_compacted(app)} rows of the changelogs have lost their marker")
    restored = restored_digests(app)
    different = sorted(place for place in live if live[place] != restored[place])
    assert not different, f"restored from compacted changelogs, these stores are not what they were: {different}"


runner.main(globals())
