"""The machine-readable results, and what the rounds of one contender come to."""

import dataclasses
import json
import os
import statistics

from harness import machine

FILE = "results.json"


def line(row):
    """One turn, for people who are watching."""
    what = f"{row['workload']:8} {row['case']:14} {row['contender']:26} {row['guarantee']:13} round {row['round']}"
    if row["failed"] is not None:
        return f"{what}  FAILED: {row['failed']}"
    figures = [
        (row.get("records_per_second"), "{:,} records/s"),
        (row.get("cpu_per_million"), "{} CPU s per million"),
        (row.get("peak_mib"), "{} MiB"),
        (row.get("startup_seconds"), "first commit after {} s"),
        (row.get("restore_seconds"), "restored in {} s"),
        (row.get("restart_seconds"), "restarted in {} s"),
        (row.get("latency_p50_ms"), "p50 {} ms"),
        (row.get("latency_p99_ms"), "p99 {} ms"),
        (row.get("idle_mib"), "{} MiB when idle"),
    ]
    return f"{what}  " + ", ".join(text.format(value) for value, text in figures if value is not None)


class Results:
    """Everything that was measured, written again after every turn."""

    def __init__(self, settings):
        self.directory = settings.out
        os.makedirs(self.directory, exist_ok=True)
        self.data = {
            "date": machine.now(),
            "machine": machine.describe(),
            "versions": machine.versions(),
            "settings": {k: v for k, v in dataclasses.asdict(settings).items() if k != "out"},
            "rows": [],
        }

    def add(self, row):
        self.data["rows"].append(row)
        path = os.path.join(self.directory, FILE)
        with open(f"{path}.part", "w", encoding="utf-8") as f:
            json.dump(self.data, f, indent=1)
            f.write("\n")
        os.replace(f"{path}.part", path)

    @property
    def failures(self):
        return [row for row in self.data["rows"] if row["failed"] is not None]


def spread(rows, figure):
    """(median, min, max) of a figure over the rounds that have it; None when none has."""
    values = [row[figure] for row in rows if row.get(figure) is not None]
    return (statistics.median(values), min(values), max(values)) if values else None


def cases(rows):
    """{(workload, case, guarantee): {contender: its rows}} in the order in which they came."""
    found = {}
    for row in rows:
        case = found.setdefault((row["workload"], row["case"], row["guarantee"]), {})
        case.setdefault(row["contender"], []).append(row)
    return found


def fastest(case, kind, is_wanted=lambda row: True):
    """The best median rate of the contenders of a kind, counting the rows that are wanted; None when there is none."""
    found = [
        spread([row for row in rows if row["kind"] == kind and is_wanted(row)], "records_per_second")
        for rows in case.values()
    ]
    medians = [values[0] for values in found if values]
    return max(medians) if medians else None


def cost(rows, least):
    """The rate of exactly-once as a share of that of at-least-once, both medians; None without both."""
    once, other = spread(rows, "records_per_second"), spread(least, "records_per_second")
    return once[0] / other[0] if once and other else None


def is_one_to_one(row):
    """Whether it made every output: one for each input, where the workload does not say another number."""
    return row.get("outputs") == row.get("promised_outputs", row.get("records"))
