"""The whole tickets app in one Python process, one partition after the other: makes a history as the
processors would commit it. The checks are tried on it, and the rules on each other."""

import copy

from mrtest.history import History
from mrtest.kafka import Record
from mrtest.partition import partition
from mrtest.tickets import topology, views
from mrtest.tickets.checks import Decider, topic
from mrtest.tickets.decide import AGGREGATE_OF, AGGREGATES


class Simulator:
    """Feed it commands; `history` is what it wrote so far."""

    def __init__(self, schemas, partitions=4):
        self.schemas, self.partitions = schemas, partitions
        self.history = History({}, schemas)
        self.deciders = {a: Decider(self.history, a) for a in AGGREGATES}
        self.logs = {a: {} for a in AGGREGATES}
        self.shown = {name: {} for name in topology.PROJECTED}

    def write(self, name, key, value, headers, time=0):
        records = self.history.topics.setdefault(name, [])
        p = partition(key.encode(), self.partitions)
        record = Record(name, p, sum(1 for r in records if r.partition == p), key, value, headers, time)
        records.append(record)
        return record

    def feed(self, command):
        headers = {name: value.decode() for name, value in command.headers()}
        self.write(topology.COMMANDS, command.key, command.value(), headers, command.time)
        fields = self.history.json(self.history.topics[topology.COMMANDS][-1])
        if fields is not None:
            self.run(AGGREGATE_OF[command.type], command.subject, command.type, fields, headers)

    def run(self, aggregate, subject, kind, fields, headers):
        """A command, all that it causes, and all that these events cause."""
        headers = {**headers, "ce_type": kind, "ce_subject": subject}
        command = self.write(topic(aggregate, "commands"), subject, self.schemas.encode(kind, fields), headers)
        outcome, reason, events = self.deciders[aggregate].decide(command)
        for event_kind, value, version in events:
            self.write(
                topic(aggregate, "events"),
                subject,
                self.schemas.encode(event_kind, value),
                {
                    "ce_id": f"{subject}/{version}",
                    "ce_type": event_kind,
                    "ce_subject": subject,
                    "ce_sequence": str(version),
                    "ce_causationid": command.id,
                    "ce_time": headers["ce_time"],
                },
            )
            self.logs[aggregate].setdefault(subject, []).append(
                views.Event(event_kind, value, version, self.history.time(command))
            )
        self.write(
            topic(aggregate, "results"),
            subject,
            repr((outcome, reason)).encode(),
            {"ce_type": outcome, "ce_causationid": command.id, "ce_id": f"{command.id}/result", "reason": reason},
        )
        for event_kind, value, version in events:
            self.show(aggregate, subject)
            for n, (to, key, then, then_fields) in enumerate(topology.after(event_kind, value, subject, version)):
                whole = {
                    f["name"]: then_fields.get(f["name"], f.get("default"))
                    for f in self.schemas.by_name[then]["fields"]
                }
                self.run(
                    to,
                    key,
                    then,
                    whole,
                    {
                        "ce_id": f"{subject}/{version}/policies/{n}",
                        "ce_time": headers["ce_time"],
                        "ce_causationid": f"{subject}/{version}",
                    },
                )

    def show(self, aggregate, subject):
        """Writes rows of facts that this aggregate's change has changed, and sends them on."""
        logs = {
            a: ({subject: self.logs[a][subject]} if a == aggregate else self.logs["venue"] if a == "venue" else {})
            for a in AGGREGATES
        }
        for view, name in topology.PROJECTED.items():
            if view in ("concerts", "carts"):
                continue
            for key, row in views.VIEWS[view][1](logs).items():
                if self.shown[view].get(key) != row:
                    self.shown[view][key] = copy.deepcopy(row)
                    self.send(name, key[0], view, row)

    def send(self, name, key, view, row):
        kinds = {
            "venues": "VenueRow",
            "users": "UserRow",
            "availability": "AvailabilityRow",
            "concert_facts": "ConcertFact",
            "cart_facts": "CartFact",
            "concerts": "ConcertRow",
            "carts": "CartRow",
        }
        self.write(name, key, self.schemas.encode(kinds[view], row), {"ce_type": kinds[view]})
        if name in topology.STAGES["rekey"][1]:
            for to, then_key, kind, then_row in topology.rekeyed(kinds[view], row):
                self.write(to, then_key, self.schemas.encode(kind, then_row), {"ce_type": kind})

    def finish(self):
        """Rows of the views that are joined are written at the end only."""
        computed = views.all_views(self.logs)
        for view in ("concerts", "carts"):
            for key, row in computed[view].items():
                self.send(topology.PROJECTED[view], key[0], view, row)
        for records in self.history.topics.values():
            records.sort(key=lambda r: (r.partition, r.offset))
        return self.history


def reason_of(_history, result):
    """How the simulator writes a rejection's reason."""
    return result.headers.get("reason")
