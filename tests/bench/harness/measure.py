"""What is measured of a contender. Everything is seen from outside, the same way for all of them."""

import os
import time

from harness.machine import busy_seconds, load_average, process_seconds
from harness.offsets import Offsets
from mrtest.waiting import until

DRAIN_SECONDS = 900
START_SECONDS = 120
RESTART_SECONDS = 180


class Watch:
    """The work that contender, broker and everything else do from now on."""

    def __init__(self, pid, broker_load):
        self.pid, self.broker_load = pid, broker_load
        self.start = self._now()

    def _now(self):
        return (time.monotonic(), process_seconds(self.pid), self.broker_load.seconds(), busy_seconds())

    def read(self):
        seconds, own, broker, busy = (now - then for now, then in zip(self._now(), self.start))
        return {
            "cpu_seconds": round(own, 2),
            "broker_cpu_seconds": round(broker, 2),
            "other_cpu_seconds": round(max(0.0, busy - own - broker), 2),
            "other_share": round(max(0.0, busy - own - broker) / seconds / os.cpu_count(), 3) if seconds else None,
        }


def drain(contender, run, process, records, ends, broker_load):
    """From its first commit to the moment when everything that was waiting is committed.

    `ends` are the offsets after the last record of each partition. They count the end marks of transactions, too;
    `records` does not.
    """
    offsets = Offsets(run.cluster.bootstrap, contender.group(run), run.input, len(ends))
    try:
        began, first = offsets.wait_above(f"{contender.name} to commit", 0, START_SECONDS, process)
        watch = Watch(process.pid, broker_load)
        ended, _ = offsets.wait_all(f"{contender.name} to commit everything", ends, DRAIN_SECONDS, process)
        work = watch.read()
        whole = process_seconds(process.pid)
    finally:
        offsets.close()
    left = round(records * (1 - first / sum(ends)))
    seconds = ended - began
    is_measured = left > 0 and seconds > 0
    return {
        "records": records,
        "startup_seconds": round(began - process.started, 3),
        "seconds": round(seconds, 3),
        "measured_records": left,
        "records_per_second": round(left / seconds) if is_measured else None,
        "cpu_per_million": round(whole / records * 1e6, 2),
        "broker_cpu_per_million": round(work["broker_cpu_seconds"] / left * 1e6, 2) if is_measured else None,
        "cpu_per_million_running": round(work["cpu_seconds"] / left * 1e6, 2) if is_measured else None,
        "peak_mib": round(process.peak_kilobytes() / 1024, 1),
        "load_average": load_average(),
        **work,
    }


def restore(contender, run, process):
    """A start with an empty disk and no new input, until it is ready. The process given is ended, the new one
    returned."""
    end(process)
    contender.drop_state(run)
    process = contender.start(run)
    until(f"{contender.name} to be ready", DRAIN_SECONDS, lambda: contender.is_ready(process), every=0.02)
    seconds = time.monotonic() - process.started
    restored = contender.restored(process)
    return process, {
        "restore_seconds": round(seconds, 3),
        "restored_records": restored,
        "restored_per_second": round(restored / seconds) if restored else None,
        "restore_cpu_seconds": round(process_seconds(process.pid), 2),
        "restore_peak_mib": round(process.peak_kilobytes() / 1024, 1),
    }


def restart(contender, run, process, readings):
    """SIGKILL while records trickle in; from the launch of the next process to its first commit. The new process
    is returned when it has caught up."""
    offsets = Offsets(run.cluster.bootstrap, contender.group(run), run.input, run.settings.partitions)
    trickle = readings.trickle(run.path("trickle.log"))
    try:
        low = offsets.total()
        offsets.wait_above(f"{contender.name} to follow", low + 2 * run.settings.trickle, START_SECONDS, process)
        process.kill()
        low = offsets.total()
        process = contender.start(run)
        moment, _ = offsets.wait_above(f"{contender.name} to commit again", low, RESTART_SECONDS, process)
        seconds = moment - process.started
        readings.end_trickle(trickle)
        offsets.wait_all(f"{contender.name} to catch up", readings.ends(), START_SECONDS, process)
    finally:
        if trickle.is_running():
            trickle.kill()
        offsets.close()
    return process, {"restart_seconds": round(seconds, 3)}


def end(process):
    code = process.terminate(90)
    assert code in (0, 143), f"{process.name} ended with {code} after SIGTERM\n{process.tail()}"
