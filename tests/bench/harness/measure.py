"""What is measured of a contender. Everything is seen from outside, the same way for all of them."""

import json
import os
import re
import time

from harness.machine import busy_seconds, load_average
from harness.offsets import Offsets
from harness.profile import Profile
from harness.source import native
from mrtest.process import Process
from mrtest.waiting import until

DRAIN_SECONDS = 900
START_SECONDS = 120
RESTART_SECONDS = 180


class Watch:
    """The work that contender, broker and everything else do from now on."""

    def __init__(self, process, broker_load):
        self.process, self.broker_load = process, broker_load
        self.start = self._now()

    def _now(self):
        return (time.monotonic(), self.process.cpu_seconds(), self.broker_load.seconds(), busy_seconds())

    def read(self):
        seconds, own, broker, busy = (now - then for now, then in zip(self._now(), self.start))
        return {
            "cpu_seconds": round(own, 2),
            "broker_cpu_seconds": round(broker, 2),
            "other_cpu_seconds": round(max(0.0, busy - own - broker), 2),
            "other_share": round(max(0.0, busy - own - broker) / seconds / os.cpu_count(), 3) if seconds else None,
        }


def drain(contender, run, process, records, ends, broker_load):
    """From its first commit to the moment when everything that was waiting is committed, and what it makes of that
    within itself, too.

    `ends` are the offsets after the last record of each partition. They count the end marks of transactions, too;
    `records` does not.
    """
    offsets = Offsets(run.cluster.bootstrap, contender.group(run), run.input, len(ends))
    try:
        began, first = offsets.wait_above(f"{contender.name} to commit", 0, START_SECONDS, process)
        watch = Watch(process, broker_load)
        profile = Profile(process, run.path("perf.data")) if run.settings.profile else None
        ended, _ = offsets.wait_all(f"{contender.name} to commit everything", ends, DRAIN_SECONDS, process)
        ended = contender.wait_rest(run, process) or ended
        work = watch.read()
        whole = process.cpu_seconds()
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
        **({"profile": profile.read()} if profile else {}),
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
        "restore_cpu_seconds": round(process.cpu_seconds(), 2),
        "restore_peak_mib": round(process.peak_kilobytes() / 1024, 1),
    }


def restart(contender, run, process, source):
    """SIGKILL while records trickle in; from the launch of the next process to its first commit. The new process
    is returned when it has caught up."""
    group, topic = contender.last_step(run)
    offsets = Offsets(run.cluster.bootstrap, group, topic, run.settings.partitions)
    trickle = source.trickle(run.path("trickle.log"))
    try:
        low = offsets.total()
        offsets.wait_above(f"{contender.name} to follow", low + run.settings.trickle, START_SECONDS, process)
        process.kill()
        low = offsets.total()
        process = contender.start(run)
        moment, _ = offsets.wait_above(f"{contender.name} to commit again", low, RESTART_SECONDS, process)
        seconds = moment - process.started
        source.end_paced(trickle)
        catch_up(contender, run, process, source)
    finally:
        if trickle.is_running():
            trickle.kill()
        offsets.close()
    return process, {"restart_seconds": round(seconds, 3)}


def catch_up(contender, run, process, source):
    offsets = Offsets(run.cluster.bootstrap, contender.group(run), run.input, run.settings.partitions)
    try:
        offsets.wait_all(f"{contender.name} to catch up", source.ends(), START_SECONDS, process)
    finally:
        offsets.close()
    contender.wait_rest(run, process)


def idle(contender, process, broker_load):
    """What it keeps when all is done and nothing comes."""
    broker_load.wait_idle()
    with open(f"/proc/{process.pid}/status", encoding="ascii") as f:
        resident = int(re.search(r"VmRSS:\s+(\d+)", f.read()).group(1))
    assert process.is_running(), f"{contender.name} ended with {process.popen.returncode}\n{process.tail()}"
    return {
        "peak_mib": round(process.peak_kilobytes() / 1024, 1),
        "idle_mib": round(resident / 1024, 1),
    }


def latency(contender, run, process, readings):
    """How old outputs are for a read_committed consumer, at a steady rate; `readings` has LogAppendTime."""
    s = run.settings
    records = s.latency_rate * (s.warm_seconds + s.latency_seconds)
    until(f"{contender.name} to be ready", START_SECONDS, lambda: contender.is_ready(process))
    command = [native("latency"), run.cluster.bootstrap, run.output, str(records), str(s.warm_seconds * 1000)]
    reader = Process("latency", command, run.path("latency.log"))
    load = None
    try:
        reader.wait_for_line("^ready$", START_SECONDS)
        load = readings.paced(run.path("load.log"), s.latency_rate, records)
        assert load.wait(2 * records // s.latency_rate + START_SECONDS) == 0, load.tail()
        sent = readings.end_paced(load)
        code = reader.wait(START_SECONDS)
        assert code == 0, reader.tail()
    finally:
        for helper in (reader, load):
            if helper is not None and helper.is_running():
                helper.kill()
    found = json.loads(reader.output().strip().splitlines()[-1])
    return {
        "latency_records": found["measured"],
        "latency_sent_per_second": round(sent["records"] / sent["seconds"]),
        **{f"latency_{name}": found[name] for name in ("p50_ms", "p95_ms", "p99_ms", "max_ms", "early")},
    }


def end(process):
    code = process.terminate(90)
    assert code in (0, 143), f"{process.name} ended with {code} after SIGTERM\n{process.tail()}"
