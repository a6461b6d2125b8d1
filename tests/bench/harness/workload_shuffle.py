"""Workload shuffle: ShuffleBench. Lines go to the rules that they match, which count them. Two processes of ours, for
the matcher and the counter; one of Kafka Streams, with the threads and the memory of two."""

import os
import re

from harness import measure, ours, topics
from harness.contender import Native
from harness.lines import RATE, Lines
from harness.offsets import Offsets
from harness.source import frame
from harness.streams import CACHES, Streams
from harness.together import Together
from mrtest import places

STATE_BYTES = 32  # of a state without its prefix, as ShuffleBench counts
REST_SECONDS = 900
# The rules are tables of Lua: a million of them are more than the presets of these allow.
MATCHER = {"lua.instructions.max": "100000000", "lua.memory.max": "512m"}
MATCH = (
    'return {{ app = "{name}", input = "{input}", matches = "{matches}", partitions = {n}, '
    'rules = {rules}, schemas = "{schemas}", object = "{objects}/match.so" }}\n'
)
COUNT = (
    'return {{ app = "{name}", matches = "{matches}", output = "{output}", partitions = {n}, '
    'rate = {rate}, prefix = {prefix}, schemas = "{schemas}", object = "{objects}/count.so" }}\n'
)


def wait_counted(contender, run, process):
    """The moment when the counter has committed all that the matcher has sent it, once that has sent all.

    A transaction's mark is an offset, too: the last one of a partition is no record then.
    """
    group, topic = contender.last_step(run)
    topics.wait_stable(run.cluster, topic)
    marks = 1 if run.guarantee == "exactly_once" else 0
    ends = [max(0, end - marks) for end in topics.ends(run.cluster, topic)]
    offsets = Offsets(run.cluster.bootstrap, group, topic, len(ends))
    try:
        return offsets.wait_all(f"{contender.name} to count everything", ends, REST_SECONDS, process)[0]
    finally:
        offsets.close()


class MillraceShuffle(Native):
    """The apps in a directory of apps, a process each."""

    figures = ("drain", "restore", "restart")

    def __init__(self, name, title, apps):
        super().__init__(name, title)
        self.apps = apps

    def matches(self, run):
        return f"{run.name}.matches"

    def group(self, run):
        return f"{run.name}-match-match"

    def changelog(self, run):
        return f"{run.name}-count-count-states-changelog"

    def prepare(self, run):
        s = run.settings
        names = {
            "input": run.input,
            "output": run.output,
            "matches": self.matches(run),
            "n": s.partitions,
            "schemas": os.path.join(places.ROOT, "tests", "bench", "apps", "shuffle", "schemas"),
            "objects": os.path.join(places.build(), "tests", "bench", "apps"),
        }
        texts = {
            "match": MATCH.format(name=f"{run.name}-match", rules=run.rules, **names),
            "count": COUNT.format(name=f"{run.name}-count", rate=RATE, prefix=s.state_bytes - STATE_BYTES, **names),
        }
        ours.copy_app(self.apps, run.path("app"), texts)
        for app in texts:
            ours.apply_topics(run.path("app", app), self.options(run, app))

    def options(self, run, app):
        return ours.arguments(run) + (ours.words(MATCHER) if app == "match" else [])

    def start(self, run):
        parts = [
            ours.start(self, run, f"{run.name}-{name}", run.path("app", name), stage, self.options(run, name))
            for name, stage in (
                ("match", ("match", "transform", run.input)),
                ("count", ("count", "project", self.matches(run))),
            )
        ]
        return Together(self.name, parts)

    def last_step(self, run):
        return f"{run.name}-count-count", self.matches(run)

    def wait_rest(self, run, process):
        return wait_counted(self, run, process)

    def is_ready(self, process):
        waiting = [answer for answer in (part.is_ready() for part in process.parts) if not answer]
        return waiting[0] if waiting else True

    def restored(self, process):
        return sum(int(n) for n in re.findall(r"ready restored=(\d+)", process.output()))


class StreamsShuffle(Streams):
    """Both steps in one topology, with a repartition topic between them."""

    figures = ("drain", "restore", "restart")

    def __init__(self, cache):
        super().__init__(f"streams-{cache}", "Processor API", cache, processes=2)

    def of_workload(self, run):
        s = run.settings
        return {
            "bench.workload": "shuffle",
            "bench.frame": frame("shuffle", "State"),
            "bench.rules": run.rules,
            "bench.rate": RATE,
            "bench.prefix": s.state_bytes - STATE_BYTES,
            "bench.partitions": s.partitions,
        }

    def changelog(self, run):
        return f"{run.name}-states-changelog"

    def last_step(self, run):
        return run.name, f"{run.name}-matches-repartition"

    def wait_rest(self, run, process):
        return wait_counted(self, run, process)


CONTENDERS = [
    MillraceShuffle("lua", "millrace, matcher and counter in Lua", "shuffle"),
    MillraceShuffle("native", "millrace, matcher and counter in C (native handlers)", "shuffle-native"),
    *[StreamsShuffle(cache) for cache in CACHES],
]


def check(found):
    """Whether the outputs and the states are what the lines call for."""
    assert found["wrong_rules"] == 0 and found["foreign"] == 0, (
        f"{found['wrong_rules']} rules have a wrong state or outputs, {found['foreign']} records are no rule's"
    )


class Shuffle:
    """Each number of rules is a case; all cases have the same lines."""

    name = "shuffle"
    contenders = CONTENDERS

    def __init__(self, session):
        self.session, self.settings = session, session.settings

    def run(self):
        with self.session.fresh_broker() as cluster:
            lines = Lines(cluster, "lines", self.settings)
            lines.load(self.settings.lines)
            for number in range(1, self.settings.rounds + 1):
                for rules in self.settings.rules:
                    self._round({"workload": self.name, "case": f"{rules} rules", "round": number}, lines, rules)

    def _round(self, labels, lines, rules):
        for guarantee in self.settings.guarantees:
            for contender in self.settings.chosen(CONTENDERS):
                if {"drain", "restore"} & set(self.settings.figures):
                    self._drain(labels, contender, guarantee, lines, rules)
                if "restart" in self.settings.figures and rules == max(self.settings.rules):
                    self._restart(labels, contender, guarantee, rules)

    def _drain(self, labels, contender, guarantee, lines, rules):
        session = self.session

        def work(run, row):
            run.rules = rules
            contender.prepare(run)
            process = contender.start(run)
            yield process
            row.update(measure.drain(contender, run, process, lines.records, lines.ends(), session.broker_load))
            if isinstance(process, Together):
                row["parts"] = process.measured()
            found = lines.recount(run.output, contender.changelog(run), rules)
            row.update(outputs=found["records"], output_bytes=found["bytes"], matches=found["matches"])
            row["promised_outputs"] = found["records"]  # each is compared with its rule's
            check(found)
            if "restore" in self.settings.figures:
                session.broker_load.wait_idle()
                process, figures = measure.restore(contender, run, process)
                row.update(figures)
                yield process

        session.turn(labels, contender, guarantee, work, source=lines.topic)

    def _restart(self, labels, contender, guarantee, rules):
        session = self.session

        def work(run, row):
            run.rules = rules
            lines = Lines(run.cluster, run.input, self.settings)
            lines.load(self.settings.lines)
            contender.prepare(run)
            session.broker_load.wait_idle()
            process = contender.start(run)
            yield process
            measure.drain(contender, run, process, lines.records, lines.ends(), session.broker_load)
            process, figures = measure.restart(contender, run, process, lines)
            row.update(figures)
            yield process
            found = lines.recount(run.output, contender.changelog(run), rules)
            row.update(restart_inputs=lines.records, restart_outputs=found["records"])
            row["restart_wrong_rules"] = found["wrong_rules"]
            # After a crash only exactly_once promises that; what at_least_once made is noted.
            if guarantee == "exactly_once":
                check(found)

        session.turn(labels, contender, guarantee, work)
