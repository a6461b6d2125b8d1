"""Workload totals: per key count, sum and last value of readings; one output per reading."""

import dataclasses

from harness import growth, measure
from harness.ours import Millrace
from harness.raw import Raw
from harness.readings import Readings, tally
from harness.source import frame
from harness.streams import CACHES, Streams

FEW_RECORDS = 500000
# Of the figures growth and partitions, which multiply the turns: one of each sort, the peer with and without its cache.
SCALED = ("raw", "lua", "fold", "streams-processor-default", "streams-processor-0")



class StreamsTotals(Streams):
    """One of its two APIs."""

    def __init__(self, api, cache, static=True):
        name = f"streams-{api}-{cache}{'' if static else '-dynamic'}"
        super().__init__(name, {"processor": "Processor API", "dsl": "DSL"}[api], cache, static)
        self.api = api
        # The DSL's cache swallows results that a later one of the same key replaces.
        self.is_one_to_one = api == "processor" or cache == "0"
        if not static:
            self.figures = ("restart",)
        elif not self.is_one_to_one:
            self.figures = ("drain", "restore", "restart")

    def of_workload(self, run):
        return {"bench.workload": "totals", "bench.api": self.api, "bench.frame": frame("totals", "Total")}


# A contender more is a line more here: another app of ours is Millrace(name, title, app=DIRECTORY).
CONTENDERS = [
    Raw("raw", "librdkafka alone"),
    Raw("raw-changelog", "librdkafka alone, with a changelog", has_changelog=True),
    Raw("raw-distribution", "librdkafka alone, the distribution's", librdkafka="distribution"),
    Millrace("lua", "millrace, handlers in Lua"),
    Millrace("fold", "millrace, built-in operators", app="totals-fold"),
    Millrace("lua-distribution", "millrace, handlers in Lua, the distribution's librdkafka", librdkafka="distribution"),
    *[StreamsTotals(api, cache) for api in ("processor", "dsl") for cache in CACHES],
    StreamsTotals("processor", "default", static=False),
]


def scaled(settings):
    return [contender for contender in settings.chosen(CONTENDERS) if contender.name in SCALED]


def check(contender, found, records, exact=True):
    """Whether the outputs are what the inputs call for, as far as the contender promises that; `exact`: whether it
    promises that every input counts once."""
    if exact and contender.is_one_to_one:
        assert found["records"] == records, f"{records} inputs made {found['records']} outputs"
    if exact and contender.is_stateful:
        assert found["wrong_keys"] == 0 and found["foreign"] == 0 and found["counted"] == records, (
            f"{found['wrong_keys']} keys have a wrong total, {found['foreign']} outputs are not of the workload, "
            f"the counts add up to {found['counted']} of {records}"
        )


def tally_of(contender, run, readings):
    """A stateless contender's values are no totals."""
    return readings.tally(run.output) if contender.is_stateful else tally(run.cluster, run.output)


class Totals:
    """Each number of keys is a case with a broker and an input of its own; so is each step of a growth."""

    name = "totals"
    contenders = CONTENDERS

    def __init__(self, session):
        self.session, self.settings = session, session.settings
        self.figures = set(session.settings.figures)

    def run(self):
        if self.figures & {"drain", "restore", "restart", "latency"}:
            for keys in self.settings.keys:
                self._case({"case": f"{keys} keys"}, keys, self.settings, self._turns)
        if "partitions" in self.figures:
            self._many_partitions()
        if "growth" in self.figures:
            self._growth()

    def _case(self, labels, keys, settings, turns):
        """`turns(labels, readings)` takes one round."""
        with self.session.fresh_broker() as cluster:
            readings = Readings(cluster, "readings", keys, settings)
            readings.load(settings.records)
            for number in range(1, settings.rounds + 1):
                turns({"workload": self.name, **labels, "round": number}, readings)

    def _turns(self, labels, readings):
        """A restart is measured with the most keys, which is the largest state, latency with the fewest."""
        for guarantee in self.settings.guarantees:
            for contender in self.settings.chosen(CONTENDERS):
                figures = self.figures & set(contender.figures)
                if figures & {"drain", "restore"}:
                    self._drain(labels, contender, guarantee, readings)
                if "restart" in figures and readings.keys == max(self.settings.keys):
                    self._restart(labels, contender, guarantee, readings.keys)
                if "latency" in figures and readings.keys == min(self.settings.keys):
                    self._latency(labels, contender, guarantee, readings.keys)

    def _many_partitions(self):
        """Little work in many partitions: what the partitions themselves take."""
        s = self.settings
        settings = dataclasses.replace(s, partitions=s.many_partitions, records=min(s.records, FEW_RECORDS))

        def turns(labels, readings):
            for contender in scaled(s):
                self._drain(labels, contender, s.guarantees[0], readings, is_idle_measured=True)

        self._case({"case": f"{s.many_partitions} partitions"}, min(s.keys), settings, turns)

    def _growth(self):
        """More keys, more partitions, larger records; one of them at a time."""
        s = self.settings
        base = {"keys": max(1, max(s.keys) // growth.FACTORS[-1]), "partitions": s.partitions, "bytes": s.bytes}

        def turns(labels, readings):
            for contender in scaled(s):
                self._drain(labels, contender, s.guarantees[0], readings)

        for dimension, factor, sizes in growth.steps(base):
            labels = {"workload": growth.WORKLOAD, "case": f"{factor} x {dimension}", "dimension": dimension}
            settings = dataclasses.replace(s, partitions=sizes["partitions"], bytes=sizes["bytes"])
            self._case({**labels, "factor": factor, **sizes}, sizes["keys"], settings, turns)

    def _drain(self, labels, contender, guarantee, readings, is_idle_measured=False):
        session = self.session

        def work(run, row):
            contender.prepare(run)
            process = contender.start(run)
            yield process
            row.update(measure.drain(contender, run, process, readings.records, readings.ends(), session.broker_load))
            found = tally_of(contender, run, readings)
            row.update(outputs=found["records"], output_bytes=found["bytes"])
            check(contender, found, readings.records)
            if is_idle_measured:
                row.update(measure.idle(contender, process, session.broker_load))
            elif "restore" in self.figures & set(contender.figures) and labels["workload"] == self.name:
                session.broker_load.wait_idle()
                process, figures = measure.restore(contender, run, process)
                row.update(figures)
                yield process

        session.turn(labels, contender, guarantee, work, source=readings.topic, settings=readings.settings)

    def _restart(self, labels, contender, guarantee, keys):
        session = self.session

        def work(run, row):
            readings = Readings(run.cluster, run.input, keys, self.settings)
            readings.load(self.settings.records)
            contender.prepare(run)
            session.broker_load.wait_idle()
            process = contender.start(run)
            yield process
            measure.drain(contender, run, process, readings.records, readings.ends(), session.broker_load)
            process, figures = measure.restart(contender, run, process, readings)
            row.update(figures)
            yield process
            # After a crash only exactly_once promises that; what at_least_once made is noted.
            found = tally_of(contender, run, readings)
            row.update(restart_inputs=readings.records, restart_outputs=found["records"])
            row["restart_wrong_keys"] = found["wrong_keys"]
            check(contender, found, readings.records, exact=guarantee == "exactly_once")

        session.turn(labels, contender, guarantee, work)

    def _latency(self, labels, contender, guarantee, keys):
        session = self.session

        def work(run, row):
            readings = Readings(
                run.cluster, run.input, keys, self.settings, **{"message.timestamp.type": "LogAppendTime"}
            )
            contender.prepare(run)
            session.broker_load.wait_idle()
            process = contender.start(run)
            yield process
            row.update(measure.latency(contender, run, process, readings))
            check(contender, tally_of(contender, run, readings), readings.records)

        session.turn(labels, contender, guarantee, work)
