#!/usr/bin/env python3
"""State directories that are damaged, half copied, of another stage, of other stores, in use, or without space: each is
named, nothing is wiped, and `millrace restore` or the next start with space makes the same state again.

Method: one stage's finished state is damaged in one way after the other. The processor and `restore --dry-run` must say
so and change no file; after `restore` the digests are as before, what was there is aside, and a start reads nothing.
"""

import copy
import hashlib
import os
import shutil
import subprocess
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "support", "python"))

from mrtest import places, runner  # noqa: E402

runner.need_broker()

from mrtest.app import App, Instance, terminate  # noqa: E402
from mrtest.broker import Broker  # noqa: E402
from mrtest.chaos import RESTORED  # noqa: E402
from mrtest.readings import KEYED, Readings, readings_app  # noqa: E402
from mrtest.tickets import run, topology  # noqa: E402
from mrtest.tickets.traffic import Traffic  # noqa: E402

COMMANDS = 1500
STAGE = "cart"
STAGES = {name: topology.STAGES[name] for name in ("route", STAGE, "venue")}
# What no state is in: locks, RocksDB's own log, where the processor answers.
NO_STATE = ("LOCK", "LOG", "millrace.lock", "http", "http.port", "port")


class Case:
    """The app, its finished state, and the digests that every repair must give."""

    broker = app = whole = digests = None


def setup():
    files = places.fresh_files()
    Case.broker = Broker(files)
    Case.app = App(Case.broker, files, STAGES)
    Case.app.apply_topics()
    running = Case.app.start_all()
    run.send_all(Case.app, Traffic(1).commands(COMMANDS))
    Case.app.settle()
    terminate(running.values())
    Case.whole = os.path.join(files, "whole")
    shutil.copytree(directory(), Case.whole)
    Case.digests = digests()
    assert all(row["rows"] > 50 for row in Case.digests), f"too few rows to damage: {Case.digests}"


def directory():
    return Instance(Case.app, STAGE).directory


def digests(app=None):
    """What `millrace verify` says of the stage's stores, of events and of states."""
    return (app or Case.app).ask("verify", "--stage", STAGE)


def assert_sound(app):
    """The states are what the events say, and no record was blamed for the disk."""
    different = [row for row in digests(app) if row["differences"]]
    assert not different, f"the states are not what the events say: {different}"
    letters = app.history().records(f"tickets-{STAGE}-dlq")
    assert not letters, f"there are dead letters: {letters[:2]}"


def contents(path):
    """{name: digest} of the files that state is in."""
    found = {}
    for name in sorted(os.listdir(path)):
        if name not in NO_STATE and not name.startswith("LOG.old"):
            with open(os.path.join(path, name), "rb") as f:
                found[name] = hashlib.sha256(f.read()).hexdigest()
    return found


def make_whole():
    shutil.rmtree(os.path.dirname(directory()))
    shutil.copytree(Case.whole, directory())


def file_of(end="", begin=""):
    """The largest file whose name begins and ends so."""
    names = [n for n in os.listdir(directory()) if n.startswith(begin) and n.endswith(end)]
    return max((os.path.join(directory(), n) for n in names), key=os.path.getsize)


def restore(*arguments, codes=(0,), app=None):
    """(the report, what was said beside it)."""
    code, out, err = (app or Case.app).cli("restore", "--stage", STAGE, "--json", *arguments)
    assert code in codes, f"millrace restore {arguments} exits {code}:\n{out}{err}"
    return out, err


def asides():
    above = os.path.dirname(directory())
    return sorted(name for name in os.listdir(above) if name != "0")


def assert_restored(said, found):
    """The state is what it was, what was there is aside, and a processor reads nothing again."""
    assert asides() == [".0.aside-1"], f"aside is {asides()}"
    aside = os.path.join(os.path.dirname(directory()), ".0.aside-1")
    assert aside in said, f"restore does not say where it put the old directory:\n{said}"
    assert contents(aside) == found, "what was put aside is not what was there"
    assert digests() == Case.digests, f"restored to {digests()}, before it was {Case.digests}"
    stage = Case.app.start(STAGE)
    stage.wait_ready()
    tasks = [int(n) for _, n, _ in RESTORED.findall(stage.output())]
    assert tasks == [0] * run.PARTITIONS, f"the processor restored {tasks} records after `restore`\n{stage.tail()}"
    terminate([stage])


def assert_mended(part, code=1, kept=""):
    """The processor refuses the directory with that text, and so does a dry run; then it is restored.

    `kept` ends the names of the files that must stay as they are; preset: all.
    """
    found = contents(directory())
    stage = Case.app.start(STAGE)
    ended = stage.wait(30)
    assert ended == code, f"ended with {ended}, expected {code}\n{stage.tail()}"
    for expected in (part, directory()):
        assert expected in stage.output(), f"'{expected}' is not said\n{stage.tail()}"
    _, said = restore("--dry-run")
    assert part in said and "would be put aside" in said, f"a dry run says:\n{said}"
    left = contents(directory())
    changed = sorted(n for n in {**found, **left} if n.endswith(kept) and found.get(n) != left.get(n))
    assert not changed and not asides(), f"refusing or a dry run changed {changed}"
    assert_restored(restore()[1], left)


def flip_byte(path):
    """In a row, and not in the first block: there is the progress, which a start reads."""
    at = os.path.getsize(path) // 3
    with open(path, "r+b") as f:
        f.seek(at)
        byte = f.read(1)
        f.seek(at)
        f.write(bytes([byte[0] ^ 0x10]))


# ---- Damage that the start finds ----


def test_a_missing_table():
    make_whole()
    os.unlink(file_of(".sst"))
    assert_mended("the files are damaged; `millrace restore`")


def test_a_cut_table():
    make_whole()
    os.truncate(file_of(".sst"), os.path.getsize(file_of(".sst")) // 2)
    assert_mended("the files are damaged; `millrace restore`")


def test_a_missing_current():
    make_whole()
    os.unlink(os.path.join(directory(), "CURRENT"))
    assert_mended("the file CURRENT is missing; `millrace restore`")


def test_a_missing_manifest():
    make_whole()
    os.unlink(file_of(begin="MANIFEST-"))
    assert_mended("the files are damaged; `millrace restore`")


def test_a_copy_that_was_interrupted():
    make_whole()
    names = sorted(os.listdir(directory()))
    for name in names[len(names) // 2 :]:
        os.unlink(os.path.join(directory(), name))
    half = os.path.join(directory(), names[len(names) // 2 - 1])
    os.truncate(half, os.path.getsize(half) // 2)
    assert_mended("`millrace restore` puts the directory aside")




def test_the_state_of_another_stage():
    make_whole()
    shutil.rmtree(directory())
    shutil.copytree(Instance(Case.app, "venue").directory, directory())
    assert_mended("belongs to 'tickets/venue', not to 'tickets/cart'", code=2, kept=".sst")


# ---- Rows of other stores ----


def with_store_of_counts():
    """A copy of the app of readings whose view has one more store, which sorts before the one that it had."""
    directory_ = os.path.join(places.files(), "more")
    shutil.copytree(os.path.join(places.ROOT, "tests", "fault", "readings"), directory_)
    path = os.path.join(directory_, "app.lua")
    with open(path, encoding="utf-8") as f:
        text = f.read()
    for was, becomes in (
        ("stores = {", 'stores = { counts = { key = "string", value = "Total" },'),
        ("      local row", "      stores.counts:put(meta.key, { Count = 1, Sum = reading.Amount })\n      local row"),
    ):
        assert text.count(was) == 1, f"'{was}' is not once in {path}"
        text = text.replace(was, becomes)
    with open(path, "w", encoding="utf-8") as f:
        f.write(text)
    return readings_app(Case.broker, places.files(), ["totals"], directory_)


def verified(app):
    """{store: (rows, digest)}"""
    return {row["store"]: (row["rows"], row["digest"]) for row in app.ask("verify", "--stage", "totals")}


def tables(path):
    return {name: digest for name, digest in contents(path).items() if name.endswith(".sst")}


def test_a_store_more():
    """Rows lie under the numbers of their stores, and these follow the names: refused by all who would read one store's
    rows as another's; restored, each store has its own rows."""
    app = readings_app(Case.broker, places.files(), ["totals"])
    readings = Readings(app, KEYED)
    readings.send_one_each(300)
    stage = app.start("totals")
    stage.wait_ready()
    app.settle()
    terminate([stage])
    before, found = verified(app), tables(stage.directory)
    assert before["totals"][0] == 300, before

    app = with_store_of_counts()
    refusals = ["has other stores than the app", "it has totals,parked, the app counts,totals,parked", stage.directory]
    stage = app.start("totals")
    said = {"the processor": (2, stage.wait(30), stage.output())}
    for verb, wanted in (("verify", 2), ("backup", 3)):
        code, _, err = app.cli(verb, "--stage", "totals")
        said[verb] = wanted, code, err
    for who, (wanted, code, text) in said.items():
        assert code == wanted and all(part in text for part in refusals), f"{who} ends with {code}: {text}"
    assert tables(stage.directory) == found, "a refusal changed rows"

    code, out, err = app.cli("restore", "--stage", "totals")
    assert code == 0 and refusals[0] in err, f"millrace restore exits {code}:\n{out}{err}"
    assert tables(os.path.join(os.path.dirname(stage.directory), ".0.aside-1")) == found
    assert verified(app) == {"counts": (0, hashlib.sha256().hexdigest()), **before}
    stage = app.start("totals")
    stage.wait_ready()
    readings.send_one_each(200)
    app.settle()
    assert len(stage.rows("counts")) == 200
    readings.check_rows(stage)
    terminate([stage])


# ---- Damage that only reading finds ----


def test_a_flipped_byte_is_found_by_verify_and_restore():
    make_whole()
    flip_byte(file_of(".sst"))
    found = contents(directory())
    code, out, err = Case.app.cli("verify", "--stage", STAGE)
    assert code == 1 and "the files are damaged; `millrace restore`" in err, f"verify exits {code}:\n{out}{err}"
    _, said = restore("--dry-run")
    assert "the files are damaged" in said, f"a dry run says:\n{said}"
    assert contents(directory()) == found, "verify or a dry run changed the directory"
    assert_restored(restore()[1], found)


def test_one_partition_and_purge():
    """The processor reads the others itself; the old directory goes only when that is asked for."""
    make_whole()
    os.unlink(file_of(".sst"))
    out, said = restore("--partition", "2", "--purge")
    assert out.count("\n") == 1 and '"partition":2' in out.replace(" ", ""), f"restored:\n{out}"
    assert not asides() and "removed" in said, f"{asides()} is left after --purge:\n{said}"
    stage = Case.app.start(STAGE)
    stage.wait_ready()
    tasks = {int(task): int(n) for task, n, _ in RESTORED.findall(stage.output())}
    assert tasks[2] == 0 and all(tasks[n] > 0 for n in (0, 1, 3)), f"the processor restored {tasks}"
    terminate([stage])
    assert digests() == Case.digests


def test_whose_state_must_be_said():
    for arguments, part in (
        (["--stage", "cat"], "did you mean 'cart'"),
        (["--stage", "route"], "keeps no state"),
        (["--stage", STAGE, "--partition", "4"], "stage 'cart' has 0 to 3"),
        ([], "--stage is missing"),
    ):
        code, _, err = Case.app.cli("restore", *arguments)
        assert code == 2 and part in err, f"restore {arguments} exits {code}: {err}"


# ---- Nobody's turn ----


def test_a_directory_in_use():
    make_whole()
    stage = Case.app.start(STAGE)
    stage.wait_ready()
    second = Case.app.start(STAGE)
    assert second.wait(30) == 2 and "is in use by another process" in second.output(), second.tail()
    for arguments in ([], ["--dry-run"], ["--purge"]):
        _, said = restore(*arguments, codes=(2,))
        assert "is in use by another process" in said, said
    assert not asides()
    stage.wait_ready()
    terminate([stage])
    assert digests() == Case.digests


# ---- A disk of its own ----


class Disk:
    """A small file system in memory, for the state of one stage."""

    def __init__(self, megabytes):
        self.path = os.path.join(places.files(), "disk")
        self.ballast = os.path.join(self.path, "ballast")
        os.makedirs(self.path, exist_ok=True)
        self._mount("-t", "tmpfs", "-o", f"size={megabytes}m", "tmpfs")

    def _mount(self, *arguments):
        done = subprocess.run(["mount", *arguments, self.path], capture_output=True, text=True, check=False)
        if done.returncode != 0:
            raise runner.Skip(f"cannot mount a small file system: {done.stderr.strip()}")

    def __enter__(self):
        return self

    def app(self, **properties):
        """The app with a copy of its state on this disk."""
        app = copy.copy(Case.app)
        app.state = self.path
        app.properties = {**app.properties, "state.dir": self.path, **properties}
        shutil.copytree(Case.app.state, self.path, dirs_exist_ok=True)
        return app

    def __exit__(self, *_):
        subprocess.run(["umount", "--lazy", self.path], check=True)

    def make_read_only(self):
        self._mount("-o", "remount,ro")

    def fill(self):
        with open(self.ballast, "wb", buffering=0) as f:
            try:
                while True:
                    f.write(bytes(4096))
            except OSError:
                pass

    def free(self):
        os.unlink(self.ballast)


def test_a_read_only_file_system():
    make_whole()
    with Disk(16) as disk:
        app = disk.app()
        disk.make_read_only()
        stage = app.start(STAGE)
        assert stage.wait(30) == 2 and "is on a read-only file system; mount it writable" in stage.output(), stage.tail()
        assert digests(app) == Case.digests, "read-only state cannot be read"
        _, said = restore(codes=(2,), app=app)
        assert "is on a read-only file system" in said, said


def test_no_space_left():
    """The processor ends and says why, and so does the next one; with space it goes on, and nothing is lost."""
    make_whole()
    with Disk(16) as disk:
        app = disk.app(**{"changelog.tail.records": "50"})
        others = [Case.app.start("route"), Case.app.start("venue")]
        stage = app.start(STAGE)
        stage.wait_ready()
        disk.fill()
        run.send_all(Case.app, Traffic(2).commands(COMMANDS))
        assert stage.wait(30) == 1 and "no space left" in stage.output(), stage.tail()
        disk.fill()  # what the failed write has given back
        stage = app.start(STAGE)
        assert stage.wait(30) == 1 and "no space left" in stage.output(), stage.tail()
        disk.free()
        stage = app.start(STAGE)
        stage.wait_ready()
        Case.app.settle(40)
        terminate([stage, *others])
        assert_sound(app)


def test_a_flipped_byte_ends_the_processor():
    """At the first read of the row; no record is blamed, and what is restored goes on."""
    shutil.rmtree(os.path.dirname(directory()))
    restore()
    damaged = os.path.basename(file_of(".sst"))
    flip_byte(file_of(".sst"))
    route, stage = Case.app.start("route"), Case.app.start(STAGE)
    stage.wait_ready()
    run.send_all(Case.app, Traffic(1).commands(COMMANDS))
    assert stage.wait(60) == 1 and "the files are damaged; `millrace restore`" in stage.output(), stage.tail()
    assert damaged in contents(directory()), "the damaged table was removed"
    restore()
    stage, venue = Case.app.start(STAGE), Case.app.start("venue")
    stage.wait_ready()
    Case.app.settle(40)
    terminate([stage, route, venue])
    assert_sound(Case.app)


runner.main(globals(), setup)
