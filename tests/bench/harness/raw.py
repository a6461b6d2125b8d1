"""The limit: librdkafka's own consume and produce, without state."""

from harness import topics
from harness.contender import Native
from harness.source import native

TOTAL_BYTES = 18  # about what a total takes: the frame and three longs


class Raw(Native):
    """The program `raw`, which writes a record of a total's size for each that it reads; with `has_changelog` a
    second one to a changelog."""

    kind = "raw"
    is_stateful = False
    figures = ("drain",)

    def __init__(self, name, title, librdkafka="newer", value_bytes=TOTAL_BYTES, has_changelog=False):
        super().__init__(name, title, librdkafka)
        self.value_bytes, self.has_changelog = value_bytes, has_changelog

    def changelog(self, run):
        return [f"{run.name}.changelog"] if self.has_changelog else []

    def prepare(self, run):
        topics.create(run.cluster, run.output, run.settings.partitions)
        for name in self.changelog(run):
            topics.create(run.cluster, name, run.settings.partitions, **{"cleanup.policy": "compact"})

    def start(self, run):
        command = [native("raw"), run.cluster.bootstrap, run.name, run.input, run.output]
        how = [run.guarantee, str(run.settings.commit_ms), str(self.value_bytes)]
        return self.launch(run, command + how + self.changelog(run))
