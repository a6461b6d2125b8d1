"""Where the CPU time of a contender goes while it drains, by perf: threads, libraries, functions."""

import collections
import os
import re
import signal
import subprocess

from mrtest import places

SAMPLES_A_SECOND = 499
END_SECONDS = 60
TOP = 12
SAMPLE = re.compile(r"^(?P<thread>.+?)\s+[0-9a-f]+ (?P<function>.*?)(?:\+0x[0-9a-f]+)? \((?P<place>.*)\)$")


class Profile:
    """Samples begin when it is made, and end when it is read."""

    def __init__(self, process, path):
        self.path = path
        pids = [part.pid for part in getattr(process, "parts", [process])]
        command = ["perf", "record", "-q", "-F", str(SAMPLES_A_SECOND), "-o", path, "-p", ",".join(map(str, pids))]
        self.recorder = subprocess.Popen(
            command,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            env=places.environment(),
        )

    def read(self):
        """For each thread that has a hundredth of the samples: its share in per cent, and those of libraries and
        functions in it."""
        self.recorder.send_signal(signal.SIGINT)
        code = self.recorder.wait(END_SECONDS)
        # It has written its file, and then ends by the same signal.
        assert code in (0, -signal.SIGINT), f"perf record ended with {code}"
        command = ["perf", "script", "-i", self.path, "-F", "comm,ip,sym,symoff,dso"]
        done = subprocess.run(command, capture_output=True, text=True, timeout=120, check=True, env=places.environment())
        samples = [found for found in map(SAMPLE.match, done.stdout.splitlines()) if found]
        assert samples, "perf has no samples"
        threads = collections.defaultdict(list)
        for sample in samples:
            threads[sample["thread"].strip()].append(sample)
        found = [thread_of(name, of_it, len(samples)) for name, of_it in threads.items()]
        return sorted((thread for thread in found if thread["share"] >= 1), key=lambda thread: -thread["share"])


def thread_of(name, samples, n_all):
    places_of = collections.Counter(short(sample["place"]) for sample in samples)
    functions = collections.Counter((plain(sample["function"]), short(sample["place"])) for sample in samples)
    return {
        "thread": name,
        "share": round(100 * len(samples) / n_all, 1),
        "places": {place: round(100 * n / n_all, 1) for place, n in places_of.most_common()},
        "functions": [
            [function, place, round(100 * n / n_all, 1)] for (function, place), n in functions.most_common(TOP)
        ],
    }


def short(place):
    """librdkafka.so.1 -> librdkafka, [kernel.kallsyms] -> kernel"""
    if place.startswith("[kernel") or place.startswith("[guest.kernel"):
        return "kernel"
    return os.path.basename(place).split(".so")[0]


def plain(function):
    """Without what the linker adds to a name."""
    return re.sub(r"\.(lto_priv|constprop|isra|part|cold)[.0-9]*", "", function)


def text(rows):
    """Per cent of the contender's CPU time, for people."""
    lines = []
    for row in (row for row in rows if row.get("profile")):
        rate = f"{row['records_per_second']:,} records/s" if row.get("records_per_second") else "no rate"
        lines.append(f"{row['workload']}, {row['case']}, {row['contender']}, {row['guarantee']}: {rate} meanwhile")
        for thread in row["profile"]:
            where = ", ".join(f"{place} {share}" for place, share in thread["places"].items() if share >= 0.5)
            lines.append(f"  {thread['share']:5.1f} %  {thread['thread']}: {where}")
            lines.extend(
                f"             {share:5.1f}  {function} ({place})"
                for function, place, share in thread["functions"]
                if share >= 0.5
            )
        lines.append("")
    return "\n".join(lines)
