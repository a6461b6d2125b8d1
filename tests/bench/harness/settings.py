"""What one run of the benchmark is asked to do, from the command line."""

import argparse
import dataclasses
import datetime
import os

from mrtest import places

FIGURES = ("drain", "restore", "restart")
GUARANTEES = ("exactly_once", "at_least_once")
SHORT = {"records": 100000, "keys": [10000], "rounds": 1, "commands": 20000, "carts": 1000}
SHORT_CONTENDERS = ["raw", "lua", "streams-processor-default"]


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
    partitions: int
    threads: int
    commit_ms: int
    memory_mib: int
    trickle: int
    java_options: str
    out: str


def words(text):
    return [word for word in text.split(",") if word]


def numbers(text):
    return [int(word) for word in words(text)]


def read(arguments, workloads, description):
    parser = argparse.ArgumentParser(
        description=description, formatter_class=argparse.ArgumentDefaultsHelpFormatter, allow_abbrev=False
    )
    add = parser.add_argument
    add("--short", action="store_true", help="a small run that only shows that everything works")
    add("--list", action="store_true", help="say which contenders there are")
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
    add("--partitions", type=int, default=4, help="of every topic of workload totals")
    add("--threads", type=int, default=1, help="num.workers and num.stream.threads")
    add("--commit-ms", type=int, default=100, help="commit.interval.ms")
    add("--memory-mib", type=int, default=128, help="memory.budget, and the cache of streams-*-same")
    add("--trickle", type=int, default=1000, help="records a second while a contender is killed")
    add("--java-options", default="", help="for Kafka Streams; none: the machine's defaults")
    add("--out", help="directory of the results (default: one in the build directory, by date)")
    options = parser.parse_args(arguments)
    if options.short:
        for name, value in SHORT.items():
            setattr(options, name, value)
        if options.contenders == ["*"]:
            options.contenders = SHORT_CONTENDERS
    for name, known in (("workloads", workloads), ("guarantees", GUARANTEES), ("figures", FIGURES)):
        for word in getattr(options, name):
            if word not in known:
                parser.error(f"--{name}: there is no {word}; there are {', '.join(sorted(known))}")
    moment = datetime.datetime.now(datetime.timezone.utc).strftime("%Y-%m-%dT%H%M%SZ")
    out = os.path.abspath(options.out or os.path.join(places.build(), "bench-results", moment))
    fields = {field.name: getattr(options, field.name) for field in dataclasses.fields(Settings) if field.name != "out"}
    return Settings(out=out, **fields), options.list
