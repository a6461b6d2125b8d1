"""A run of the tickets app: commands go in, and in the end everything is compared with the rules."""

import hashlib
import json
import threading

from mrtest import checks
from mrtest.app import App
from mrtest.kafka import Follower, Writer
from mrtest.tickets import checks as tickets
from mrtest.tickets import topology, views
from mrtest.tickets.decide import AGGREGATES
from mrtest.waiting import Deadline

PARTITIONS = 4


def tickets_app(broker, files, **more):
    return App(broker, files, topology.STAGES, **more)


def reason_of(history, result):
    return history.value(result)["Reason"]


def send(writer, command):
    writer.send(topology.COMMANDS, command.key.encode(), command.value(), command.headers())


class Sender(threading.Thread):
    """Sends commands evenly over a time, as clients would, while the test does something else."""

    def __init__(self, bootstrap, commands, seconds):
        super().__init__(daemon=True)
        self.writer, self.commands, self.seconds = Writer(bootstrap), commands, seconds
        self.sent, self.failure = 0, None
        self._hurry = threading.Event()
        self.start()

    def run(self):
        try:
            deadline = Deadline(self.seconds)
            for command in self.commands:
                while not self._hurry.is_set() and self.sent > len(self.commands) * (
                    1 - deadline.left() / self.seconds
                ):
                    self.writer.producer.poll(0)
                    self._hurry.wait(0.02)
                send(self.writer, command)
                self.sent += 1
            self.writer.flush(180)
        except Exception as e:  # pylint: disable=broad-except
            self.failure = e

    def finish(self, seconds=240, hurry=True):
        """Sends what is left, at once; all of it is acknowledged when this returns."""
        if hurry:
            self._hurry.set()
        self.join(seconds)
        assert not self.is_alive(), f"only {self.sent} of {len(self.commands)} commands were sent"
        if self.failure is not None:
            raise AssertionError(f"sending failed: {self.failure}") from self.failure


def send_all(app, commands):
    writer = Writer(app.bootstrap)
    for command in commands:
        send(writer, command)
    writer.flush()


def follow(app):
    return Follower(app.bootstrap, app.cluster.partitions(topology.PREFIX))


def same_answers(aggregate, computed, rows):
    """Stored states: version, state and the answers that are remembered."""
    complaints = []
    actual = {key[0]: row for key, row in rows.items()}
    for subject in sorted(set(computed) | set(actual)):
        wanted, got = computed.get(subject), actual.get(subject)
        if wanted is None or got is None:
            complaints.append(
                f"{aggregate} {subject}: there should be {checks.show(wanted)}, there is {checks.show(got)}"
            )
            continue
        got = {
            "Version": got["Version"],
            "State": got["State"],
            "Answers": [(a["CommandId"], a["Outcome"], a["Reason"]) for a in got["Answers"]],
        }
        if wanted != got:
            complaints.append(f"{aggregate} {subject}: {checks.differences(wanted, got)}")
    return complaints


def with_answers(states, answers):
    """The rows of an aggregate's two stores as one: each state with its answers, oldest first."""
    kept = {}
    for (subject, _), answer in sorted(answers.items(), key=lambda item: item[1]["Number"]):
        kept.setdefault(subject, []).append(answer)
    joined = {key: {**row, "Answers": kept.pop(key[0], [])} for key, row in states.items()}
    assert not kept, f"answers without a state: {sorted(kept)[:3]}"
    return joined


def stored_states(history, aggregate):
    """{id: row} that the aggregate's store must have after these commands."""
    rows = {}
    for commands in history.partitions(tickets.topic(aggregate, "commands")).values():
        decider, answers = tickets.Decider(history, aggregate), {}
        for command in commands:
            known = (command.key, command.id) in decider.answered
            outcome, reason, _ = decider.decide(command)
            if not known:
                kept = answers.setdefault(command.key, [])
                kept.append((command.id, outcome, reason))
        for subject, kept in answers.items():
            rows[subject] = {
                "Version": decider.versions.get(subject, -1),
                "State": decider.states.get(subject),
                "Answers": kept[-tickets.REMEMBERED :],
            }
    return rows


def dead_letter(record):
    said = {name.rsplit(".", 1)[-1]: value for name, value in record.headers.items() if name.startswith("__millrace")}
    return (
        f"{said.get('topic')}[{said.get('partition')}]@{said.get('offset')} {record.type} {record.subject}: "
        f"{said.get('class')}: {said.get('message')}"
    )


def rows_of(stages, store):
    """{key: row} of a store from every instance of its stage that runs."""
    rows = {}
    for stage in stages:
        for key, row in stage.rows(store).items():
            assert key not in rows, f"two instances of {stage.stage} hold row {key!r} of {store}"
            rows[key] = row
    return rows


def encoded(key):
    return tuple(part.encode() if isinstance(part, str) else part for part in key)


def digest(rows):
    """SHA-256 over sorted `key TAB value` lines, as `millrace verify` documents it."""
    result = hashlib.sha256()
    for key in sorted(rows, key=encoded):
        line = [json.dumps(part, ensure_ascii=False, separators=(",", ":")) for part in (list(key), rows[key])]
        result.update(f"{line[0]}\t{line[1]}\n".encode())
    return result.hexdigest()


def stores():
    """(stage, store) of all that can be asked for."""
    return [(aggregate, store) for aggregate in AGGREGATES for store in ("state", "answers")] + [
        (stage, view) for view, (stage, _) in views.VIEWS.items()
    ]


def digests(app, repeats=False):
    """{(stage, store): digest} by `millrace verify`, which also compares logs with states; an event that is there
    twice is a difference to it."""
    found = {
        (row["stage"], row["store"]): row for row in app.ask("verify", seconds=120, codes=(0, 1) if repeats else (0,))
    }
    if repeats:
        return {place: row["digest"] for place, row in found.items()}
    different = [row for row in found.values() if row["differences"]]
    assert not different, f"millrace verify finds differences: {different}"
    return {place: row["digest"] for place, row in found.items()}


def cli_agrees(app, contents, repeats):
    """`millrace verify` and `millrace lag` say the same as the test's own look."""
    computed = {place: digest(rows) for place, rows in contents.items()}
    said = digests(app, repeats)
    complaints = [
        f"verify gives {place} the digest {said.get(place)}, its rows have {computed[place]}"
        for place in computed
        if computed[place] != said.get(place)
    ]
    return complaints + [f"lag is not 0: {row}" for row in app.ask("lag") if row["lag"] != 0]


def check(app, running, follower=None, repeats=False, dead=(), operator=None):
    """Every check of the topics, the stores and the group offsets; fails with all complaints.

    `running` is {stage: Stage or [Stage]}; `repeats` allows outputs to be there more than once;
    `dead` names stages that may have dead letters; `operator` is the app as whoever uses the CLI sees it.
    """
    verdict = checks.Verdict()
    raw = app.history()
    history = raw.without_repeats() if repeats else raw
    tickets.check_topics(verdict, history, reason_of, PARTITIONS, raw)
    for stage in topology.STAGES:
        if stage not in dead:
            letters = raw.records(f"tickets-{stage}-dlq")
            verdict.add(f"{stage}: no dead letters", [dead_letter(r) for r in letters])
    stages = {name: s if isinstance(s, list) else [s] for name, s in running.items()}
    contents = {(stage, store): rows_of(stages[stage], store) for stage, store in stores()}
    for aggregate in AGGREGATES:
        verdict.check(
            f"{aggregate}: stored state",
            lambda a=aggregate: same_answers(
                a, stored_states(history, a), with_answers(contents[a, "state"], contents[a, "answers"])
            ),
        )
    logs = tickets.logs(history)
    for view, (stage, compute) in views.VIEWS.items():
        verdict.check(f"view {view}", lambda v=view, s=stage, c=compute: checks.same_rows(v, c(logs), contents[s, v]))
    verdict.check("verify and lag", cli_agrees, operator or app, contents, repeats)
    verdict.check("transactions ended", app.cluster.open_transactions, topology.PREFIX)
    if follower is not None:
        along = [r for r in follower.stop() if r.topic in history.topics]
        at_end = [r for name, records in raw.topics.items() if name.startswith(topology.PREFIX) for r in records]
        verdict.add("what was read along", checks.seen_along(along, at_end))
    verdict.end()
    return history
