"""A log of what clients did and saw, and what must hold of it (after Jepsen's workload for Kafka).

One operation a line, in the order of time: a process is about to do something (`invoke`), and knows that it is done
(`ok`), that it never will be (`fail`), or nothing (`info`). Values are sent once each.

    send    value, topic, key, txn (its transaction, or none); ok: partition, offset
    commit, abort    txn
    assign  starts: [[topic, partition, offset]], from where the process reads from now on
    poll    records: [[topic, partition, offset, key, value]]

The log ends when nothing more is to come and the readers have read everything. `flow` is {topic: the topic that its
values come from}: each value of the one is in the other, once.
"""

import bisect
import json
import threading
import time


class Writer:
    """The log's file; any thread may note an operation."""

    def __init__(self, path):
        self.file, self.lock, self.started = open(path, "w", encoding="utf-8"), threading.Lock(), time.monotonic()

    def note(self, process, op, kind, **fields):
        with self.lock:
            operation = {"at": round(time.monotonic() - self.started, 3), "process": process, "op": op, "type": kind}
            self.file.write(json.dumps({**operation, **fields}) + "\n")

    def close(self):
        self.file.close()


def load(path):
    with open(path, encoding="utf-8") as f:
        return [json.loads(line) for line in f]


class Sent:
    """What is known of a value: who sent it, in which transaction, where it is."""

    __slots__ = ("value", "process", "topic", "txn", "number", "outcome", "place")

    def __init__(self, operation, number):
        self.value, self.process, self.topic = operation["value"], operation["process"], operation["topic"]
        self.txn, self.number, self.outcome, self.place = operation["txn"], number, "info", None


class Log:
    """The operations, by what the checks ask for."""

    def __init__(self, operations, flow):
        self.flow = flow
        self.sent = {}  # {value: Sent}
        self.commits = {}  # {txn: number of the operation that asked for it}
        self.outcomes = {}  # {txn: of its commit}
        self.first = {}  # {value: (number of the poll that saw it first, its place)}
        self.values = {}  # {place: [values]}
        self.places = {}  # {topic: {value: [(place, key)]}}
        self.offsets = {}  # {(topic, partition): [offsets at which something was read]}
        self.reads = {}  # {process: [operation]}, polls and assigns
        for number, operation in enumerate(operations):
            getattr(self, "_" + operation["op"])(operation, number)
        for place in self.values:
            self.offsets.setdefault(place[:2], []).append(place[2])
        for offsets in self.offsets.values():
            offsets.sort()

    def _send(self, operation, number):
        if operation["type"] == "invoke":
            self.sent[operation["value"]] = Sent(operation, number)
            return
        sent = self.sent[operation["value"]]
        sent.outcome = operation["type"]
        if sent.outcome == "ok":
            sent.place = (sent.topic, operation["partition"], operation["offset"])

    def _commit(self, operation, number):
        if operation["type"] == "invoke":
            self.commits[operation["txn"]] = number
        else:
            self.outcomes[operation["txn"]] = operation["type"]

    def _abort(self, operation, number):
        pass  # what is not committed is not to be seen, however its end went

    def _assign(self, operation, number):
        self.reads.setdefault(operation["process"], []).append(operation)

    def _poll(self, operation, number):
        self.reads.setdefault(operation["process"], []).append(operation)
        for topic, partition, offset, key, value in operation["records"]:
            place = (topic, partition, offset)
            self.first.setdefault(value, (number, place))
            found = self.values.setdefault(place, [])
            if value not in found:
                found.append(value)
                self.places.setdefault(topic, {}).setdefault(value, []).append((place, key))

    def is_aborted(self, sent):
        """Whether it is known that nobody may see it."""
        if sent.txn is None:
            return sent.outcome == "fail"
        return sent.txn not in self.commits or self.outcomes.get(sent.txn) == "fail"

    def is_committed(self, sent):
        return sent.outcome == "ok" and (sent.txn is None or self.outcomes.get(sent.txn) == "ok")


def at(place):
    return f"{place[0]}[{place[1]}]@{place[2]}"


def aborted_reads(log):
    return [
        f"{at(log.first[value][1])}: {value} was read, and never committed"
        for value, sent in log.sent.items()
        if value in log.first and log.is_aborted(sent)
    ]


def precommitted_reads(log):
    return [
        f"{at(log.first[value][1])}: {value} was read before its transaction {sent.txn} was to be committed"
        for value, sent in log.sent.items()
        if value in log.first and sent.txn in log.commits and log.first[value][0] < log.commits[sent.txn]
    ]


def unknown_values(log):
    """Nobody has sent them, or they are in an output without having been in its input."""
    complaints = []
    for topic, found in log.places.items():
        source = log.flow.get(topic)
        for value, places in found.items():
            if value not in log.sent:
                complaints.append(f"{at(places[0][0])}: nobody sent {value}")
            elif source is not None and value not in log.places.get(source, {}):
                complaints.append(f"{at(places[0][0])}: {value} is not in {source}")
    return complaints


def inconsistent_offsets(log):
    complaints = [f"{at(place)} holds {', '.join(values)}" for place, values in log.values.items() if len(values) > 1]
    for value, sent in log.sent.items():
        read = log.values.get(sent.place, [value])
        if value not in read:
            complaints.append(f"{at(sent.place)}: {value} was acknowledged, {read[0]} was read")
    return complaints


def lost_writes(log):
    """What is sure to be committed was read, and what was read in an input was read in the output."""
    complaints = []
    for value, sent in log.sent.items():
        if log.is_committed(sent) and value not in log.places.get(sent.topic, {}):
            complaints.append(f"{at(sent.place)}: {value} of {sent.process} was acknowledged and never read")
    for topic, source in log.flow.items():
        for value, places in log.places.get(source, {}).items():
            if value not in log.places.get(topic, {}):
                complaints.append(f"{at(places[0][0])}: {value} did not come out in {topic}")
    return complaints


def duplicates(log):
    return [
        f"{value} is in {topic} {len(places)} times: {', '.join(at(place) for place, _ in places)}"
        for topic, found in log.places.items()
        for value, places in found.items()
        if len(places) > 1
    ]


def polls(log, wanted):
    """How the offsets went that a process has read, in one poll (internal) or from one to the next (external): back
    (`nonmonotonic`), or past a record that somebody has read there (`skip`)."""
    complaints = []
    for process, reads in log.reads.items():
        last = {}  # {(topic, partition): (offset, number of the poll)}
        for number, operation in enumerate(reads):
            if operation["op"] == "assign":
                last = {(topic, p): (offset - 1, number) for topic, p, offset in operation["starts"]}
                continue
            for topic, p, offset, _, value in operation["records"]:
                before, when = last.get((topic, p), (-1, -1))
                where = "internal" if when == number else "external"
                if offset <= before:
                    found, what = f"{where} nonmonotonic", "after"
                else:
                    offsets = log.offsets[topic, p]
                    i = bisect.bisect_right(offsets, before)
                    found, what = (f"{where} skip", f"past {offsets[i]} after") if offsets[i] < offset else (None, None)
                if found == wanted:
                    complaints.append(f"{process} read {at((topic, p, offset))} {value} {what} {before}")
                last[topic, p] = (offset, number)
    return complaints


def wrong_order(log):
    """A producer's values are in each partition as it sent them; those of a key that come from one partition keep its
    order."""
    complaints, written = [], {}
    for sent in sorted(log.sent.values(), key=lambda s: s.number):
        if sent.place is None:
            continue
        before = written.get((sent.process, sent.place[:2]))
        if before is not None and before.place > sent.place:
            complaints.append(f"{at(sent.place)}: {sent.value} was sent after {before.value} at {at(before.place)}")
        written[sent.process, sent.place[:2]] = sent
    for topic, source in log.flow.items():
        origins, moved = log.places.get(source, {}), {}
        found = sorted((place, key, value) for value, p in log.places.get(topic, {}).items() for place, key in p)
        for place, key, value in found:
            for origin, _ in origins.get(value, [])[:1]:
                before = moved.get((key, origin[:2]))
                if before is not None and before[0] > origin:
                    complaints.append(f"{at(place)}: {value} of {at(origin)} comes after that of {at(before[0])}")
                moved[key, origin[:2]] = (origin, value)
    return complaints


CHECKS = {
    "aborted read": aborted_reads,
    "precommitted read": precommitted_reads,
    "unknown value": unknown_values,
    "inconsistent offsets": inconsistent_offsets,
    "lost write": lost_writes,
    "duplicate": duplicates,
    "wrong order": wrong_order,
    **{
        f"{where} {what}": lambda log, wanted=f"{where} {what}": polls(log, wanted)
        for where in ("internal", "external")
        for what in ("nonmonotonic", "skip")
    },
}


def check(operations, flow):
    """{class: complaints} of what is in a log of operations."""
    log = Log(operations, flow)
    return {name: find(log) for name, find in CHECKS.items()}
