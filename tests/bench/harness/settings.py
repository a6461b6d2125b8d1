"""What one run of the benchmark is asked to do, from the command line."""

import argparse
import dataclasses
import datetime
import fnmatch
import os

from mrtest import places

FIGURES = ("drain", "restore", "restart", "latency", "growth", "partitions", "eos")
GUARANTEES = ("exactly_once", "at_least_once")
SHORT = {
    "contenders": ["raw", "lua", "streams-processor-default", "streams-default"],
    "records": 100000,
    "keys": [10000],
    "rounds": 1,
    "commands": 20000,
    "carts": 1000,
    "lines": 100000,
    "rules": [10000],
    "latency_rate": 2000,
    "latency_seconds": 5,
    "warm_seconds": 3,
}
FULL = {"figures": list(FIGURES), "guarantees": list(GUARANTEES), "rounds": 3}


@dataclasses.dataclass
class Settings:
    """The same for every contender."""

    workloads: list
    contenders: list
    guarantees: list
    figures: list
    rounds: int
    records: int
    keys: list
    bytes: int
    seed: int
    commands: int
    carts: int
    lines: int
    line_bytes: int
    rules: list
    state_bytes: int
    partitions: int
    threads: int
    commit_ms: int
    memory_mib: int
    many_partitions: int
    trickle: int
    latency_rate: int
    latency_seconds: int
    warm_seconds: int
    java_options: str
    profile: bool
    out: str

    def chosen(self, contenders):
        """Those whose names are wanted."""
        return [c for c in contenders if any(fnmatch.fnmatchcase(c.name, pattern) for pattern in self.contenders)]


def words(text):
    return [word for word in text.split(",") if word]


def numbers(text):
    return [int(word) for word in words(text)]


def parser_of(workloads, description):
    parser = argparse.ArgumentParser(
        description=description, formatter_class=argparse.ArgumentDefaultsHelpFormatter, allow_abbrev=False
    )
    add = parser.add_argument
    size = parser.add_mutually_exclusive_group()
    size.add_argument("--short", action="store_true", help="a small run that only shows that everything works")
    size.add_argument("--full", action="store_true", help="every figure, both guarantees, three rounds: hours")
    add("--list", action="store_true", help="say which workloads, contenders and figures there are")
    add("--workloads", type=words, default=sorted(workloads), help=f"of {', '.join(sorted(workloads))}")
    add("--contenders", type=words, default=["*"], help="names; * and ? stand for any characters")
    add("--guarantees", type=words, default=["exactly_once"], help=f"of {', '.join(GUARANTEES)}")
    add("--figures", type=words, default=["drain", "restore"], help=f"of {', '.join(FIGURES)}")
    add("--rounds", type=int, default=3, help="how often each contender runs, in turn with the others")
    add("--records", type=int, default=3000000, help="of workload totals")
    add("--keys", type=numbers, default=[10000, 1000000], help="of workload totals, each a case of its own")
    add("--bytes", type=int, default=120, help="of a record's value in workload totals")
    add("--seed", type=int, default=1, help="of the records of workload totals")
    add("--commands", type=int, default=500000, help="of workload tickets")
    add("--carts", type=int, default=10000, help="of workload tickets")
    add("--lines", type=int, default=3000000, help="records of workload shuffle")
    add("--line-bytes", type=int, default=1024, help="of a record's value in workload shuffle")
    add("--rules", type=numbers, default=[100000, 1000000], help="of workload shuffle, each a case of its own")
    add("--state-bytes", type=int, default=32, help="of a rule's state in workload shuffle")
    add("--partitions", type=int, default=4, help="of every topic of workloads totals and shuffle")
    add("--threads", type=int, default=1, help="num.workers and num.stream.threads")
    add("--commit-ms", type=int, default=100, help="commit.interval.ms")
    add("--memory-mib", type=int, default=128, help="memory.budget, and the cache of streams-*-same")
    add("--many-partitions", type=int, default=100, help="of figure partitions")
    add("--trickle", type=int, default=1000, help="records a second while a contender is killed")
    add("--latency-rate", type=int, default=10000, help="records a second of figure latency")
    add("--latency-seconds", type=int, default=30, help="how long its records are measured")
    add("--warm-seconds", type=int, default=10, help="how long its records are sent before that")
    add("--java-options", default="", help="for Kafka Streams; none: the machine's defaults")
    add("--profile", action="store_true", help="sample each drain with perf, which slows it a little")
    add("--out", help="directory of the results (default: one in the build directory, by date)")
    return parser


def read(arguments, workloads, description):
    """(Settings, whether only the list is wanted)"""
    parser = parser_of(workloads, description)
    options = parser.parse_args(arguments)
    # What is said beside --short or --full wins.
    parser.set_defaults(**(SHORT if options.short else FULL if options.full else {}))
    options = parser.parse_args(arguments)
    for name, known in (("workloads", workloads), ("guarantees", GUARANTEES), ("figures", FIGURES)):
        for word in getattr(options, name):
            if word not in known:
                parser.error(f"--{name}: there is no {word}; there are {', '.join(sorted(known))}")
    if "eos" in options.figures:
        options.guarantees = list(GUARANTEES)
        options.figures = sorted({*options.figures, "drain"}, key=FIGURES.index)
    moment = datetime.datetime.now(datetime.timezone.utc).strftime("%Y-%m-%dT%H%M%SZ")
    out = os.path.abspath(options.out or os.path.join(places.build(), "bench-results", moment))
    fields = {field.name: getattr(options, field.name) for field in dataclasses.fields(Settings) if field.name != "out"}
    return Settings(out=out, **fields), options.list
