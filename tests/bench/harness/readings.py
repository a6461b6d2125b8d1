"""The input of workload totals: written by the program `load`, and what came of it counted by `tally`."""

import json
import os

from harness import topics
from mrtest import places
from mrtest.avro import MARKER, Schemas
from mrtest.process import Process, run

SCHEMAS = os.path.join(places.ROOT, "tests", "bench", "apps", "totals", "schemas")


def native(name):
    return os.path.join(places.build(), "tests", "bench", "native", name)


def frame(schema):
    """The ten bytes before a value of a schema, in hexadecimal."""
    return (MARKER + Schemas(SCHEMAS).prints[schema]).hex()


def tally(bootstrap, topic, *expected):
    """What is committed on a topic; with (records, keys, seed) compared with what should be."""
    code, out, err = run([native("tally"), bootstrap, topic, *map(str, expected)], 600)
    assert code == 0, f"tally of {topic}: {err}"
    return json.loads(out)


class Readings:
    """A topic of readings."""

    def __init__(self, cluster, topic, keys, settings):
        self.cluster, self.topic, self.keys, self.settings = cluster, topic, keys, settings
        self.records = 0
        topics.create(cluster, topic, settings.partitions)

    def _command(self, records, *more):
        s = self.settings
        return [
            native("load"),
            self.cluster.bootstrap,
            self.topic,
            *map(str, (self.records, records, self.keys, s.bytes, s.seed, frame("Reading"), *more)),
        ]

    def load(self, records):
        """Writes so many more, at once."""
        code, out, err = run(self._command(records), 900)
        assert code == 0, f"load of {self.topic}: {err}"
        self.records += records
        return json.loads(out)

    def trickle(self, log):
        """A process that goes on writing at a steady rate; `end_trickle` ends it."""
        most = self.settings.trickle * 3600
        return Process("load", self._command(most, self.settings.trickle), log)

    def end_trickle(self, process):
        code = process.terminate()
        assert code == 0, process.tail()
        self.records += json.loads(process.output().strip().splitlines()[-1])["records"]

    def ends(self):
        """The end of each partition."""
        asked = [tp for tp in self.cluster.partitions(self.topic) if tp.topic == self.topic]
        ends = self.cluster.ends(asked)
        return [ends[self.topic, p] for p in range(self.settings.partitions)]

    def tally(self, output):
        """What is committed on an output topic, compared with what these readings add up to."""
        return tally(self.cluster.bootstrap, output, self.records, self.keys, self.settings.seed)
