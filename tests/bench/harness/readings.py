"""The input of workload totals, and what came of it counted by the program `tally`."""

import json

from harness import topics
from harness.source import Source, frame, native
from mrtest.process import run


def tally(cluster, topic, *expected):
    """What is committed on a topic; with (records, keys, seed) compared with what should be."""
    topics.wait_stable(cluster, topic)
    code, out, err = run([native("tally"), cluster.bootstrap, topic, *map(str, expected)], 600)
    assert code == 0, f"tally of {topic}: {err}"
    return json.loads(out)


class Readings(Source):
    """A topic of readings."""

    def __init__(self, cluster, topic, keys, settings, **config):
        super().__init__(cluster, topic, settings, keys, settings.bytes, frame("totals", "Reading"), **config)

    def tally(self, output):
        """What is committed on an output topic, compared with what these readings add up to."""
        return tally(self.cluster, output, self.records, self.keys, self.settings.seed)
