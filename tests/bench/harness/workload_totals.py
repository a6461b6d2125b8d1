"""Workload totals: per key count, sum and last value of readings; one output per reading."""

import fnmatch

from harness import measure
from harness.ours import Millrace
from harness.raw import Raw
from harness.readings import Readings, tally
from harness.streams import CACHES, Streams

# A contender more is a line more here: another app of ours is Millrace(name, title, app=DIRECTORY).
CONTENDERS = [
    Raw("raw", "librdkafka alone"),
    Raw("raw-distribution", "librdkafka alone, the distribution's", librdkafka="distribution"),
    Millrace("lua", "millrace, handlers in Lua"),
    Millrace("lua-distribution", "millrace, handlers in Lua, the distribution's librdkafka", librdkafka="distribution"),
    *[Streams(api, cache) for api in ("processor", "dsl") for cache in CACHES],
    Streams("processor", "default", static=False),
]


def chosen(settings):
    return [c for c in CONTENDERS if any(fnmatch.fnmatchcase(c.name, pattern) for pattern in settings.contenders)]


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
    return readings.tally(run.output) if contender.is_stateful else tally(run.cluster.bootstrap, run.output)


class Totals:
    """Each number of keys is a case with a broker and an input of its own."""

    name = "totals"

    def __init__(self, session):
        self.session, self.settings = session, session.settings

    def run(self):
        for keys in self.settings.keys:
            with self.session.fresh_broker() as cluster:
                readings = Readings(cluster, "readings", keys, self.settings)
                readings.load(self.settings.records)
                for number in range(1, self.settings.rounds + 1):
                    self._round({"workload": self.name, "case": f"{keys} keys", "round": number}, readings)

    def _round(self, labels, readings):
        for guarantee in self.settings.guarantees:
            for contender in chosen(self.settings):
                if "drain" in contender.figures and {"drain", "restore"} & set(self.settings.figures):
                    self._drain(labels, contender, guarantee, readings)
                if "restart" in contender.figures and "restart" in self.settings.figures:
                    self._restart(labels, contender, guarantee, readings.keys)

    def _drain(self, labels, contender, guarantee, readings):
        session = self.session

        def work(run, row):
            contender.prepare(run)
            process = contender.start(run)
            yield process
            row.update(measure.drain(contender, run, process, readings.records, readings.ends(), session.broker_load))
            found = tally_of(contender, run, readings)
            row.update(outputs=found["records"], output_bytes=found["bytes"])
            check(contender, found, readings.records)
            if "restore" in self.settings.figures and "restore" in contender.figures:
                session.broker_load.wait_idle()
                process, figures = measure.restore(contender, run, process)
                row.update(figures)
                yield process

        session.turn(labels, contender, guarantee, work, source=readings.topic)

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
