"""Checks of a whole run of the tickets app."""

import copy

from mrtest import checks
from mrtest.tickets import topology, views
from mrtest.tickets.decide import AGGREGATE_OF, AGGREGATES, NO_CHANGE, Meta, Rejected, decide
from mrtest.tickets.fold import evolve


def topic(aggregate, what):
    return f"tickets.{aggregate}.{what}"


REMEMBERED = 64  # answers that an aggregate keeps


class Decider:
    """Decides a partition's commands again, one after the other."""

    def __init__(self, history, aggregate):
        self.history, self.aggregate = history, aggregate
        self.states, self.versions, self.answered = {}, {}, {}

    def decide(self, command):
        """(outcome, reason, [(event type, value, version)]) of a command."""
        subject = command.key
        if (subject, command.id) in self.answered:
            return (*self.answered[subject, command.id], [])
        state, version = self.states.get(subject), self.versions.get(subject, -1)
        expected = command.headers.get("ce_expectedversion")
        if expected is not None and int(expected) != version:
            outcome = Rejected("version_conflict")
        else:
            meta = Meta(subject, self.history.time(command))
            outcome = decide(command.type, copy.deepcopy(state), self.history.value(command), meta)
        events = []
        if isinstance(outcome, list):
            for kind, value in outcome:
                version += 1
                state = evolve(self.aggregate, state, kind, copy.deepcopy(value), subject, version)
                events.append((kind, value, version))
            self.states[subject], self.versions[subject] = state, version
            answer = ("accepted", None)
        else:
            answer = ("no_change", None) if outcome == NO_CHANGE else ("rejected", outcome.reason)
        self.answered[subject, command.id] = answer
        return (*answer, events)


def decisions(history, aggregate, reason_of):
    """Deciding all commands again in Python gives these events and results, in this order, and no others."""
    complaints = []
    commands, results = history.partitions(topic(aggregate, "commands")), history.partitions(
        topic(aggregate, "results")
    )
    events = history.partitions(topic(aggregate, "events"))
    for p in sorted(set(commands) | set(events)):
        decider, i, before = Decider(history, aggregate), 0, len(complaints)
        found, answers = events.get(p, []), results.get(p, [])
        for n, command in enumerate(commands.get(p, [])):
            outcome, reason, expected = decider.decide(command)
            for kind, value, version in expected:
                event = found[i] if i < len(found) else None
                i += 1
                wanted = (kind, command.key, version, command.id, value)
                got = event and (event.type, event.key, event.sequence, event.cause, history.value(event))
                if wanted != got:
                    complaints.append(
                        f"{command!r} should cause {checks.show(wanted)}; "
                        f"{event.place if event else 'the end'} is {checks.show(got)}"
                    )
            answer = answers[n] if n < len(answers) else None
            got = answer and (answer.type, reason_of(history, answer))
            if got != (outcome, reason):
                complaints.append(
                    f"{command!r} should be answered with {outcome} {reason}; "
                    f"{answer.place if answer else 'the end'} is {got}"
                )
            if len(complaints) > before:
                break
        if i < len(found) and len(complaints) == before:
            complaints.append(f"{found[i]!r}: {len(found) - i} events that no command explains")
    return complaints


def routing(history):
    """Each command that clients sent is on its aggregate's topic once, with its ID, in its order."""

    def expected(record):
        fields = history.json(record)
        aggregate = AGGREGATE_OF.get(record.type)
        if fields is None or aggregate is None or not record.id or not record.subject:
            return []
        return [
            (
                topic(aggregate, "commands"),
                record.subject,
                (record.id, record.type, fields, record.headers.get("ce_expectedversion")),
            )
        ]

    def describe(record):
        return record.id, record.type, history.value(record), record.headers.get("ce_expectedversion")

    sent = {r.id for r in history.records(topology.COMMANDS)}
    outputs = [r for a in AGGREGATES for r in history.records(topic(a, "commands")) if r.id in sent]
    return checks.transformed(history.records(topology.COMMANDS), outputs, expected, describe)


def policies(history):
    """Each event caused the commands that the policies say, and no command came from elsewhere."""
    inputs = [r for name in topology.STAGES["policies"][1] for r in history.records(name)]
    sent = {r.id for r in history.records(topology.COMMANDS)}
    outputs = [r for a in AGGREGATES for r in history.records(topic(a, "commands")) if r.id not in sent]

    def expected(event):
        return [
            (topic(aggregate, "commands"), subject, (event.id, kind, fields))
            for aggregate, subject, kind, fields in topology.after(
                event.type, history.value(event), event.key, event.sequence
            )
        ]

    complaints = checks.transformed(inputs, outputs, expected, lambda r: (r.cause, r.type, history.value(r)))
    seen = {}
    for r in outputs:
        if r.id in seen:
            complaints.append(f"{r.place}: the command ID {r.id} is that of {seen[r.id]}, too")
        seen[r.id] = r.place
    return complaints


def rekeying(history):
    """Each row of the facts was sent on to where it is joined, once, in its order."""
    inputs = [r for name in topology.STAGES["rekey"][1] for r in history.records(name) if r.value is not None]
    outputs = [
        r
        for name in ("tickets.programme.facts", "tickets.venue.facts", "tickets.customer.carts")
        for r in history.records(name)
    ]
    return checks.transformed(
        inputs,
        outputs,
        lambda r: [(t, key, (kind, row)) for t, key, kind, row in topology.rekeyed(*history.decode(r))],
        history.decode,
    )


def logs(history):
    """{aggregate: {id: [views.Event]}}"""
    result = {}
    for aggregate in AGGREGATES:
        result[aggregate] = {}
        for e in history.records(topic(aggregate, "events")):
            result[aggregate].setdefault(e.key, []).append(
                views.Event(e.type, history.value(e), e.sequence, history.time(e))
            )
    return result


def stock(history):
    """Nothing was oversold at any moment, what remains is said right, and no reservation is held twice."""
    complaints, amounts, holds = [], {}, {}
    for e in history.records(topic("inventory", "events")):
        value = history.value(e)
        total, sold, held = amounts.get(e.key, (0, 0, 0))
        reservation = (e.key, value.get("ReservationId"))
        if e.type == "TicketAvailabilityCreated":
            total += value["Quantity"]
        elif e.type == "TicketReserved":
            if reservation in holds:
                complaints.append(f"{e.place}: reservation {reservation[1]} of {e.key} is held already")
            holds[reservation] = value["Quantity"]
            held += value["Quantity"]
        elif e.type in ("TicketReservationCancelled", "TicketReservationConfirmed"):
            quantity = holds.pop(reservation, 0)
            if quantity != value["Quantity"]:
                complaints.append(f"{e.place}: ends a hold of {value['Quantity']}, there was one of {quantity}")
            held -= quantity
            sold += quantity if e.type == "TicketReservationConfirmed" else 0
        amounts[e.key] = total, sold, held
        if sold + held > total or held < 0:
            complaints.append(f"{e.place}: of {total} tickets {e.key}, {sold} are sold and {held} held")
        if value.get("Remaining", total - sold - held) != total - sold - held:
            complaints.append(f"{e.place}: Remaining is {value['Remaining']}, left are {total - sold - held}")
    return complaints


def projected(history, computed):
    """The last row of every key on the topics that views are sent to is the view's row."""
    complaints = []
    for view, name in topology.PROJECTED.items():
        expected = {key[0]: row for key, row in computed[view].items()}
        complaints += checks.same_rows(name, expected, checks.last_rows(history.records(name), history.value))
    return complaints


def check_topics(verdict, history, reason_of, partitions, raw=None):
    """All checks that need nothing but the topics. `raw` has the repeats, too, that `history` leaves out."""
    for aggregate in AGGREGATES:
        commands = history.records(topic(aggregate, "commands"))
        events, results = history.records(topic(aggregate, "events")), history.records(topic(aggregate, "results"))
        verdict.check(f"{aggregate}: keys", checks.keyed, commands + events + results, partitions)
        verdict.check(f"{aggregate}: versions", checks.versions, events)
        verdict.check(f"{aggregate}: answers", checks.answers, commands, results)
        verdict.check(f"{aggregate}: effects", checks.effects, results, events)
        verdict.check(f"{aggregate}: decisions", decisions, history, aggregate, reason_of)
    verdict.check("routing", routing, history)
    verdict.check("policies", policies, history)
    verdict.check("rekeying", rekeying, history)
    verdict.check("stock", stock, history)
    # The last row counts, also when it was there before another one: then it is a repeat.
    verdict.check("projected", lambda: projected(raw or history, views.all_views(logs(history))))
