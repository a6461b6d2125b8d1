"""A broker's first work: its JVM compiles what runs often, at the cost of whoever is measured first."""

import os

from harness import measure, topics
from harness.offsets import Offsets
from harness.readings import Readings
from harness.source import native
from mrtest.process import Process

KEYS = 10000
VALUE_BYTES = 18
SECONDS = 300


def warm_up(cluster, settings, directory):
    """As many records as a drain has are written, copied in transactions by the program `raw`, and deleted."""
    readings = Readings(cluster, "warm-up-in", KEYS, settings)
    readings.load(settings.records)
    topics.create(cluster, "warm-up-out", settings.partitions)
    how = ["exactly_once", str(settings.commit_ms), str(VALUE_BYTES)]
    os.makedirs(directory, exist_ok=True)
    command = [native("raw"), cluster.bootstrap, "warm-up", readings.topic, "warm-up-out", *how]
    process = Process("warm-up", command, os.path.join(directory, "warm-up.log"))
    offsets = Offsets(cluster.bootstrap, "warm-up", readings.topic, settings.partitions)
    try:
        offsets.wait_all("the broker to be warm", readings.ends(), SECONDS, process)
        measure.end(process)
    finally:
        offsets.close()
        process.kill()
    topics.delete(cluster, "warm-up")
