"""Checks of a history that hold for every app. Each returns complaints; none is good.

A check is worth something only if it was seen to fail: tests/support/python/test_checkers.py.
"""

import os
import traceback
from collections import deque

from mrtest.partition import partition

OUTCOMES = ("accepted", "no_change", "rejected")


def show(value, most=300):
    text = repr(value)
    return text if len(text) <= most else text[:most] + "..."


def keyed(records, partitions):
    """Every record is in the partition that Kafka's default partitioner gives its key."""
    return [
        f"{r.place}: key {r.key!r} belongs to partition {partition(r.key.encode(), partitions)}"
        for r in records
        if r.key is None or partition(r.key.encode(), partitions) != r.partition
    ]


def versions(events):
    """The events of every aggregate are numbered 0, 1, 2 ... in the order of the log; IDs say the same."""
    complaints, following = [], {}
    for e in events:
        expected = following.get(e.key, 0)
        if e.sequence != expected:
            complaints.append(f"{e.place}: {e.key} has version {e.sequence} where {expected} follows")
        following[e.key] = (e.sequence if e.sequence is not None else expected) + 1
        if e.id != f"{e.key}/{e.sequence}":
            complaints.append(f"{e.place}: the ID is {e.id!r}, not '{e.key}/{e.sequence}'")
        if e.subject != e.key:
            complaints.append(f"{e.place}: the subject is {e.subject!r}, the key {e.key!r}")
    return complaints


def answers(commands, results):
    """Per partition, one result for each command, in order; equal results for equal command IDs."""
    complaints, asked, answered, first = [], {}, {}, {}
    for c in commands:
        asked.setdefault(c.partition, []).append(c)
    for r in results:
        answered.setdefault(r.partition, []).append(r)
        if r.type not in OUTCOMES:
            complaints.append(f"{r.place}: a result of type {r.type!r}")
        same = first.setdefault((r.key, r.cause), r)
        if (r.type, r.value) != (same.type, same.value):
            complaints.append(
                f"{r.place}: command {r.cause} is answered with {r.type}, first it was {same.type} at {same.place}"
            )
    for p in sorted(set(asked) | set(answered)):
        wanted, got = asked.get(p, []), answered.get(p, [])
        for i in range(max(len(wanted), len(got))):
            c = wanted[i] if i < len(wanted) else None
            r = got[i] if i < len(got) else None
            if c is None or r is None or (c.id, c.key) != (r.cause, r.key):
                complaints.append(
                    f"partition {p}, answer {i}: for {c!r} there is {r!r} of command {r.cause if r else None}; "
                    f"{len(wanted)} commands, {len(got)} results"
                )
                break
    return complaints


def effects(results, events):
    """The events that a command caused are there once if it was accepted, else not at all."""
    complaints, caused = [], {}
    for e in events:
        caused.setdefault((e.key, e.cause), []).append(e)
    outcome = {(r.key, r.cause): r for r in results}
    for key, found in caused.items():
        result = outcome.get(key)
        numbers = [e.sequence for e in found]
        if result is None:
            complaints.append(f"{found[0].place}: {found[0]!r} has the cause {key[1]!r}, which no result is about")
        elif result.type != "accepted":
            complaints.append(
                f"{found[0].place}: command {key[1]} was {result.type} at {result.place} and caused {found!r}"
            )
        elif numbers != list(range(numbers[0], numbers[0] + len(numbers))):
            complaints.append(f"command {key[1]} took effect more than once on {key[0]}: versions {numbers}")
    for key, result in outcome.items():
        if result.type == "accepted" and key not in caused:
            complaints.append(f"{result.place}: command {key[1]} was accepted and caused no event")
    return complaints


def transformed(inputs, outputs, expected, describe):
    """A stateless stage: each input caused what `expected` says, once, in the order of its input.

    `expected(record)` lists (topic, key, what) and `describe(output)` gives such a `what`. What goes to
    one topic and key keeps the order of the input partition; between input partitions any order is right.
    """
    complaints, waiting = [], {}
    for record in inputs:
        for topic, key, what in expected(record):
            sources = waiting.setdefault((topic, key), {})
            sources.setdefault((record.topic, record.partition), deque()).append((what, record))
    for output in outputs:
        what = describe(output)
        sources = waiting.get((output.topic, output.key), {})
        for queue in sources.values():
            if queue and queue[0][0] == what:
                queue.popleft()
                break
        else:
            heads = [queue[0] for queue in sources.values() if queue]
            complaints.append(
                f"{output.place}: {show(what)} is not what comes next for {output.key!r}; that would be "
                f"{show(heads) if heads else 'nothing'}"
            )
    for (topic, key), sources in waiting.items():
        for queue in sources.values():
            if queue:
                complaints.append(
                    f"{topic}: {len(queue)} records are missing for key {key!r}, the first: {show(queue[0])}"
                )
    return complaints


def same_rows(name, expected, actual):
    """Two {key: row} are equal."""
    complaints = []
    for key in sorted(set(expected) | set(actual), key=repr):
        if key not in actual:
            complaints.append(f"{name}: there is no row {key!r}; it should be {show(expected[key])}")
        elif key not in expected:
            complaints.append(f"{name}: there is a row {key!r} that should not be: {show(actual[key])}")
        elif expected[key] != actual[key]:
            complaints.append(f"{name}: row {key!r} differs: {differences(expected[key], actual[key])}")
    return complaints


def differences(expected, actual):
    if not isinstance(expected, dict) or not isinstance(actual, dict):
        return f"should be {show(expected)}, is {show(actual)}"
    return "; ".join(
        f"{name} should be {show(expected.get(name))}, is {show(actual.get(name))}"
        for name in sorted(set(expected) | set(actual))
        if name not in actual or name not in expected or expected[name] != actual[name]
    )


def last_rows(records, decode):
    """{key: row} that a compacted topic amounts to."""
    rows = {}
    for r in records:
        if r.value is None:
            rows.pop(r.key, None)
        else:
            rows[r.key] = decode(r)
    return rows


def seen_along(along, at_end):
    """What a read_committed reader saw while all went on is what is there at the end: same records, no other."""
    complaints = []
    places = {(r.topic, r.partition, r.offset): r for r in at_end}
    for r in along:
        there = places.pop((r.topic, r.partition, r.offset), None)
        if there is None or (there.key, there.value, there.headers) != (r.key, r.value, r.headers):
            complaints.append(f"{r.place}: a reader saw {r!r}, now there is {there!r}")
    complaints += [f"{r.place}: a reader that followed never saw {r!r}" for r in places.values()]
    return complaints


def restored_little(restores, most):
    """No restart read more of a changelog than a tail: `restores` are (who, records, of how many)."""
    return [
        f"{who} restored {records} records of {total}; a tail has at most {most}"
        for who, records, total in restores
        if records > most
    ]


class Verdict:
    """Collects what the checks complain of; `end` fails with all of it, shortened."""

    def __init__(self, most=8):
        self.most, self.parts, self.passed = most, [], []

    def add(self, name, complaints):
        if complaints:
            self.parts.append((name, complaints))
        else:
            self.passed.append(name)

    def check(self, name, compute, *arguments):
        """As add; a history too broken to be computed with is a complaint, too."""
        try:
            complaints = compute(*arguments)
        except Exception as e:  # pylint: disable=broad-except
            frame = traceback.extract_tb(e.__traceback__)[-1]
            complaints = [
                f"cannot be computed: {type(e).__name__}: {e} ({os.path.basename(frame.filename)}:{frame.lineno})"
            ]
        self.add(name, complaints)

    def end(self):
        lines = []
        for name, complaints in self.parts:
            lines.append(f"{name}: {len(complaints)} complaints")
            lines += [f"    {c}" for c in complaints[: self.most]]
            if len(complaints) > self.most:
                lines.append(f"    ... and {len(complaints) - self.most} more")
        assert not lines, "\n".join([f"{len(self.passed)} checks passed, {len(self.parts)} failed"] + lines)
