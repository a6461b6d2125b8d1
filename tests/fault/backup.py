#!/usr/bin/env python3
"""Backups: made while processors go on, whole or not there, and restored they are the state with only the tail read.

Method: one aggregate's state under traffic. Every restore must give the digests that `millrace verify` had, read less
than the changelogs have, and a start after it reads nothing. Then backups are cut off, damaged, and mixed up; and
`state --at` is compared with a fold of the events that the test makes itself.
"""

import datetime
import hashlib
import http.client
import json
import os
import shutil
import sys
import threading
import urllib.error
import urllib.request

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "support", "python"))

from mrtest import places, runner  # noqa: E402

runner.need_broker()

from confluent_kafka.admin import AlterConfigOpType, ConfigEntry, ConfigResource, ResourceType  # noqa: E402

from mrtest.app import App, Instance, copy_app, terminate  # noqa: E402
from mrtest.broker import Broker  # noqa: E402
from mrtest.chaos import RESTORED  # noqa: E402
from mrtest.tickets import run, topology  # noqa: E402
from mrtest.tickets.fold import evolve  # noqa: E402
from mrtest.tickets.traffic import Traffic  # noqa: E402
from mrtest.waiting import Deadline, Not, until  # noqa: E402

COMMANDS = int(os.environ.get("MR_BACKUP_COMMANDS", "3000"))
STAGE = "cart"
STAGES = {name: topology.STAGES[name] for name in ("route", STAGE, "venue")}
# Committed rows go to RocksDB after so many changes: a backup has them, the tail is what came since.
PROPERTIES = {"changelog.tail.records": "100"}


class Case:
    """The app, its processors, and the backup that was made under traffic."""

    app = running = traffic = backup = digests = None


def setup():
    files = places.fresh_files()
    Case.app = App(Broker(files), files, STAGES, **PROPERTIES)
    Case.app.apply_topics()
    Case.running = Case.app.start_all()
    Case.traffic = Traffic(1)
    run.send_all(Case.app, Case.traffic.commands(COMMANDS))
    Case.app.settle()


def directory(stage=STAGE, instance="0"):
    return Instance(Case.app, stage, instance).directory


def backups(stage=STAGE, instance="0"):
    """Where the backups of an instance are."""
    return os.path.join(Case.app.state, ".backups", "tickets", stage, instance)


def digests():
    rows = Case.app.ask("verify", "--stage", STAGE)
    assert not [row for row in rows if row["differences"]], rows
    return rows


def changelog_records():
    topics = Case.app.cluster.read_topics(f"tickets-{STAGE}-", "-changelog")
    return sum(len(records) for records in topics.values())


def back_up(*arguments, codes=(0,), **properties):
    """(the report's rows, what was said beside it)."""
    code, out, err = Case.app.cli("backup", "--json", *arguments, **properties)
    assert code in codes, f"millrace backup {arguments} exits {code}:\n{out}{err}"
    return rows_of(out), err


def rows_of(out):
    return [json.loads(line) for line in out.splitlines()]


def restore(*arguments, codes=(0,), **properties):
    """(the report's rows, what was said beside it)."""
    code, out, err = Case.app.cli("restore", "--stage", STAGE, "--json", *arguments, **properties)
    assert code in codes, f"millrace restore {arguments} exits {code}:\n{out}{err}"
    return rows_of(out), err


def post(target):
    """(HTTP status, body) of an order to the stage's processor."""
    request = urllib.request.Request(f"http://{Case.running[STAGE].address()}{target}", method="POST")
    try:
        with urllib.request.urlopen(request, timeout=60) as answer:
            return answer.status, answer.read().decode()
    except urllib.error.HTTPError as e:
        return e.code, e.read().decode()


def contents(path):
    """{name: digest} of the files of a directory."""
    found = {}
    for name in sorted(os.listdir(path)):
        with open(os.path.join(path, name), "rb") as f:
            found[name] = hashlib.sha256(f.read()).hexdigest()
    return found


def around():
    """What is beside the instance's directory."""
    return sorted(name for name in os.listdir(os.path.dirname(directory())) if name != "0")


def clean_around():
    for name in around():
        shutil.rmtree(os.path.join(os.path.dirname(directory()), name))


def start(**environment):
    stage = Case.app.start(STAGE, environment=environment)
    Case.running[STAGE] = stage
    stage.wait_ready()
    return stage


def stop():
    terminate([Case.running.pop(STAGE)])


def assert_restored(rows):
    """Only the tails were read, the state is what it was, and a start reads nothing more."""
    restored, there = sum(row["restored"] for row in rows), changelog_records()
    runner.say(f"        restored {restored} of {there} changelog records")
    assert sorted(row["partition"] for row in rows) == list(range(run.PARTITIONS)), rows
    assert restored < there / 2, f"{restored} of {there} records were read: the backup was not used"
    assert digests() == Case.digests, f"restored to {digests()}, before it was {Case.digests}"
    stage = start()
    tasks = [int(n) for _, n, _ in RESTORED.findall(stage.output())]
    assert tasks == [0] * run.PARTITIONS, f"the processor restored {tasks} records after `restore`\n{stage.tail()}"


# ---- Made and restored ----


def test_a_backup_under_traffic():
    """The processor goes on; the backup is older than what is there in the end."""
    sender = run.Sender(Case.app.bootstrap, Case.traffic.commands(COMMANDS // 2), 3)
    until("commands to be under way", 30, lambda: sender.sent > 0)
    rows, said = back_up("--name", "first", codes=(3,))  # the app's other stages never ran
    sender.finish()
    assert sorted(row["stage"] for row in rows) == [STAGE, "venue"], (rows, said)
    assert "'users': no processor is found, and no state on this host" in said and f"'{STAGE}'" not in said, said
    for row in rows:
        assert row["directory"] == os.path.join(backups(row["stage"]), "first"), row
        assert row["instance"] == "0" and row["tasks"] == run.PARTITIONS and row["bytes"] > 1000, row
    Case.backup = os.path.join(backups(), "first")
    Case.app.settle()
    log = Case.running[STAGE].output()
    assert "backed up directory=" in log and "aborts" not in log, Case.running[STAGE].tail()
    Case.digests = digests()
    stop()


def test_a_dry_run_changes_nothing():
    before, kept = contents(directory()), contents(Case.backup)
    rows, said = restore("--from", Case.backup, "--dry-run")
    assert "is whole" in said and [row["partition"] for row in rows] == list(range(run.PARTITIONS)), (rows, said)
    assert contents(directory()) == before and contents(Case.backup) == kept and not around()


def test_restored_when_the_directory_is_gone():
    kept = contents(Case.backup)
    shutil.rmtree(directory())
    rows, _ = restore("--from", Case.backup)
    assert_restored(rows)
    assert contents(Case.backup) == kept, "a restore changed the backup"
    assert not around(), around()
    stop()


def test_restored_over_a_directory():
    before = contents(directory())
    rows, said = restore("--from", Case.backup)
    assert "aside as" in said and around() == [".0.aside-1"], (said, around())
    assert contents(os.path.join(os.path.dirname(directory()), ".0.aside-1")) == before
    assert_restored(rows)
    stop()
    clean_around()


def test_a_backup_without_a_processor():
    rows, said = back_up("--stage", STAGE, "--name", "stopped")
    assert "does not run: its state directory is opened from here" in said, said
    assert [row["directory"] for row in rows] == [os.path.join(backups(), "stopped")], rows
    shutil.rmtree(directory())
    rows, _ = restore("--from", os.path.join(backups(), "stopped"))
    assert sum(row["restored"] for row in rows) == 0, f"all was in the backup, and yet: {rows}"
    assert_restored(rows)


def test_a_backup_on_a_file_system_of_its_own():
    """Where tables cannot be linked they are copied."""
    if not os.path.isdir("/dev/shm") or os.stat("/dev/shm").st_dev == os.stat(Case.app.state).st_dev:
        raise runner.Skip("there is no second file system")
    elsewhere = f"/dev/shm/mrtest-backup-{os.getpid()}"
    try:
        back_up("--stage", STAGE, "--name", "near")
        assert_linked(os.path.join(backups(), "near"), True)
        stop()
        rows, _ = back_up("--stage", STAGE, "--name", "far", **{"backup.dir": elsewhere})
        far = os.path.join(elsewhere, "tickets", STAGE, "0", "far")
        assert rows[0]["directory"] == far, rows
        assert_linked(far, False)
        shutil.rmtree(directory())
        assert_restored(restore("--from", far)[0])
    finally:
        shutil.rmtree(elsewhere, ignore_errors=True)


def assert_linked(backup, linked):
    tables = [os.path.join(backup, name) for name in os.listdir(backup) if name.endswith(".sst")]
    assert tables and all((os.stat(path).st_nlink > 1) == linked for path in tables), tables


# ---- Several, at once and one after the other ----


def test_one_backup_at_a_time():
    """While one is under way, another is refused; what was answered is there, and whole."""
    answers, over = [], threading.Event()

    def ask(number):
        deadline = Deadline(60)
        for n in range(1000):
            if over.is_set() or deadline.is_over():
                return
            name = f"race-{number}-{n}"
            status, body = post(f"/backup?name={name}")
            answers.append((status, name, body))
            if status == 409:
                over.set()

    threads = [threading.Thread(target=ask, args=(i,), daemon=True) for i in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(90)
    refused = [answer for answer in answers if answer[0] == 409]
    assert refused and all("another backup is under way" in body for _, _, body in refused), answers[-3:]
    made = sorted(name for status, name, _ in answers if status == 201)
    assert made and len(made) + len(refused) == len(answers), answers
    assert sorted(name for name in os.listdir(backups()) if "race" in name) == made, os.listdir(backups())
    status, body = post(f"/backup?name={made[0]}")
    assert status == 409 and "exists already; take another name" in body, (status, body)
    status, body = post("/backup?name=..%2Fa")
    assert status == 400 and "cannot name a backup" in body, (status, body)
    stop()
    for name in made:
        _, said = restore("--from", os.path.join(backups(), name), "--dry-run")
        assert "is whole" in said, said


# ---- Not whole, damaged, not ours ----


def crash_during_backup(point):
    start(MILLRACE_CRASH_POINT=point)
    name = point.split(":", maxsplit=1)[0]
    # Not by the CLI: it might find the directory free by then, and back that up itself.
    try:
        answer = post(f"/backup?name={name}")
    except (OSError, http.client.HTTPException):
        answer = None
    assert answer is None, f"a processor that was to die answers {answer}"
    stage = Case.running.pop(STAGE)
    assert stage.wait(30) == -9, stage.tail()
    return name


def test_a_kill_leaves_no_half_backup():
    for point in ("backup-checkpointed", "backup-described"):
        name = crash_during_backup(point)
        assert name not in os.listdir(backups()), os.listdir(backups())
        half = os.path.join(backups(), ".partial")
        before = contents(directory())
        _, said = restore("--from", half, "--dry-run", codes=(1,))
        assert "XXH128SUMS is missing: it is no backup, or one that did not come to its end" in said, said
        _, said = restore("--from", half, codes=(1,))
        assert contents(directory()) == before and not around(), "a refused restore changed something"
        # The next one is made as if nothing had been, and removes what is left of the last.
        start()
        rows, _ = back_up("--stage", STAGE, "--name", f"after-{name}")
        assert rows[0]["tasks"] == run.PARTITIONS, rows
        assert not [entry for entry in os.listdir(backups()) if entry.startswith(".")], os.listdir(backups())
        stop()


def damaged(change):
    """A copy of the backup with something changed."""
    copy = os.path.join(places.files(), "damaged")
    shutil.rmtree(copy, ignore_errors=True)
    shutil.copytree(Case.backup, copy)
    change(copy)
    return copy


def flip_byte(path):
    with open(path, "r+b") as f:
        f.seek(os.path.getsize(path) // 3)
        byte = f.read(1)
        f.seek(-1, os.SEEK_CUR)
        f.write(bytes([byte[0] ^ 0x10]))


def table_of(path):
    return max((os.path.join(path, n) for n in os.listdir(path) if n.endswith(".sst")), key=os.path.getsize)


def write(path, data):
    with open(path, "wb") as f:
        f.write(data)


def cut_line(path):
    with open(path, "rb") as f:
        lines = f.readlines()
    write(path, b"".join(lines[:-1]))


def assert_refused(backup, part, code):
    before = contents(directory())
    for arguments in (["--dry-run"], []):
        _, said = restore("--from", backup, *arguments, codes=(code,))
        assert part in said and backup in said, f"'{part}' is not said:\n{said}"
    assert contents(directory()) == before and not around(), "a refused restore changed something"


def test_damage_is_found():
    def file(copy, name):
        return os.path.join(copy, name)

    for change, part in (
        (lambda c: flip_byte(table_of(c)), ".sst is damaged; take another one"),
        (lambda c: os.truncate(table_of(c), 1000), ".sst is damaged"),
        (lambda c: os.unlink(table_of(c)), ".sst is missing"),
        (lambda c: flip_byte(file(c, "CURRENT")), "CURRENT is damaged"),
        (lambda c: flip_byte(file(c, "backup.json")), "backup.json is damaged"),
        (lambda c: os.unlink(file(c, "backup.json")), "backup.json is missing"),
        (lambda c: os.unlink(file(c, "XXH128SUMS")), "XXH128SUMS is missing"),
        (lambda c: write(file(c, "XXH128SUMS"), b""), "XXH128SUMS is damaged"),
        (lambda c: cut_line(file(c, "XXH128SUMS")), "is in no line of its list of sums"),
        (lambda c: write(file(c, "more"), b"x"), "more is in no line of its list of sums"),
    ):
        assert_refused(damaged(change), part, 1)


def test_a_backup_that_does_not_fit_is_refused():
    assert_refused(os.path.join(backups("venue"), "first"), "is of 'tickets/venue', not of 'tickets/cart'", 2)
    assert_refused(os.path.join(places.files(), "nothing"), "does not exist", 2)
    _, said = restore("--from", Case.backup, "--partition", "1", codes=(2,))
    assert "--partition goes without --from" in said, said
    # Of as many partitions as the app does not declare.
    other = Case.app.elsewhere()
    other.directory = copy_with_partitions(8)
    code, _, said = other.cli("restore", "--stage", STAGE, "--from", Case.backup, "--dry-run")
    assert code == 2 and "is of 4 partitions, the app declares 8" in said, (code, said)


def copy_with_partitions(number):
    copy = copy_app("tickets", os.path.join(places.files(), "copy"))
    path = os.path.join(copy, "app.lua")
    with open(path, encoding="utf-8") as f:
        text = f.read()
    assert f"partitions = {run.PARTITIONS}" in text
    with open(path, "w", encoding="utf-8") as f:
        f.write(text.replace(f"partitions = {run.PARTITIONS}", f"partitions = {number}"))
    return copy


def test_a_tail_that_may_lack_deletions_is_refused():
    def keep(milliseconds):
        entry = ConfigEntry("delete.retention.ms", str(milliseconds), incremental_operation=AlterConfigOpType.SET)
        resource = ConfigResource(ResourceType.TOPIC, f"tickets-{STAGE}-state-changelog", incremental_configs=[entry])
        for future in Case.app.cluster.admin.incremental_alter_configs([resource]).values():
            future.result(30)

    before = contents(directory())
    keep(1)

    def is_refused():
        code, _, said = Case.app.cli("restore", "--stage", STAGE, "--from", Case.backup)
        return "what was deleted could come back" in said and code == 2 or Not(f"{code}: {said}")

    until("an old tail to be refused", 20, is_refused)
    keep(24 * 3600 * 1000)
    assert contents(directory()) == before and not around(), "a refused restore changed something"


# ---- Several instances; the group remembers both for a while ----


def test_an_old_address_in_the_group_is_no_failure():
    """The group keeps what a static member said when it joined, also when it has come back elsewhere."""
    first = start()
    old = first.address()
    first.kill()
    os.unlink(os.path.join(directory(), "http.port"))
    until("another port", 60, lambda: comes_back_elsewhere(old))
    rows, said = back_up("--stage", STAGE, "--name", "elsewhere")
    assert [row["instance"] for row in rows] == ["0"] and not said, (rows, said)
    stop()
    # It does not answer at either address, and is still one instance.
    rows, _ = back_up("--stage", STAGE, "--name", "gone")
    assert [row["instance"] for row in rows] == ["0"], rows


def comes_back_elsewhere(old):
    stage = start()
    if stage.address() != old:
        return True
    stage.kill()
    os.unlink(os.path.join(directory(), "http.port"))
    return False


def test_the_backup_of_each_of_two_instances():
    """Each has its own partitions; restored, each has them again."""
    stages = [start(), Case.app.start(STAGE, "1")]

    def are_shared():
        states = [[t["state"] for t in (one.status() or {}).get("tasks", [])] for one in stages]
        return sorted(states[0] + states[1]) == ["running"] * run.PARTITIONS and all(states) or Not(states)

    until("two instances to run all tasks", 60, are_shared)
    rows, _ = back_up("--stage", STAGE, "--name", "shared")
    assert sorted(row["instance"] for row in rows) == ["0", "1"], rows
    terminate([Case.running.pop(STAGE), stages[1]])
    shutil.rmtree(directory(instance="1"))
    rows, _ = restore("--from", os.path.join(backups(instance="1"), "shared"), **{"group.instance.id": "1"})
    told = {row["instance"]: row["tasks"] for row in back_up("--stage", STAGE, "--name", "after")[0]}
    assert len(rows) == told["1"] < run.PARTITIONS, (rows, told)
    shutil.rmtree(directory(instance="1"))


# ---- state --at ----


def events_of(history, aggregate):
    """{subject: [event]} in the order of versions."""
    found = {}
    for record in history.records(f"tickets.{aggregate}.events"):
        found.setdefault(record.subject, []).append(record)
    return {subject: sorted(records, key=lambda r: r.sequence) for subject, records in found.items()}


def as_time(milliseconds):
    moment = datetime.datetime.fromtimestamp(milliseconds // 1000, datetime.timezone.utc)
    return moment.strftime("%Y-%m-%dT%H:%M:%S") + f".{milliseconds % 1000:03d}"


def test_state_at_a_version_and_at_a_time():
    history = Case.app.history()
    subject, events = max(events_of(history, STAGE).items(), key=lambda item: len(item[1]))
    assert len(events) > 3, events
    times = [history.time(event) for event in events]
    for version, at in ((0, "0"), (2, "2"), (len(events) - 1, str(len(events) - 1))):
        assert_state(subject, events[: version + 1], history, at)
    for moment in sorted({times[0], times[len(times) // 2], times[-1], times[-1] + 1000}):
        n = next((i for i, time in enumerate(times) if time > moment), len(times))
        assert_state(subject, events[:n], history, as_time(moment))
        assert_state(subject, events[:n], history, as_time(moment) + "Z")
        east = datetime.datetime.fromtimestamp(moment // 1000, datetime.timezone(datetime.timedelta(hours=2)))
        assert_state(subject, events[:n], history, east.strftime("%Y-%m-%dT%H:%M:%S") + f".{moment % 1000:03d}+02:00")
    for at, part, code in (
        (as_time(times[0] - 1), "has no event until", 1),
        (str(len(events)), "has no such version", 1),
        ("yesterday", "expected a version (0, 1, ...) or a time", 2),
        ("-1", "expected a version", 2),
    ):
        exits, _, said = Case.app.cli("state", STAGE, subject, f"--at={at}")
        assert exits == code and part in said, f"--at={at} exits {exits}: {said}"


def assert_state(subject, events, history, at):
    answer = Case.app.ask("state", STAGE, subject, f"--at={at}")[0]
    state = None
    for event in events:
        kind, value = history.decode(event)
        state = evolve(STAGE, state, kind, value, event.subject, event.sequence)
    assert answer["version"] == len(events) - 1, (at, answer)
    assert answer["time"] == as_time(history.time(events[-1])) + "Z", (at, answer)
    assert answer["state"] == state, f"--at={at}: {answer['state']} is not {state}"


runner.main(globals(), setup)
