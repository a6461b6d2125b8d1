#!/usr/bin/env python3
"""Every check is seen to fail: a sound history is broken in one place, and the check has to say so.

The sound history comes from the simulator of the tickets app. No broker is needed.
"""

import copy
import os
import random
import sys

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
try:
    import fastavro  # noqa: F401
    import confluent_kafka  # noqa: F401
except ImportError as missing:
    print(f"skipped: {missing}; scripts/test installs it into build/venv")
    sys.exit(77)

from mrtest import checks, places, sequences  # noqa: E402
from mrtest.avro import Schemas  # noqa: E402
from mrtest.history import History  # noqa: E402
from mrtest.kafka import Record  # noqa: E402
from mrtest.partition import murmur2  # noqa: E402
from mrtest.tickets import checks as tickets  # noqa: E402
from mrtest.tickets import run, views  # noqa: E402
from mrtest.tickets.decide import AGGREGATES  # noqa: E402
from mrtest.tickets.simulator import Simulator, reason_of  # noqa: E402
from mrtest.tickets.traffic import Traffic  # noqa: E402

PARTITIONS = 4
# Of Kafka's own tests of its partitioner.
MURMUR = {b"": 0x106E08D9, b"kafka": 0xD067CF64, b"1234": 0x9FC97B14, b"giberish123456789": 0x8F552B0C}


def sound(schemas, seed=3, commands=700):
    simulator = Simulator(schemas, PARTITIONS)
    for command in Traffic(seed, venues=6, concerts=8, customers=10).commands(commands):
        simulator.feed(command)
    return simulator.finish()


def complaints(history, raw=None):
    """{check: complaints} of all checks that read topics."""
    verdict = checks.Verdict()
    tickets.check_topics(verdict, history, reason_of, PARTITIONS, raw)
    return dict(verdict.parts)


def some(history, name, wanted=lambda r: True):
    """The index of a record in the middle of a topic."""
    found = [i for i, r in enumerate(history.topics[name]) if wanted(r)]
    assert found, f"the traffic has no such record on {name}"
    return found[len(found) // 2]


def lose(name, wanted=lambda r: True):
    def change(history):
        del history.topics[name][some(history, name, wanted)]

    return change


def double(name, wanted=lambda r: True):
    def change(history):
        i = some(history, name, wanted)
        history.topics[name].insert(i + 1, again(history.topics[name][i]))

    return change


def again(record, **changes):
    result = copy.copy(record)
    result.headers = dict(record.headers)
    for field, value in changes.items():
        setattr(result, field, value)
    return result


def swap(name, same):
    """Exchanges a record with the next of its partition for which `same` is true."""

    def change(history):
        records = history.topics[name]
        for i, a in enumerate(records):
            for j in range(i + 1, len(records)):
                if records[j].partition == a.partition and same(a, records[j]):
                    records[i], records[j] = records[j], a
                    return
        raise AssertionError(f"there are no two such records on {name}")

    return change


def alter(name, wanted, fields=None, headers=None, **attributes):
    """Changes fields of a value, headers or attributes of one record."""

    def change(history):
        i = some(history, name, wanted)
        old = history.topics[name][i]
        new = history.topics[name][i] = again(old, **attributes)
        new.headers.update(headers or {})
        if fields:
            kind, value = history.decode(old)
            value = copy.deepcopy(value)
            fields(value)
            new.value = history.schemas.encode(kind, value)

    return change


def oversell(history):
    """The last reservation of a type takes all that was on offer, and everybody agrees about it."""
    i = some(history, "tickets.inventory.events", lambda r: r.type == "TicketReserved")
    old = history.topics["tickets.inventory.events"][i]
    new = history.topics["tickets.inventory.events"][i] = again(old)
    new.value = history.schemas.encode("TicketReserved", {**history.value(old), "Quantity": 1_000_000})


def of(kind):
    return lambda r: r.type == kind


def accepted(r):
    return r.type == "accepted"


EVENTS, RESULTS, COMMANDS = "tickets.cart.events", "tickets.cart.results", "tickets.cart.commands"
STOCK = "tickets.inventory.events"


def same_key(a, b):
    return a.key == b.key


# What is broken, how, the checks that must complain (others may).
BROKEN = [
    ("an event is lost", lose(EVENTS), ["cart: versions", "cart: decisions"]),
    ("the last event of a log is lost", lambda h: h.topics[EVENTS].pop(), ["cart: decisions"]),
    (
        "the events of an accepted command are lost",
        lambda h: h.topics.update({EVENTS: h.topics[EVENTS][:-1]}),
        ["cart: effects"],
    ),
    ("an event is there twice", double(EVENTS), ["cart: versions", "cart: effects", "cart: decisions"]),
    ("two events are exchanged", swap(EVENTS, same_key), ["cart: versions", "cart: decisions"]),
    ("an event has the ID of another", alter(EVENTS, lambda r: True, headers={"ce_id": "x/1"}), ["cart: versions"]),
    ("an event has no version", alter(EVENTS, lambda r: True, headers={"ce_sequence": "99"}), ["cart: versions"]),
    ("an event is of another subject", alter(EVENTS, lambda r: True, headers={"ce_subject": "x"}), ["cart: versions"]),
    ("an event has no cause", alter(EVENTS, lambda r: True, headers={"ce_causationid": "nobody"}), ["cart: effects"]),
    (
        "an event says something else",
        alter(EVENTS, of("CartItemAdded"), lambda v: v["Item"].update(Quantity=77)),
        ["cart: decisions", "policies", "projected"],
    ),
    ("an event is in another partition", alter(EVENTS, lambda r: r.partition == 1, partition=2), ["cart: keys"]),
    ("a command has no result", lose(RESULTS), ["cart: answers", "cart: decisions"]),
    ("a command has two results", double(RESULTS), ["cart: answers"]),
    ("two results are exchanged", swap(RESULTS, lambda a, b: a.cause != b.cause), ["cart: answers"]),
    (
        "a result is wrong",
        alter(RESULTS, accepted, headers={"ce_type": "no_change"}),
        ["cart: effects", "cart: decisions"],
    ),
    ("a result is of no known kind", alter(RESULTS, accepted, headers={"ce_type": "perhaps"}), ["cart: answers"]),
    ("a reason is wrong", alter(RESULTS, of("rejected"), headers={"reason": "mood"}), ["cart: decisions"]),
    ("a rejected command had an effect", alter(RESULTS, accepted, headers={"ce_type": "rejected"}), ["cart: effects"]),
    ("a command did not reach its aggregate", lose(COMMANDS, lambda r: r.id.startswith("c-")), ["routing"]),
    ("a command reached its aggregate twice", double(COMMANDS, lambda r: r.id.startswith("c-")), ["routing"]),
    (
        "a command was changed on its way",
        alter(COMMANDS, of("AddCartItem"), lambda v: v.update(Quantity=5000)),
        ["routing"],
    ),
    ("commands overtook each other", swap(COMMANDS, same_key), ["routing"]),
    ("a policy did not act", lose("tickets.inventory.commands", of("ReserveTickets")), ["policies"]),
    ("a policy acted twice", double("tickets.inventory.commands", of("ReserveTickets")), ["policies"]),
    (
        "a policy asked for something else",
        alter("tickets.inventory.commands", of("ReserveTickets"), lambda v: v.update(Quantity=9)),
        ["policies"],
    ),
    ("a row was not sent on", lose("tickets.customer.carts"), ["rekeying"]),
    ("a row was sent on twice", double("tickets.programme.facts"), ["rekeying"]),
    (
        "rows overtook each other",
        swap("tickets.customer.carts", lambda a, b: same_key(a, b) and a.value != b.value),
        ["rekeying"],
    ),
    ("tickets were sold that are not there", oversell, ["stock"]),
    ("a hold was given twice", double(STOCK, of("TicketReserved")), ["stock"]),
    ("what remains is wrong", alter(STOCK, of("TicketReserved"), lambda v: v.update(Remaining=-7)), ["stock"]),
    (
        "more was released than held",
        alter(STOCK, of("TicketReservationCancelled"), lambda v: v.update(Quantity=50)),
        ["stock"],
    ),
    (
        "a row on a projection's topic is wrong",
        lambda h: h.topics["tickets.concerts"].append(again(h.topics["tickets.concerts"][0], value=None)),
        ["projected"],
    ),
]


def check_broken(whole):
    failed = 0
    for what, change, expected in BROKEN:
        history = History({name: list(records) for name, records in whole.topics.items()}, whole.schemas)
        history.values = whole.values
        change(history)
        found = complaints(history)
        missing = [name for name in expected if name not in found]
        if missing:
            failed += 1
            print(f"{what}: no complaint by {', '.join(missing)}; there are some by {', '.join(found) or 'none'}")
    return failed


def check_repeated(whole):
    """At least once, a row may be sent, then an older one again with other contents, then the row again."""
    raw = History({name: list(records) for name, records in whole.topics.items()}, whole.schemas)
    rows = raw.topics["tickets.concerts"]
    last = rows[-1] = again(rows[-1])
    last.headers["ce_id"] = "sent more than once"
    other = next(r for r in rows if r.value not in (None, last.value))
    rows += [again(last, value=other.value), again(last)]
    return expect("rows that were sent again", complaints(raw.without_repeats(), raw), {})


def expect(what, actual, expected):
    if actual == expected:
        return 0
    print(f"{what}: {actual!r} instead of {expected!r}")
    return 1


def record(offset, value=b"v", key="k"):
    return Record("t", 0, offset, key, value, {"ce_id": str(offset)})


def check_single():
    """The checks that do not need a whole history."""
    three = [record(0), record(1), record(2)]
    failed = 0
    for data, hashed in MURMUR.items():
        failed += expect(f"murmur2 of {data}", murmur2(data), hashed)
    failed += expect("same records", checks.seen_along(three, three), [])
    failed += expect("a record that vanished", len(checks.seen_along(three, three[:2])), 1)
    failed += expect("a record never seen", len(checks.seen_along(three[:2], three)), 1)
    failed += expect("a record that changed", len(checks.seen_along(three, [record(0, b"w")] + three[1:])), 1)
    rows = {("a",): {"X": 1, "Y": 2}}
    failed += expect("same rows", checks.same_rows("v", rows, copy.deepcopy(rows)), [])
    for other in ({}, {("a",): {"X": 1, "Y": 3}}, {**rows, ("b",): {}}, {("a",): {"X": 1}}):
        failed += expect(f"rows {other}", len(checks.same_rows("v", rows, other)), 1)
    failed += expect("a tail", checks.restored_little([("a", 10, 1000)], 10), [])
    failed += expect("a wipe", len(checks.restored_little([("a", 1000, 1000)], 10)), 1)
    verdict = checks.Verdict()
    verdict.add("fine", [])
    verdict.end()
    verdict.add("bad", ["one"])
    try:
        verdict.end()
        failed += expect("a verdict with a complaint", "passed", "failed")
    except AssertionError:
        pass
    return failed


# Two partitions of (key, number), and numbers in the order in which each partition was written.
PAIRS = {0: [("a", 5), ("b", 1), ("a", 2)], 1: [("c", 9)]}
NUMBERS = {0: [1, 3, 4], 1: [2, 5]}
OTHER_PAIRS = {
    "one is missing": {0: PAIRS[0][:1] + PAIRS[0][2:], 1: PAIRS[1]},
    "the last is missing": {0: PAIRS[0][:2], 1: PAIRS[1]},
    "one is there twice": {0: PAIRS[0] + PAIRS[0][2:], 1: PAIRS[1]},
    "two are exchanged": {0: PAIRS[0][::-1], 1: PAIRS[1]},
    "one has another value": {0: [("a", 6)] + PAIRS[0][1:], 1: PAIRS[1]},
    "one has another key": {0: [("b", 5)] + PAIRS[0][1:], 1: PAIRS[1]},
    "one is in another partition": {0: PAIRS[0] + PAIRS[1]},
    "a partition is missing": {0: PAIRS[0]},
    "a partition too many": {**PAIRS, 2: [("d", 1)]},
}


def check_sequences():
    """The checks of Kafka's own exactly-once tests."""
    failed = expect("equal sequences", sequences.same("t", PAIRS, copy.deepcopy(PAIRS)), [])
    for what, other in OTHER_PAIRS.items():
        failed += expect(f"sequences: {what}", bool(sequences.same("t", PAIRS, other)), True)
        failed += expect(f"sequences, the other way: {what}", bool(sequences.same("t", other, PAIRS)), True)
    sums = {0: [("a", 5), ("b", 1), ("a", 7)], 1: [("c", 9)]}
    failed += expect("running sums", sequences.running(PAIRS, lambda total, n: (total or 0) + n), sums)

    there = [Record("t", p, i, f"k{p}{i}", b"%d" % i, {}) for p, n in ((0, 3), (1, 2)) for i in range(n)]
    said = [(r.partition, r.offset, r.key.encode(), r.value) for r in there]
    failed += expect("as acknowledged", sequences.written("t", said, there), [])
    for what, acknowledged, found in [
        ("a record that nobody wrote", said[:-1], there),
        ("a record that is gone", said, there[:-1]),
        ("a record that is twice there", said, there + [again(there[4], offset=2)]),
        ("an acknowledgement that came twice", said + said[:1], there),
        ("another value", said, [again(there[0], value=b"x")] + there[1:]),
        ("another key", said, [again(there[0], key="x")] + there[1:]),
        ("a gap", said[:1] + said[2:], there[:1] + there[2:]),
    ]:
        failed += expect(f"written: {what}", len(sequences.written("t", acknowledged, found)), 1)

    failed += expect("copied once", sequences.copied_once("t", range(5), [3, 1, 0, 4, 2]), [])
    for what, found in [("missing", [0, 1, 2, 3]), ("twice", [0, 1, 2, 2, 3, 4]), ("never written", [*range(5), 5])]:
        failed += expect(f"copied once: {what}", len(sequences.copied_once("t", range(5), found)), 1)
    for what, found, count in [
        ("between each other", {0: [2, 1, 3], 1: [4, 5]}, 0),
        ("exchanged", {0: [2, 3, 1], 1: [4, 5]}, 1),
        ("exchanged, not neighbours", {0: [4, 2, 5, 1]}, 1),
    ]:
        failed += expect(f"order: {what}", len(sequences.in_order("t", NUMBERS, found)), count)
    return failed


def check_views(history):
    """Every view notices when an aggregate that it shows is missing."""
    logs = tickets.logs(history)
    whole = views.all_views(logs)
    failed = 0
    for view in views.VIEWS:
        if not whole[view]:
            failed += expect(f"view {view}", "empty", "rows")
    shown = {
        "concert": ["concerts", "concert_facts"],
        "venue": ["venues", "known_venues"],
        "cart": ["cart_facts"],
        "user": ["users"],
        "inventory": ["availability"],
    }
    for aggregate, names in shown.items():
        subject = random.Random(1).choice(sorted(logs[aggregate]))
        fewer = {**logs, aggregate: {s: log for s, log in logs[aggregate].items() if s != subject}}
        for name in names:
            if not checks.same_rows(name, whole[name], views.VIEWS[name][1](fewer)):
                failed += expect(f"view {name} without {subject}", "no complaint", "one")
    return failed


def check_states(history):
    """A store that differs in one row's version, state or answers from what the log says."""
    rows = run.stored_states(history, "cart")
    stored = {
        (subject,): {
            "Version": row["Version"],
            "State": row["State"],
            "Answers": [
                {"CommandId": i, "Outcome": outcome, "Reason": reason} for i, outcome, reason in row["Answers"]
            ],
        }
        for subject, row in rows.items()
    }
    failed = expect("a sound store", run.same_answers("cart", rows, stored), [])
    key = sorted(key for key, row in stored.items() if row["Version"] > 2)[0]
    for what, change in [
        ("version", {"Version": 1}),
        ("state", {"State": {**stored[key]["State"], "Items": None}}),
        ("answers", {"Answers": stored[key]["Answers"][1:]}),
    ]:
        failed += expect(
            f"another {what}", len(run.same_answers("cart", rows, {**stored, key: {**stored[key], **change}})), 1
        )
    fewer = {k: row for k, row in stored.items() if k != key}
    failed += expect("a lost row", len(run.same_answers("cart", rows, fewer)), 1)
    failed += expect("a row too many", len(run.same_answers("cart", rows, {**stored, ("x",): stored[key]})), 1)
    return failed


def main():
    schemas = Schemas(os.path.join(places.ROOT, "schemas", "tickets"))
    history = sound(schemas)
    failed = expect("a sound history", complaints(history), {})
    failed += check_repeated(history) + check_broken(history) + check_single() + check_sequences() + check_views(history) + check_states(history)
    kinds = {r.type for a in AGGREGATES for r in sound(schemas, commands=3000).records(f"tickets.{a}.events")}
    failed += expect("kinds of event that the traffic causes", len(kinds), 19)
    print(f"{len(BROKEN)} broken histories, {failed} failed")
    sys.exit(1 if failed else 0)


main()
