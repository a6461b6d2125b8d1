#!/usr/bin/env python3
"""A view built anew beside the live one, compared with it, swapped in, dropped.

The view is the programme of the tickets app: four stores, one of them with a projection topic. Its input is written
by the test, as the stage before it does, so that what each state must be is known.
"""

import copy
import json
import os
import re
import signal
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "support", "python"))

from mrtest import places, runner  # noqa: E402

runner.need_broker()

from confluent_kafka import IsolationLevel  # noqa: E402

from mrtest.app import copy_app  # noqa: E402
from mrtest.broker import Broker  # noqa: E402
from mrtest.kafka import Writer  # noqa: E402
from mrtest.process import Process, run as run_command  # noqa: E402
from mrtest.tickets import run  # noqa: E402
from mrtest.waiting import Not, until  # noqa: E402

INPUT, PROJECTION, GROUP = "tickets.programme.facts", "tickets.concerts", "tickets-programme"
CONCERTS = 2000
DAY = 86400000
OWN = ("concerts", "programme", "programme_by_term", "programme_parts")
# A killed swap's transaction is over soon.
PROPERTIES = {"transaction.timeout.ms": "10000"}


class Theatre:
    """The live programme, and what writes its input."""

    def __init__(self):
        self.files = places.fresh_files()
        self.app = run.tickets_app(Broker(self.files), self.files, **PROPERTIES)
        self.app.apply_topics()
        self.writer = Writer(self.app.bootstrap)
        self.versions = {}
        for number in range(CONCERTS):
            self.say(number)
        for number in range(0, CONCERTS, 3):
            self.say(number, name=f"Renamed {number}")
        for number in range(0, CONCERTS, 20):
            self.say(number, status="DELETED")
        self.writer.flush()
        self.live = None
        self.start()
        self.settle()

    def say(self, number, name=None, status="PUBLISHED"):
        """The next fact of a concert; every seventh has no date, every second an image."""
        concert = f"c{number}"
        version = self.versions[concert] = self.versions.get(concert, -1) + 1
        row = {
            "Id": concert,
            "Version": version,
            "Name": name or f"Concert {number}",
            "VenueId": None,
            "ImageUrl": f"image {number}" if number % 2 else None,
            "Created": 1,
            "StartDate": number * DAY if number % 7 else None,
            "EndDate": None,
            "Status": status,
            "TicketTypes": [],
        }
        headers = {
            "ce_specversion": "1.0",
            "ce_id": f"{concert}/{version}",
            "ce_source": "test",
            "ce_type": "ConcertFact",
            "ce_subject": concert,
            "ce_time": "2026-01-01T00:00:00Z",
        }
        self.writer.send(INPUT, concert.encode(), self.app.schemas.encode("ConcertFact", row), headers)

    def start(self, app=None):
        self.live = (app or self.app).start("programme")
        self.live.wait_ready()

    def settle(self, group=GROUP):
        """The group has committed all that the input has."""
        inputs = self.app.cluster.partitions(INPUT)
        ends = self.app.cluster.ends(inputs)

        def is_settled():
            committed = self.app.cluster.committed(group)
            left = {place: end - committed.get(place, 0) for place, end in ends.items() if committed.get(place, 0) < end}
            return Not(left) if left else True

        until(f"{group} to read all", 60, is_settled)

    def stop(self):
        assert self.live.terminate() == 0, self.live.tail()

    def wait_idle(self, group=GROUP):
        """A static member stays until its session is over."""

        def is_idle():
            found = self.app.cluster.admin.describe_consumer_groups([group])[group].result()
            return Not([m.group_instance_id for m in found.members]) if found.members else True

        until(f"{group} to be without members", 60, is_idle)

    def rebuild(self, version, *options, app=None, codes=(0,), view="programme", seconds=120, **environment):
        """(JSON documents, stderr) of millrace rebuild."""
        app = app or self.app
        command = ["millrace", "rebuild", app.directory, view, "--as", version, "--json", *options, *app.settings()]
        code, out, err = run_command(command, seconds, **environment)
        assert code in codes, f"millrace rebuild {' '.join(options)} exits {code}:\n{out}{err}"
        return [json.loads(line) for line in out.splitlines()], err

    def digests(self, *options):
        """{store: (rows, digest)} by millrace verify."""
        rows = self.app.ask("verify", "--stage", "programme", *options)
        return {row["store"]: (row["rows"], row["digest"]) for row in rows}

    def topics(self, version=None):
        """Everything that the live stage writes, or the version."""
        suffix = "" if version is None else f"-{version}"
        names = {f"{GROUP}{suffix}-{store}-changelog" for store in (*OWN, "parked")}
        return names | {f"{GROUP}{suffix}-dlq", f"{PROJECTION}{suffix}"}

    def ends(self, names):
        partitions = [tp for tp in self.app.cluster.partitions("tickets") if tp.topic in names]
        return self.app.cluster.ends(partitions, IsolationLevel.READ_UNCOMMITTED)

    def records(self, names):
        """{topic: {(partition, offset): record}} of what is committed."""
        partitions = [tp for tp in self.app.cluster.partitions("tickets") if tp.topic in names]
        result = {name: {} for name in names}
        for record in self.app.cluster.read(partitions):
            result[record.topic][record.partition, record.offset] = record
        return result

    def written_since(self, before):
        """{topic: records} that are committed now and were not among those of records()."""
        now = self.records(set(before))
        return {name: [r for place, r in now[name].items() if place not in before[name]] for name in now}

    def last_rows(self, topic):
        """{key: row} as who reads a projection topic has them."""
        rows = {}
        for _, record in sorted(self.records({topic})[topic].items()):
            rows[record.key] = self.app.schemas.decode(record.value)[1]
        return {key: row for key, row in rows.items() if row is not None}

    def snapshot(self):
        """What must not change by looking."""
        above = os.path.join(self.app.state, "tickets")
        return {
            "ends": self.ends(set(self.app.cluster.topics("tickets"))),
            "topics": self.app.cluster.topics("tickets"),
            "groups": self.app.cluster.groups("tickets"),
            "committed": self.app.cluster.committed(GROUP),
            "directories": {name: sorted(os.listdir(os.path.join(above, name))) for name in os.listdir(above)},
        }


theatre = None


def changed_app(name, changes):
    """The app with other logic in its programme: {text: what stands there instead}."""
    app = copy.copy(theatre.app)
    app.directory = copy_app("tickets", os.path.join(theatre.files, name))
    path = os.path.join(app.directory, "programme.lua")
    with open(path, encoding="utf-8") as f:
        text = f.read()
    for before, after in changes.items():
        assert text.count(before) == 1, before
        text = text.replace(before, after)
    with open(path, "w", encoding="utf-8") as f:
        f.write(text)
    return app


def sums(documents):
    """{store: counts and digests} of a comparison, and the rows that it shows."""
    stores = {d["store"]: d for d in documents if "same" in d}
    return stores, [d for d in documents if "same" not in d]


def must_be_equal(documents):
    stores, rows = sums(documents)
    assert not rows, rows
    assert sorted(stores) == sorted((*OWN, "parked")), stores
    for store, row in stores.items():
        assert row["different"] == row["only_live"] == row["only_built"] == 0, row
        assert row["live_digest"] == row["built_digest"], row
        assert store == "parked" or row["same"] > 0, row
    return stores


def refused(code, text, verb, *arguments):
    got, out, err = theatre.app.cli(verb, *arguments)
    assert got == code and text in err and not out, f"{verb} {arguments} exits {got}:\n{out}{err}"


# ---- Names ----


def test_what_has_no_version_is_refused():
    refused(2, "--as is missing", "rebuild", "programme")
    refused(2, "'V2' is to be", "rebuild", "programme", "--as", "V2")
    refused(2, "no store 'programm'; did you mean 'programme'?", "rebuild", "programm", "--as", "v2")
    refused(2, "is of kind aggregate", "rebuild", "cart", "--as", "v2")
    refused(2, "one of --compare", "rebuild", "programme", "--as", "v2", "--compare", "--drop")
    refused(2, "--as is of one stage", "lag", "--as", "v2")
    refused(2, "unknown option '--as'", "topics check", "--as", "v2")
    refused(2, "this version was not built yet", "rebuild", "programme", "--as", "v2", "--swap", "--dry-run")
    refused(2, "this version was not built yet", "rebuild", "programme", "--as", "v2", "--compare")
    command = ["millrace-transform", "--app", theatre.app.directory, "--stage", "route", "--as", "v2"]
    code, _, err = run_command([*command, *theatre.app.settings()])
    assert code == 2 and "is of kind transform" in err, err


# ---- Building ----


def test_a_dry_run_does_nothing():
    before = theatre.snapshot()
    documents, _ = theatre.rebuild("v2", "--dry-run")
    topics = {d["topic"]: d["broker"] for d in documents if "topic" in d}
    assert topics == dict.fromkeys(theatre.topics("v2"), "would be created"), topics
    inputs = [d for d in documents if "input" in d]
    assert sum(d["records"] for d in inputs) == sum(theatre.versions.values()) + CONCERTS, inputs
    assert theatre.snapshot() == before, "a dry run changed something"


def test_a_view_is_built_beside_the_live_one():
    """Which answers meanwhile, and of which nothing changes."""
    before = theatre.snapshot()
    settings = theatre.app.settings()
    log = os.path.join(theatre.files, "logs", "rebuild.log")
    command = ["millrace", "rebuild", theatre.app.directory, "programme_by_term", "--as", "v2", *settings]
    process = Process("rebuild", command, log)
    asked = 0
    while process.is_running() or asked == 0:
        assert theatre.app.ask("get", "concerts", "c1")[0]["value"]["Name"] == "Concert 1"
        asked += 1
    assert process.wait(10) == 0, process.tail()
    after = theatre.snapshot()
    assert after["topics"] == sorted(set(before["topics"]) | theatre.topics("v2")), after["topics"]
    assert after["groups"] == before["groups"] + [f"{GROUP}-v2"], after["groups"]
    assert after["committed"] == before["committed"]
    same = {place: end for place, end in after["ends"].items() if place[0] in before["topics"]}
    assert same == before["ends"], "a rebuild wrote to a topic of the live app"
    assert after["directories"]["programme-v2"] == ["0"], after["directories"]


def test_built_is_what_is_live():
    stores = must_be_equal(theatre.rebuild("v2", "--compare")[0])
    live = theatre.digests()
    built = theatre.digests("--as", "v2")
    assert live == built and len(live) == len(OWN), f"{live} and {built}"
    for store in OWN:
        assert live[store] == (stores[store]["same"], stores[store]["live_digest"]), stores[store]
    assert theatre.last_rows(f"{PROJECTION}-v2") == theatre.last_rows(PROJECTION)


def test_verbs_look_at_a_version():
    code, out, err = theatre.app.cli("scan", "programme", "--as", "v2", "--json")
    assert code == 0 and "tickets/programme-v2, what was" in err, err
    assert [json.loads(line) for line in out.splitlines()] == theatre.app.ask("scan", "programme") and out
    code, out, err = theatre.app.cli("get", "concerts", "c1", "--as", "v2")
    assert code == 0 and "tickets/programme-v2, what was" in err and "Concert 1" in out, out + err
    assert {row["lag"] for row in theatre.app.ask("lag", "--stage", "programme", "--as", "v2")} == {0}
    theatre.app.ask("status", "programme", "--as", "v2", codes=(3,))
    code, _, err = theatre.app.cli("restore", "--stage", "programme", "--as", "v2", "--dry-run")
    assert code == 0 and "programme-v2/0': nothing is wrong" in err, err


def test_compare_reads_what_came_since():
    for number in range(0, CONCERTS, 5):
        theatre.say(number, name=f"Since {number}")
    theatre.writer.flush()
    theatre.settle()
    _, err = theatre.rebuild("v2", "--compare")
    assert "records to read" in err, err
    documents, err = theatre.rebuild("v2", "--compare")
    assert "records to read" not in err, "it was read again"
    must_be_equal(documents)


def test_states_of_different_inputs_are_said_to_be():
    theatre.stop()
    theatre.say(1, name="Behind")
    theatre.writer.flush()
    documents, err = theatre.rebuild("v2", codes=(1,))
    assert re.search(r"tickets-programme is at \d+, tickets-programme-v2 at \d+: rows may differ", err), err
    stores, rows = sums(documents)
    concerts = stores["concerts"]
    assert concerts["different"] == 1 and concerts["only_live"] == 0, concerts
    assert concerts["live_digest"] != concerts["built_digest"], concerts
    shown = [row for row in rows if row["store"] == "concerts"]
    assert shown[0]["key"] == ["c1"] and shown[0]["built"]["Name"] == "Behind", shown
    theatre.start()
    theatre.settle()
    must_be_equal(theatre.rebuild("v2", "--compare")[0])


def test_a_build_that_was_ended_goes_on_where_it_was():
    """Its processor is killed after each commit; it is ended by SIGTERM, then by SIGKILL."""
    settings = ["-X", "commit.records.max=1"]
    crash = {"MILLRACE_CRASH_POINT": "after-commit:1"}
    command = ["millrace", "rebuild", theatre.app.directory, "programme", "--as", "v4", *theatre.app.settings()]
    log, left = os.path.join(theatre.files, "logs", "ended.log"), []
    for way, code in ((signal.SIGTERM, 1), (signal.SIGKILL, -9)):
        process = Process("rebuild", [*command, *settings], log, **crash)
        left.append(int(process.wait_for_line(r"has (\d+) records to read", 60).group(1)))
        process.wait_for_line("was killed by signal 9 .*: starting it again", 60)
        process.signal(way)
        assert process.wait(60) == code, process.tail()
        if way == signal.SIGTERM:
            process.wait_for_line(r"stopped with [1-9]\d* records left", 1)
    documents, err = theatre.rebuild("v4", *settings, **crash)
    left.append(int(re.search(r"has (\d+) records to read", err).group(1)))
    assert left[0] > left[1] > left[2] > 0, left
    assert "was killed by signal 9" in err, err
    must_be_equal(documents)


# ---- Swapping ----

changed = None


def test_changed_logic_differs_in_the_rows_it_touches():
    global changed  # pylint: disable=global-statement
    changed = changed_app("changed", {"local NO_DATE = -1": "local NO_DATE = -2"})
    documents, _ = theatre.rebuild("v3", app=changed, codes=(1,))
    stores, rows = sums(documents)
    undated = [row for row in theatre.app.ask("scan", "programme") if row["key"][0] == -1]
    n = len(undated)
    assert n > 10
    programme = stores["programme"]
    counts = (programme["different"], programme["only_live"], programme["only_built"])
    assert counts == (0, n, n) and programme["live_digest"] != programme["built_digest"], programme
    for store in ("concerts", "programme_parts", "parked"):
        assert stores[store]["live_digest"] == stores[store]["built_digest"], stores[store]
    shown = [(row["key"][0], row["live"] is None, row["built"] is None) for row in rows if row["store"] == "programme"]
    assert shown == [(-2, True, False)] * 10, shown
    assert rows[0]["built"]["StartDate"] is None, rows[0]


def test_a_swap_needs_the_live_one_stopped():
    before = theatre.snapshot()
    _, err = theatre.rebuild("v3", "--swap", app=changed, codes=(2,))
    assert "group tickets-programme is active" in err and "group.instance.id 0" in err, err
    assert theatre.snapshot() == before
    theatre.stop()
    _, err = theatre.rebuild("v3", "--swap", app=changed, codes=(2,))
    assert "session.timeout.ms" in err, err
    theatre.wait_idle()


def test_a_dry_swap_does_nothing():
    before = theatre.snapshot()
    documents, err = theatre.rebuild("v3", "--swap", "--dry-run", app=changed)
    assert "would be refused" not in err, err
    stores = {d["store"]: d for d in documents}
    assert stores["programme"]["put"] == stores["programme"]["removed"] > 10, stores
    assert stores["concerts"]["put"] == stores["concerts"]["removed"] == 0, stores
    assert theatre.snapshot() == before


def test_a_version_with_failed_records_is_not_swapped():
    hear = '  hear(stores, concert.Id, "Concert", concert)'
    failing = changed_app("failing", {hear: f'  assert(concert.Id ~= "c7")\n{hear}'})
    theatre.rebuild("v5", app=failing, codes=(1,))
    before = theatre.snapshot()
    _, err = theatre.rebuild("v5", "--swap", app=failing, codes=(2,))
    assert "records of 1 keys have failed in tickets-programme-v5" in err, err
    after = theatre.snapshot()
    assert after["ends"] == before["ends"] and after["committed"] == before["committed"]
    theatre.wait_idle()


def test_a_killed_swap_leaves_the_live_one_as_it_was():
    before, written = theatre.digests(), theatre.records(theatre.topics())
    theatre.rebuild("v3", "--swap", app=changed, codes=(-9,), MILLRACE_CRASH_POINT="after-offsets")
    theatre.start()
    assert theatre.digests() == before
    assert not any(theatre.written_since(written).values())
    theatre.stop()
    theatre.wait_idle()


def test_a_swap_writes_the_rows_that_differ():
    live, projected = theatre.records(theatre.topics()), theatre.last_rows(PROJECTION)
    built = theatre.digests("--as", "v3")
    documents, _ = theatre.rebuild("v3", "--swap", app=changed)
    written = theatre.written_since(live)
    for row in documents:
        new = written[f"{GROUP}-{row['store']}-changelog"]
        removed = sum(1 for r in new if r.value is None)
        assert (len(new) - removed, removed) == (row["put"], row["removed"]), row
    assert sum(row["put"] + row["removed"] for row in documents) > 20, documents
    assert theatre.last_rows(PROJECTION) == projected
    theatre.start(changed)
    assert theatre.digests() == built
    theatre.stop()
    theatre.wait_idle()


def test_a_swap_reaches_the_projection_topic():
    """Rows of the store that has one: changed, new, and gone."""
    gone = '  if concert.Status == "DELETED" then'
    image = "ImageUrl = concert.ImageUrl,"
    changes = {gone: f'{gone[:-5]} or concert.Id == "c1" then', image: f'{image[:-1]} or "none",'}
    other = changed_app("other", changes)
    theatre.rebuild("v6", app=other, codes=(1,))
    before = theatre.records({PROJECTION})
    documents, _ = theatre.rebuild("v6", "--swap", app=other)
    counts = {row["store"]: (row["put"], row["removed"]) for row in documents}
    assert counts["concerts"][0] > 100 and counts["concerts"][1] == 1, counts
    new = theatre.written_since(before)[PROJECTION]
    assert len(new) == sum(counts["concerts"]), f"{len(new)} records for {counts['concerts']}"
    for record in new:
        assert record.headers["ce_source"] == GROUP and record.type == "ConcertRow", record.headers
        assert record.subject == record.key and "ce_time" not in record.headers, record.headers
    theatre.start(other)
    rows = {row["key"][0]: row["value"] for row in theatre.app.ask("scan", "concerts")}
    assert theatre.last_rows(PROJECTION) == rows and "c1" not in rows
    # And goes on from there: each record once, as the version makes it.
    for number in range(0, CONCERTS, 4):
        theatre.say(number, name=f"After {number}")
    theatre.writer.flush()
    theatre.settle()
    must_be_equal(theatre.rebuild("v6", "--compare", app=other)[0])
    assert len(theatre.written_since(before)[PROJECTION]) == len(new) + len(range(0, CONCERTS, 4))


# ---- Dropping ----


def test_a_version_is_dropped():
    before = theatre.snapshot()
    command = ["millrace-project", "--app", theatre.app.directory, "--stage", "programme", "--as", "v2"]
    log = os.path.join(theatre.files, "logs", "v2.log")
    process = Process("v2", [*command, *theatre.app.settings(**{"group.instance.id": "1"})], log)
    process.wait_for_line("task 0: ready", 60)
    _, err = theatre.rebuild("v2", "--drop", codes=(2,))
    assert "group tickets-programme-v2 is active" in err, err
    assert process.terminate() == 0, process.tail()
    theatre.wait_idle(f"{GROUP}-v2")
    documents, _ = theatre.rebuild("v2", "--drop", "--dry-run")
    assert {d["done"] for d in documents} == {"would be deleted"}, documents
    assert theatre.app.cluster.topics("tickets") == before["topics"]
    documents, _ = theatre.rebuild("v2", "--drop")
    assert {d["done"] for d in documents} == {"deleted"} and len(documents) == len(theatre.topics("v2")) + 2, documents
    until("the topics to be gone", 60, lambda: not theatre.topics("v2") & set(theatre.app.cluster.topics("tickets")))
    after = theatre.snapshot()
    assert after["topics"] == sorted(set(before["topics"]) - theatre.topics("v2")), after["topics"]
    assert after["groups"] == [name for name in before["groups"] if name != f"{GROUP}-v2"], after["groups"]
    assert "programme-v2" not in after["directories"] and "programme-v3" in after["directories"], after["directories"]
    assert after["committed"] == before["committed"]
    documents, _ = theatre.rebuild("v2", "--drop")
    assert {d["done"] for d in documents} == {"was not there"}, documents


def set_up():
    global theatre  # pylint: disable=global-statement
    theatre = Theatre()


runner.main(globals(), set_up)
