#!/usr/bin/env python3
"""`millrace replay`: state made again from its input without outputs, exactly so through kills and rebalances; all or
nothing, whatever happens in the middle; refused while anybody is in the group.

One app (replay/app.lua) on one broker. What a view sends is a record for each that it reads, with totals in it: order,
number and values of its output say what was sent, and what was sent twice.
"""

import json
import os
import shutil
import signal
import socket
import struct
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "support", "python"))

from mrtest import checks, places, runner  # noqa: E402

runner.need_broker()

from mrtest import fault_proxy  # noqa: E402
from mrtest.app import App, terminate  # noqa: E402
from mrtest.broker import Broker  # noqa: E402
from mrtest.fault_proxy import FaultProxy  # noqa: E402
from mrtest.kafka import Cluster, Writer  # noqa: E402
from mrtest.process import Process, end_all  # noqa: E402
from mrtest.tickets import run  # noqa: E402
from mrtest.waiting import Not, until  # noqa: E402

DIRECTORY = os.path.join(os.path.dirname(os.path.abspath(__file__)), "replay")
READINGS, COMMANDS = "again.readings", "again.commands"
FETCH, OFFSET_FETCH, LEAVE_GROUP = 1, 9, 13
PARTITIONS = 2
# A fetch has whole batches: small ones, so that a fetch brings few.
KEYS, BATCH, BATCHED = 20, 4000, 20
# A commit for a few hundred records: a replay has a middle.
SLOW = {"commit.records.max": "20"}
# Who is to be killed: what it leaves open ends soon.
KILLED = {**SLOW, "transaction.timeout.ms": "4s"}
STAGES = {
    "view": ("project", (READINGS,)),
    "twice": ("project", (READINGS,)),
    "counter": ("aggregate", (COMMANDS,)),
    "copies": ("transform", (READINGS,)),
}
bench = None


class Bench:
    """The app, what was sent to it, and what is asked of it."""

    def __init__(self):
        self.files = places.fresh_files()
        self.broker = Broker(self.files)
        self.app = self.of(DIRECTORY)
        self.cluster = Cluster(self.broker.bootstrap)
        self.app.apply_topics()
        self.writer = Writer(self.broker.bootstrap, **{"batch.num.messages": BATCHED})
        self.sent = self.commanded = 0

    def of(self, directory):
        schemas = os.path.join(DIRECTORY, "schemas")
        return App(self.broker, self.files, STAGES, directory=directory, name="again", schemas=schemas)

    def changed(self):
        """The app with other logic: each step counts twice."""
        directory = os.path.join(self.files, "changed")
        shutil.copytree(DIRECTORY, directory, dirs_exist_ok=True)
        with open(os.path.join(DIRECTORY, "app.lua"), encoding="utf-8") as f:
            text = f.read()
        with open(os.path.join(directory, "app.lua"), "w", encoding="utf-8") as f:
            f.write(text.replace("local STEP = 1", "local STEP = 2"))
        return self.of(directory)

    # ---- Input ----

    def read(self, count=BATCH):
        """Readings that differ from each other."""
        for _ in range(count):
            key = f"sensor-{self.sent * 7 % KEYS}".encode()
            self.writer.send(READINGS, key, self.app.schemas.encode("Reading", {"Amount": self.sent}), {})
            self.sent += 1
        self.writer.flush()

    def command(self, first, count):
        """Commands with numbers from `first` on: the same number is the same command."""
        for number in range(first, first + count):
            subject = f"counter-{number % KEYS}"
            headers = {
                "ce_specversion": "1.0",
                "ce_id": f"command-{number}",
                "ce_source": "test",
                "ce_type": "Add",
                "ce_subject": subject,
                "content-type": "application/json",
            }
            self.writer.send(COMMANDS, subject.encode(), json.dumps({"Amount": number % 5}).encode(), headers)
        self.writer.flush()

    # ---- What is there ----

    def count(self, topic):
        return self.cluster.count(topic)

    def marks(self, group):
        """{partition: (offset, metadata)} of what a group has committed of the readings."""
        self.cluster.committed(group)  # waits for transactions that are about to change it
        return committed_with_metadata(self.broker.bootstrap, group, READINGS, range(PARTITIONS))

    def everything(self):
        """Ends of all topics, what all groups have committed, and the directories of all states."""
        consumer_groups = [f"again-{stage}" for stage in STAGES]
        directories = sorted(os.path.join(at, name) for at, names, _ in os.walk(self.app.state) for name in names)
        return (
            self.cluster.ends(self.cluster.partitions("again")),
            {group: self.cluster.committed(group) for group in consumer_groups},
            {group: self.marks(group) for group in consumer_groups},
            directories,
        )

    def members(self, stage):
        group = f"again-{stage}"
        if group not in self.cluster.groups():
            return []
        (described,) = self.cluster.admin.describe_consumer_groups([group]).values()
        return described.result().members

    def empty(self, stage):
        """Puts out of the group who is gone: a static member, or one that was killed, stays until its session is over,
        which is not waited for."""
        for member in self.members(stage):
            leave_group(self.broker.bootstrap, f"again-{stage}", member.member_id)
        until(f"group of {stage} to be empty", 30, lambda: not self.members(stage))

    def digest(self, stage, store):
        """Once somebody has each partition: a rebalance may be under way."""

        def is_whole():
            code, out, err = self.app.cli("verify", "--stage", stage, "--json")
            return [json.loads(line) for line in out.splitlines()] if code == 0 else Not(err)

        rows = until(f"all rows of {stage}", 30, is_whole)
        (said,) = [row for row in rows if row["store"] == store]
        return said["digest"]

    # ---- Doing ----

    def begin(self, stage):
        """Nobody is there, whatever became of the test before."""
        end_all()
        self.empty(stage)

    def replay(self, *arguments, app=None, codes=(0,), **properties):
        """The plan that it prints; {partition: row}."""
        rows = (app or self.app).ask("replay", *arguments, codes=codes, **properties)
        return {row["partition"]: row for row in rows}

    def refused(self, *arguments, code=2, app=None, **properties):
        """What it says when it refuses."""
        found, out, err = (app or self.app).cli("replay", *arguments, **properties)
        assert found == code, f"exit {found} instead of {code}:\n{out}{err}"
        return err

    def wait_done(self, stages, instances):
        """Until these have read all that there is."""

        def is_done():
            states = []
            for instance in instances:
                assert instance.is_running(), f"{instance.name} ended\n{instance.tail()}"
                states += [task["state"] for task in (instance.status() or {}).get("tasks", [])]
            if states != ["running"] * PARTITIONS:
                return Not(f"the tasks are {states}")
            ends = self.cluster.ends(self.cluster.partitions(READINGS) + self.cluster.partitions(COMMANDS))
            for stage in stages:
                committed = self.cluster.committed(f"again-{stage}")
                for topic in STAGES[stage][1]:
                    for place, end in ends.items():
                        if place[0] == topic and committed.get(place, 0) != end:
                            return Not(f"{stage} is at {committed.get(place)} of {place}, which ends at {end}")
            return True

        until(f"{', '.join(stages)} to be done", 60, is_done, every=0.3)

    def stop(self, stage, *instances):
        terminate(instances)
        self.empty(stage)


def text_of(words):
    return struct.pack(">h", len(words)) + words.encode()


def ask_broker(bootstrap, api_key, version, body):
    """The answer to one request that is written by hand."""
    host, port = bootstrap.split(":")
    with socket.create_connection((host, int(port)), 30) as side:
        fault_proxy.write_frame(side, struct.pack(">hhi", api_key, version, 0) + text_of("test") + body)
        return fault_proxy.read_frame(side)


def committed_with_metadata(bootstrap, group, topic, partitions):
    """{partition: (offset, metadata)}. The client for Python reads beyond the end of the metadata."""
    asked = text_of(group) + struct.pack(">i", 1) + text_of(topic) + struct.pack(">i", len(partitions))
    asked += b"".join(struct.pack(">i", p) for p in partitions)
    answer = ask_broker(bootstrap, OFFSET_FETCH, 1, asked)
    at, found = 4 + 4 + 2 + len(topic) + 4, {}
    for _ in partitions:
        partition, offset, length = struct.unpack_from(">iqh", answer, at)
        found[partition] = (offset, answer[at + 14 : at + 14 + max(length, 0)].decode())
        at += 14 + max(length, 0) + 2
    return found


def leave_group(bootstrap, group, member):
    """In a member's name."""
    no_instance = struct.pack(">h", -1)
    asked = text_of(group) + struct.pack(">i", 1) + text_of(member) + no_instance
    ask_broker(bootstrap, LEAVE_GROUP, 3, asked)


def expected(step=1, start=None):
    """([output of each partition in order], rows of a view) that the readings call for."""
    schemas = bench.app.schemas
    outputs, rows = [], {}
    for partition in range(PARTITIONS):
        for record in bench.app.history().partitions(READINGS).get(partition, []):
            if record.offset < (start or {}).get(partition, 0):
                continue
            old = rows.get((record.key,), {"Count": 0, "Sum": 0})
            amount = schemas.decode(record.value)[1]["Amount"]
            rows[(record.key,)] = {"Count": old["Count"] + step, "Sum": old["Sum"] + amount}
            outputs.append((partition, record.key, rows[(record.key,)]))
    return outputs, rows


def sent_to(topic):
    schemas = bench.app.schemas
    found = bench.app.history().partitions(topic)
    return [(p, r.key, schemas.decode(r.value)[1]) for p in sorted(found) for r in found[p]]


def check_view(stage="view", topic="again.alerts", instances=()):
    """Each reading has made one output, in order, and the rows are what they call for."""
    outputs, rows = expected()
    found = sent_to(topic)
    assert found == outputs, f"{len(found)} outputs instead of {len(outputs)}, or others"
    held = {}
    for instance in instances:
        held.update(instance.rows("totals"))
    complaints = checks.same_rows(stage, rows, held)
    assert not complaints, complaints
    assert bench.digest(stage, "totals") == run.digest(rows)


# ---- The view ----


def test_refused_while_a_member_is_there():
    bench.read()
    view = bench.app.start("view", **SLOW)
    view.wait_ready()
    bench.wait_done(["view"], [view])
    check_view(instances=[view])
    said = bench.refused("--stage", "view")
    assert "group again-view is active" in said and "(group.instance.id 0)" in said, said
    code, _, err = bench.app.cli("replay", "--stage", "view", "--dry-run")
    assert code == 0 and "group again-view is active" in err, err
    terminate([view])
    # Stopped, but a static member all the same.
    said = bench.refused("--stage", "view")
    assert "until its session.timeout.ms is over" in said, said


def test_wrong_words_are_refused():
    for arguments, words in (
        (("--stage", "veiw"), "did you mean 'view'?"),
        ((), "--stage is missing"),
        (("--stage", "view", "--to-latest", "--to-offset", "3"), "one beginning"),
        (("--stage", "view", "--to-datetime", "yesterday"), "expected a time like"),
        (("--stage", "view", "--by-duration", "1h"), "expected a duration like"),
        (("--stage", "copies"), "--emit sends them again"),
        (("--stage", "counter", "--to-earliest"), "its truth are its events"),
        (("--stage", "counter", "--emit"), "its truth are its events"),
        (("--stage", "twice"), "group again-twice has committed no offset"),
        (("--stage", "view", "--from-file", "/nowhere"), "there is no '/nowhere'"),
    ):
        said = bench.refused(*arguments)
        assert words in said, f"{arguments}: {said}"


def test_each_beginning_is_planned_and_nothing_is_done():
    bench.begin("view")
    before = bench.everything()
    ends = {p: bench.cluster.ends(bench.cluster.partitions(READINGS))[READINGS, p] for p in range(PARTITIONS)}
    named = os.path.join(bench.files, "offsets.csv")
    with open(named, "w", encoding="utf-8") as f:
        f.write(f'"{READINGS}",1,7\n')
    rows = len(expected()[1])
    for arguments, wanted in (
        ((), {0: 0, 1: 0}),
        (("--to-earliest",), {0: 0, 1: 0}),
        (("--to-latest",), ends),
        (("--to-offset", "5"), {0: 5, 1: 5}),
        (("--to-offset", "100000"), ends),
        (("--to-datetime", "2020-01-01T00:00:00.000"), {0: 0, 1: 0}),
        (("--to-datetime", "2199-01-01T00:00:00.000+02:00"), ends),
        (("--by-duration", "P1D"), {0: 0, 1: 0}),
        (("--by-duration", "PT0S"), ends),
        (("--shift-by", "-3"), {p: end - 3 for p, end in ends.items()}),
        (("--shift-by=-100000",), {0: 0, 1: 0}),
        (("--from-file", named), {0: None, 1: 7}),
    ):
        plan = bench.replay("--stage", "view", "--dry-run", *arguments)
        assert {p: row["new"] for p, row in plan.items()} == wanted, f"{arguments}: {plan}"
        for p, row in plan.items():
            assert row["topic"] == READINGS and row["committed"] == ends[p], row
            assert row["records"] == (None if wanted[p] is None else ends[p] - wanted[p]), f"{arguments}: {row}"
        moved = [row["totals_rows"] for row in plan.values() if row["new"] is not None]
        assert len(moved) == 1 or sum(moved) == rows, f"{arguments}: {plan}"
    assert bench.everything() == before
    said = bench.app.cli("replay", "--stage", "view", "--dry-run", "--to-offset", "100000")[2]
    assert "is beyond its end" in said and "will hold only what comes" in said, said


def test_a_killed_replay_leaves_all_as_it_was():
    bench.begin("view")
    marks, outputs = bench.marks("again-view"), bench.count("again.alerts")
    digest = bench.digest("view", "totals")
    for point in ("before-flush", "after-flush", "after-offsets"):
        killed = Process(
            "replay",
            ["millrace", "replay", bench.app.directory, "--stage", "view"]
            + bench.app.settings(**{"transaction.timeout.ms": "3s"}),
            os.path.join(bench.files, "logs", f"replay-{point}.log"),
            MILLRACE_CRASH_POINT=point,
        )
        assert killed.wait(60) == -9, killed.tail()
        # Waits for the open transaction, which the broker ends.
        assert bench.marks("again-view") == marks, point
        bench.empty("view")
    view = bench.app.start("view", **SLOW)
    view.wait_ready()
    assert bench.digest("view", "totals") == digest and bench.count("again.alerts") == outputs
    bench.stop("view", view)


def test_a_replay_sends_nothing_through_kills_and_rebalances():
    bench.begin("view")
    digest, outputs = bench.digest("view", "totals"), bench.count("again.alerts")
    ends = {p: offset for p, (offset, _) in bench.marks("again-view").items()}
    plan = bench.replay("--stage", "view")
    assert sum(row["totals_rows"] for row in plan.values()) == KEYS, plan
    marks = bench.marks("again-view")
    assert marks == {p: (0, f"millrace-replay-below={end}") for p, end in ends.items()}, marks
    # Killed in the middle, twice.
    for point in ("after-commit:3", "after-offsets:2"):
        view = bench.app.start("view", environment={"MILLRACE_CRASH_POINT": point}, **KILLED)
        assert view.wait(60) == -9, view.tail()
        assert re_lines(view, "outputs are not sent") == 2, view.tail()
    marks = bench.marks("again-view")
    assert 0 < sum(offset for offset, _ in marks.values()) < sum(ends.values()), marks
    assert all(text == f"millrace-replay-below={ends[p]}" for p, (o, text) in marks.items() if o < ends[p]), marks
    # Held in the middle, and a second instance comes. It fetches as little as it can.
    proxy = FaultProxy(bench.broker.bootstrap)
    held = proxy.rule(FETCH, fault_proxy.HOLD, seconds=60, nth=40, times=10000)
    view = bench.app.start("view", **{"bootstrap.servers": proxy.bootstrap, "max.partition.fetch.bytes": "1024"})
    until("a fetch to be held", 60, lambda: held.hits > 0)
    see_it_replay(view)
    other = bench.app.start("view", "1", **SLOW)
    until("a second member", 60, lambda: len(bench.members("view")) == 2)
    held.release()
    until("each to have a task", 60, lambda: [tasks(view), tasks(other)] == [1, 1])
    bench.wait_done(["view"], [view, other])
    assert bench.count("again.alerts") == outputs
    assert bench.digest("view", "totals") == digest
    assert all(text == "" for _, text in bench.marks("again-view").values()), bench.marks("again-view")
    # What comes after is sent, once.
    bench.read()
    bench.wait_done(["view"], [view, other])
    check_view(instances=[view, other])
    bench.stop("view", view, other)
    proxy.close()


def re_lines(process, words):
    return sum(words in line for line in process.output().splitlines())


def tasks(instance):
    return len((instance.status() or {}).get("tasks", []))


def see_it_replay(view):
    """In /status, /metrics, /readyz and `millrace status`."""

    def is_replaying():
        status = view.status() or {}
        return status if status.get("state") == "replaying" else Not(status)

    status = until("the view to be replaying", 30, is_replaying)
    left = {t["task"]: t["replay_remaining"] for t in status["tasks"]}
    assert any(t["state"] == "replaying" and t["replay_remaining"] > 0 for t in status["tasks"]), status
    assert not view.is_ready()
    _, metrics = view.get("/metrics")
    for task, remaining in left.items():
        assert f'millrace_task_replay_remaining_offsets{{task="{task}"}} {remaining}' in metrics, metrics
    said = {row["task"]: row["replay_remaining"] for row in bench.app.ask("status", "view")}
    assert said == left, said


def test_a_second_replay_in_the_middle_of_the_first():
    bench.begin("view")
    outputs = bench.count("again.alerts")
    ends = {p: offset for p, (offset, _) in bench.marks("again-view").items()}
    bench.replay("--stage", "view")
    view = bench.app.start("view", environment={"MILLRACE_CRASH_POINT": "after-commit:3"}, **KILLED)
    assert view.wait(60) == -9, view.tail()
    bench.empty("view")
    bench.replay("--stage", "view")
    marks = bench.marks("again-view")
    assert marks == {p: (0, f"millrace-replay-below={end}") for p, end in ends.items()}, marks
    view = bench.app.start("view")
    bench.wait_done(["view"], [view])
    assert bench.count("again.alerts") == outputs
    check_view(instances=[view])
    bench.stop("view", view)


# ---- Who comes in the middle ----


def in_the_middle(proxy, api_key, **properties):
    """A replay by way of the proxy, once its request with that key is held; (process, rule)."""
    rule = proxy.rule(api_key, fault_proxy.HOLD, seconds=120, client="^millrace$")
    settings = bench.app.settings(**{"bootstrap.servers": proxy.bootstrap, **properties})
    log = os.path.join(bench.files, "logs", f"replay-{api_key}.log")
    replay = Process("replay", ["millrace", "replay", bench.app.directory, "--stage", "view", *settings], log)
    until("a request to be held", 60, lambda: rule.hits > 0 or Not(replay.output()))
    return replay, rule


def test_a_processor_that_starts_meanwhile_ends_it():
    bench.begin("view")
    marks, digest, outputs = bench.marks("again-view"), bench.digest("view", "totals"), bench.count("again.alerts")
    proxy = FaultProxy(bench.broker.bootstrap)
    replay, rule = in_the_middle(proxy, fault_proxy.INIT_PRODUCER_ID)
    view = bench.app.start("view")
    until("the processor to have a task", 60, lambda: tasks(view) > 0)
    rule.release()
    code, said = replay.wait(60), "nothing was changed: a processor of group again-view started"
    assert code == 2 and said in replay.output(), replay.tail()
    view.wait_ready()
    bench.wait_done(["view"], [view])
    assert bench.marks("again-view") == marks and bench.count("again.alerts") == outputs
    assert bench.digest("view", "totals") == digest
    bench.stop("view", view)
    proxy.close()


def test_a_replay_that_was_put_out_of_the_group_is_refused_by_the_broker():
    bench.begin("view")
    marks, digest, outputs = bench.marks("again-view"), bench.digest("view", "totals"), bench.count("again.alerts")
    proxy = FaultProxy(bench.broker.bootstrap)
    replay, rule = in_the_middle(proxy, fault_proxy.TXN_OFFSET_COMMIT)
    # Its heartbeats end; the processor has the group, and reads its state up to the open transaction.
    replay.popen.send_signal(signal.SIGSTOP)
    view = bench.app.start("view")
    until("the processor alone", 60, lambda: len(bench.members("view")) == 1 and tasks(view) == 2)
    rule.release()
    replay.popen.send_signal(signal.SIGCONT)
    code = replay.wait(90)
    assert code != 0 and "nothing was changed" in replay.output(), f"exit {code}\n{replay.tail()}"
    view.wait_ready()
    bench.wait_done(["view"], [view])
    assert bench.marks("again-view") == marks and bench.count("again.alerts") == outputs
    assert bench.digest("view", "totals") == digest
    bench.stop("view", view)
    proxy.close()


# ---- Other logic, other beginnings ----


def test_a_version_beside_it_sends_nothing_and_takes_its_place_only_where_it_is():
    bench.begin("view")
    outputs = bench.count("again.alerts")
    build = ("rebuild", "view", "--as", "v2")
    bench.app.ask(*build, seconds=120)
    bench.read(50)
    bench.app.ask(*build, seconds=120, codes=(0, 1))
    assert bench.count("again.alerts") == outputs
    code, _, err = bench.app.cli(*build, "--swap", seconds=120)
    assert code == 2 and "would never be sent" in err, err
    view = bench.app.start("view")
    bench.wait_done(["view"], [view])
    check_view(instances=[view])
    bench.stop("view", view)
    bench.app.ask(*build, "--swap", seconds=120)
    view = bench.app.start("view")
    bench.read(50)
    bench.wait_done(["view"], [view])
    check_view(instances=[view])
    bench.stop("view", view)
    bench.empty("view-v2")
    code, out, err = bench.app.cli(*build, "--drop", seconds=120)
    assert code == 0, out + err


def test_changed_logic_and_a_later_beginning():
    bench.begin("view")
    outputs = bench.count("again.alerts")
    changed = bench.changed()
    plan = bench.replay("--stage", "view", "--to-offset", "9", app=changed)
    assert {p: row["new"] for p, row in plan.items()} == {0: 9, 1: 9}, plan
    view = changed.start("view")
    bench.wait_done(["view"], [view])
    _, rows = expected(2, {0: 9, 1: 9})
    complaints = checks.same_rows("view", rows, view.rows("totals"))
    assert not complaints, complaints
    assert bench.count("again.alerts") == outputs
    bench.stop("view", view)


def test_with_emit_outputs_are_sent_again():
    bench.begin("view")
    outputs = bench.count("again.alerts")
    plan = bench.replay("--stage", "view", "--emit")
    assert all(text.endswith(";sends") for _, text in bench.marks("again-view").values())
    view = bench.app.start("view", environment={"MILLRACE_CRASH_POINT": "after-commit:3"}, **KILLED)
    assert view.wait(60) == -9, view.tail()
    view = bench.app.start("view")
    bench.wait_done(["view"], [view])
    assert bench.count("again.alerts") == outputs + sum(row["records"] for row in plan.values())
    complaints = checks.same_rows("view", expected()[1], view.rows("totals"))
    assert not complaints, complaints
    bench.stop("view", view)


def test_a_stage_that_keeps_nothing():
    bench.begin("copies")
    copies = bench.app.start("copies")
    bench.wait_done(["copies"], [copies])
    assert bench.count("again.copies") == bench.sent
    bench.stop("copies", copies)
    plan = bench.replay("--stage", "copies", "--emit", "--shift-by", "-10")
    assert [row["records"] for row in plan.values()] == [10, 10], plan
    copies = bench.app.start("copies")
    bench.wait_done(["copies"], [copies])
    assert bench.count("again.copies") == bench.sent + 20
    terminate([copies])


def test_at_least_once():
    bench.begin("twice")
    guarantee = {"processing.guarantee": "at_least_once"}
    twice = bench.app.start("twice", **guarantee, **SLOW)
    bench.wait_done(["twice"], [twice])
    check_view("twice", "again.repeats", [twice])
    bench.stop("twice", twice)
    plan = bench.replay("--stage", "twice", **guarantee)
    assert sum(row["totals_rows"] for row in plan.values()) == KEYS, plan
    # One reads its tail, one everything.
    for instance in ("0", "9"):
        environment = {"MILLRACE_CRASH_POINT": "after-commit:2"}
        twice = bench.app.start("twice", instance, environment, **guarantee, **KILLED)
        assert twice.wait(60) == -9, twice.tail()
        bench.empty("twice")
    twice = bench.app.start("twice", **guarantee)
    bench.wait_done(["twice"], [twice])
    check_view("twice", "again.repeats", [twice])
    bench.read(100)
    bench.wait_done(["twice"], [twice])
    check_view("twice", "again.repeats", [twice])
    terminate([twice])


# ---- The aggregate ----


def test_an_aggregate_is_folded_again():
    bench.begin("counter")
    bench.command(0, 200)
    counter = bench.app.start("counter")
    bench.wait_done(["counter"], [counter])
    states = counter.rows("state")
    bench.stop("counter", counter)
    counts = [bench.count(topic) for topic in ("again.events", "again.results")]
    before = bench.everything()
    changed = bench.changed()
    assert sum(row["state_rows"] for row in bench.replay("--stage", "counter", "--dry-run", app=changed).values()) > 0
    assert sum(row["state_rows"] for row in bench.replay("--stage", "counter", "--dry-run").values()) == 0
    assert bench.everything() == before
    plan = bench.replay("--stage", "counter", app=changed)
    differing = [key for key, row in states.items() if row["State"] and row["State"]["Value"] != 0]
    assert sum(row["state_rows"] for row in plan.values()) == len(differing) > 0, plan
    assert [row["new"] for row in plan.values()] == [None, None], plan
    counter = changed.start("counter")
    counter.wait_ready()
    doubled = {
        key: {**row, "State": row["State"] and {"Value": 2 * row["State"]["Value"]}} for key, row in states.items()
    }
    complaints = checks.same_rows("counter", doubled, counter.rows("state"))
    assert not complaints, complaints
    assert changed.cli("verify", "--stage", "counter")[0] == 0
    assert [bench.count(topic) for topic in ("again.events", "again.results")] == counts
    # Commands are remembered: answered, and not decided again.
    bench.command(0, 10)
    bench.wait_done(["counter"], [counter])
    assert [bench.count(topic) for topic in ("again.events", "again.results")] == [counts[0], counts[1] + 10]
    terminate([counter])


def set_up():
    global bench  # pylint: disable=global-statement
    bench = Bench()


runner.main(globals(), set_up)
