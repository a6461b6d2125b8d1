"""The input of a workload: a topic that the program `load` writes, at once or at a steady rate."""

import json
import os

from harness import topics
from mrtest import places
from mrtest.avro import MARKER, Schemas
from mrtest.process import Process, run


def native(name):
    return os.path.join(places.build(), "tests", "bench", "native", name)


def frame(app, schema):
    """The ten bytes before a value of a schema of an app, in hexadecimal."""
    directory = os.path.join(places.ROOT, "tests", "bench", "apps", app, "schemas")
    return (MARKER + Schemas(directory).prints[schema]).hex()


class Source:
    """A topic of generated records; `keys` and `size` (of a value, in bytes) and `frame` say which."""

    def __init__(self, cluster, topic, settings, keys, size, schema, **config):
        self.cluster, self.topic, self.settings, self.keys = cluster, topic, settings, keys
        self.size, self.frame = size, schema
        self.records = 0
        topics.create(cluster, topic, settings.partitions, **config)

    def _command(self, records, *rate):
        sizes = (self.records, records, self.keys, self.size, self.settings.seed, self.frame, *rate)
        return [native("load"), self.cluster.bootstrap, self.topic, *map(str, sizes)]

    def load(self, records):
        """Writes so many more, at once."""
        code, _, err = run(self._command(records), 1800)
        assert code == 0, f"load of {self.topic}: {err}"
        self.records += records

    def trickle(self, log):
        """A process that goes on writing at a steady rate; `end_paced` ends it."""
        return self.paced(log, self.settings.trickle, self.settings.trickle * 3600)

    def paced(self, log, rate, records):
        """A process that writes so many more at a steady rate."""
        return Process("load", self._command(records, rate), log)

    def end_paced(self, process):
        """What it says that it did; ends it if it has not."""
        code = process.terminate()
        assert code == 0, process.tail()
        found = json.loads(process.output().strip().splitlines()[-1])
        self.records += found["records"]
        return found

    def ends(self):
        return topics.ends(self.cluster, self.topic)
