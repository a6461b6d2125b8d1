#!/usr/bin/env python3
"""Each check of the log of operations, and that of growth, is seen to fail: a sound log is broken in one place.

No broker is needed.
"""

import copy
import os
import sys

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))

from mrtest import growth, oplog  # noqa: E402

FLOW = {"out": "in"}
PARTITIONS = 2
READERS = ("one", "two")


class Made:
    """A sound log as it is made; values are sent to `in`, partition by turns, and moved to `out`, partition 0."""

    def __init__(self):
        self.operations, self.ends = [], {}
        self.committed = []  # [topic, partition, offset, key, value] that readers may see

    def note(self, process, op, kind, **fields):
        self.operations.append({"process": process, "op": op, "type": kind, **fields})

    def place(self, topic, partition):
        """The next offset."""
        self.ends[topic, partition] = self.ends.get((topic, partition), -1) + 1
        return self.ends[topic, partition]

    def send(self, process, number, txn=None):
        value, partition = f"{process}/{number}", number % PARTITIONS
        self.note(process, "send", "invoke", value=value, topic="in", key="k", txn=txn)
        offset = self.place("in", partition)
        self.note(process, "send", "ok", value=value, partition=partition, offset=offset)
        return ["in", partition, offset, "k", value]

    def transaction(self, process, number, end):
        txn = f"{process}:{number}"
        sent = [self.send(process, number * 10 + i, txn) for i in range(3)]
        self.note(process, end, "invoke", txn=txn)
        self.note(process, end, "ok", txn=txn)
        for partition in range(PARTITIONS):
            self.place("in", partition)  # the mark of the end
        if end == "commit":
            self.committed += sent

    def read(self):
        """What is committed is moved on, and read by all."""
        moved = [["out", 0, self.place("out", 0), "k", record[4]] for record in self.committed]
        for reader in READERS:
            for records in (self.committed, moved):
                self.note(reader, "poll", "ok", records=sorted(copy.deepcopy(records)))
        self.committed = []


def sound():
    made = Made()
    for reader in READERS:
        made.note(reader, "assign", "ok", starts=[["in", 0, 0], ["in", 1, 0], ["out", 0, 0]])
    for number in range(1, 4):
        for i in range(4):
            made.committed.append(made.send("plain", number * 10 + i))
        made.transaction("txn", number, "abort" if number == 2 else "commit")
        made.read()
    made.note("plain", "send", "invoke", value="plain/99", topic="in", key="k", txn=None)
    made.note("plain", "send", "info", value="plain/99", error="nobody knows")
    return made.operations


def operation(log, op, kind, **fields):
    """The number of the first such operation."""
    return next(
        i
        for i, o in enumerate(log)
        if (o["op"], o["type"]) == (op, kind) and all(o.get(name) == value for name, value in fields.items())
    )


def reads(log, topic, reader=None):
    """Numbers of the polls with records of a topic."""
    return [
        i
        for i, o in enumerate(log)
        if o["op"] == "poll" and o["records"][0][0] == topic and reader in (None, o["process"])
    ]


def forget(log, value, topics):
    """Nobody reads a value on these topics."""
    for o in log:
        if o["op"] == "poll":
            o["records"] = [r for r in o["records"] if r[4] != value or r[0] not in topics]


def read_aborted(log):
    sent = log[operation(log, "send", "ok", value="txn/20")]
    log[reads(log, "in")[-1]]["records"].append(["in", sent["partition"], sent["offset"], "k", "txn/20"])


def read_early(log):
    commit = operation(log, "commit", "invoke", txn="txn:1")
    log.append(log.pop(commit))


def read_what_nobody_sent(log):
    log[reads(log, "out")[0]]["records"].append(["out", 0, 100, "k", "nobody/1"])


def read_what_was_not_in(log):
    forget(log, "plain/99", ["in"])
    log[reads(log, "out")[-1]]["records"].append(["out", 0, 100, "k", "plain/99"])


def read_another(log):
    log[reads(log, "in", "two")[0]]["records"][0][4] = "plain/13"


def acknowledge_another(log):
    log[operation(log, "send", "ok", value="plain/10")]["offset"] += 1


def double(log):
    record = log[reads(log, "out")[-1]]["records"][0]
    for i in reads(log, "out")[-2:]:
        log[i]["records"].append(["out", 0, 100, "k", record[4]])


def exchange_sent(log):
    """Two values of a producer are where the other should be, and everybody agrees about it."""
    a, b = ("plain/10", "plain/12")
    first, second = (log[operation(log, "send", "ok", value=value)] for value in (a, b))
    first["offset"], second["offset"] = second["offset"], first["offset"]
    for o in log:
        for record in o.get("records", []):
            if record[4] in (a, b):
                record[4] = b if record[4] == a else a


def exchange_moved(log):
    for i in reads(log, "out"):
        found = [r for r in log[i]["records"] if r[4] in ("plain/10", "plain/12")]
        if found:
            found[0][4], found[1][4] = found[1][4], found[0][4]


def go_back_within(log):
    records = log[reads(log, "out", "one")[0]]["records"]
    records[0], records[1] = records[1], records[0]


def go_back_between(log):
    first, second = reads(log, "out", "one")[:2]
    log[first], log[second] = log[second], log[first]


def skip_within(log):
    del log[reads(log, "out", "one")[1]]["records"][1]


def skip_between(log):
    del log[reads(log, "out", "one")[1]]


def skip_the_first(log):
    del log[reads(log, "out", "one")[0]]


# What is broken, how, the check that must complain (others may).
BROKEN = [
    ("a value of an aborted transaction is read", read_aborted, "aborted read"),
    ("a value is read before its commit is asked for", read_early, "precommitted read"),
    ("a value is read that nobody sent", read_what_nobody_sent, "unknown value"),
    ("a value is in the output only", read_what_was_not_in, "unknown value"),
    ("two readers see different values at one offset", read_another, "inconsistent offsets"),
    ("a value is not where it was acknowledged", acknowledge_another, "inconsistent offsets"),
    ("an acknowledged value is nowhere", lambda log: forget(log, "plain/10", ["in", "out"]), "lost write"),
    ("a committed value is nowhere", lambda log: forget(log, "txn/10", ["in", "out"]), "lost write"),
    ("a value does not come out", lambda log: forget(log, "txn/10", ["out"]), "lost write"),
    ("a value comes out twice", double, "duplicate"),
    ("a producer's values are exchanged", exchange_sent, "wrong order"),
    ("two values overtake each other on the way", exchange_moved, "wrong order"),
    ("a poll goes back", go_back_within, "internal nonmonotonic"),
    ("a poll begins before the last one's end", go_back_between, "external nonmonotonic"),
    ("a poll leaves a record out", skip_within, "internal skip"),
    ("a poll begins after a record that was not read", skip_between, "external skip"),
    ("a reader does not begin where it was told to", skip_the_first, "external skip"),
]


def check_logs():
    whole, failed = sound(), 0
    found = {name: complaints for name, complaints in oplog.check(whole, FLOW).items() if complaints}
    if found:
        failed += 1
        print(f"a sound log: {found}")
    for what, change, expected in BROKEN:
        log = copy.deepcopy(whole)
        change(log)
        found = oplog.check(log, FLOW)
        if not found[expected]:
            failed += 1
            print(f"{what}: no {expected}; there is {[name for name in found if found[name]] or 'nothing'}")
    unbroken = set(oplog.CHECKS) - {expected for _, _, expected in BROKEN}
    if unbroken:
        failed += 1
        print(f"nothing breaks {', '.join(sorted(unbroken))}")
    return failed


def check_growth():
    """`old` lives for ever and grows by one a second. `young` needs more the longer it lives, the same each time; in the
    second half of the run it lives longer."""
    samples = []
    for at in range(100):
        age = at % (5 if at < 50 else 10)
        samples.append(growth.Sample(at, "old", 1, at, 1000 + at, 10))
        samples.append(growth.Sample(at, "young", at - age, age, 1000 + 50 * age, 10 + at // 25))
    memory = {g.who: g.by for g in growth.grown(samples, 100, "memory")}
    files = {g.who: g.by for g in growth.grown(samples, 100, "files")}
    if (memory, files) == ({"old": 50, "young": 0}, {"old": 0, "young": 2}):
        return 0
    print(f"growth: memory {memory}, files {files}")
    return 1


def main():
    failed = check_logs() + check_growth()
    print(f"{len(BROKEN)} broken logs, {failed} failed")
    sys.exit(1 if failed else 0)


main()
