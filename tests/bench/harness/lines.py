"""The input of workload shuffle, and what came of it, which the program `recount` compares with what its rules make."""

import json

from harness import topics
from harness.source import Source, frame, native
from mrtest.process import run

RATE = 10  # lines that a rule counts for one output


class Lines(Source):
    """A topic of lines, which have no key."""

    def __init__(self, cluster, topic, settings):
        super().__init__(cluster, topic, settings, 0, settings.line_bytes, frame("shuffle", "Line"))

    def recount(self, output, changelog, rules):
        """What is committed on an output topic, and how many rules have not what their lines make."""
        for topic in (output, changelog):
            topics.wait_stable(self.cluster, topic)
        sizes = (self.records, rules, RATE, self.settings.seed)
        code, out, err = run([native("recount"), self.cluster.bootstrap, output, changelog, *map(str, sizes)], 900)
        assert code == 0, f"recount of {output}: {err}"
        return json.loads(out)
