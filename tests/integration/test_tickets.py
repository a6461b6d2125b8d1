#!/usr/bin/env python3
"""The tickets app end to end on a real broker, as its clients and its operator meet it.

`millrace topics apply` and `millrace run`, then commands as the public contract says, their results, and the
views through the CLI. The traps of the app this domain was taken from have a test each, by their number.
"""

import json
import os
import re
import shutil
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "support", "python"))

from mrtest import places, runner  # noqa: E402

runner.need_broker()

from mrtest.app import Instance, terminate  # noqa: E402
from mrtest.broker import Broker  # noqa: E402
from mrtest.kafka import Writer  # noqa: E402
from mrtest.partition import partition  # noqa: E402
from mrtest.tickets import run, topology  # noqa: E402
from mrtest.tickets.checks import topic  # noqa: E402
from mrtest.tickets.traffic import DAY, T0, Command, Traffic  # noqa: E402
from mrtest.waiting import until  # noqa: E402


class Shop:
    """The running app, and a client of it."""

    def __init__(self):
        files = places.fresh_files()
        # A command takes up to five commits from its topic to a view.
        self.app = run.tickets_app(Broker(files), files, **{"commit.interval.ms": "20ms"})
        self.app.apply_topics()
        self.process = self.app.run()
        self.process.wait_for_line("^ready$", 60)
        self.follower = run.follow(self.app)
        self.writer = Writer(self.app.bootstrap)
        self.count = 0

    def command(self, kind, subject, expected=None, command_id=None, key=None, time=None, **fields):
        self.count += 1
        return Command(
            command_id or f"it-{self.count}", kind, subject, fields, expected, key or f"any-{self.count}", time
        )

    def send(self, command):
        run.send(self.writer, command)
        self.writer.flush()

    def answer(self, command, nth=1):
        """The nth result of a command, decoded: (outcome, reason, value)."""
        seen = []

        def wanted(r):
            if r.topic.endswith(".results") and r.cause == command.id:
                seen.append(r)
            return len(seen) >= nth

        record = self.follower.wait_for(f"result {nth} of {command!r}", wanted, 30)
        value = self.app.schemas.decode(record.value)[1]
        assert (
            record.key == command.subject and value["AggregateId"] == command.subject
        ), f"{record!r} is of {record.key}"
        assert record.type == value["Outcome"], f"{record!r} says {value}"
        return record.type, value["Reason"], value

    def ask(self, kind, subject, **more):
        command = self.command(kind, subject, **more)
        self.send(command)
        return self.answer(command)

    def must(self, outcome, kind, subject, **more):
        """Sends a command and compares what comes back: "accepted", "no_change", or the reason of a rejection."""
        got, reason, value = self.ask(kind, subject, **more)
        assert (reason or got) == outcome, f"{kind} {subject} is {got} {reason}, not {outcome}: {value}"
        return value

    def events(self, subject):
        return [r for r in self.follower.records if r.topic.endswith(".events") and r.key == subject]

    def settle(self):
        self.app.settle(60)

    def get(self, *arguments):
        """A row by `millrace get`, None when there is none."""
        code, out, err = self.app.cli("get", *arguments, "--json")
        assert code in (0, 1), f"millrace get {arguments} exits {code}: {out}{err}"
        return parse_row(out) if code == 0 else None

    def scan(self, store, *arguments):
        """{key parts: row} by `millrace scan`."""
        return {tuple(row["key"]): row["value"] for row in self.app.ask("scan", store, *arguments)}


def parse_row(out):
    return json.loads(out)["value"]


shop = None


def set_up():
    global shop
    shop = Shop()


def venue(name, **fields):
    return shop.must("accepted", "CreateVenue", name, Name=fields.pop("Name", name), Address="Street 1", **fields)


def concert(name, **fields):
    return shop.must("accepted", "CreateConcert", name, Name=fields.pop("Name", name), **fields)


def ticket_type(name, of_concert, quantity):
    shop.must(
        "accepted", "CreateTicketType", of_concert, TicketTypeId=name, Name=name, PriceMinor=100, Quantity=quantity
    )
    until(f"{name} to be on sale", 30, lambda: any(r.type == "TicketAvailabilityCreated" for r in shop.events(name)))


# ---- Results ----


def test_results_say_what_became_of_a_command():
    value = shop.must("accepted", "CreateCart", "r-cart", CustomerId="r-customer")
    assert value["ActualVersion"] == 0 and value["EventIds"] == ["r-cart/0"] and value["ExpectedVersion"] is None, value
    value = shop.must("already_exists", "CreateCart", "r-cart", CustomerId="r-customer")
    assert value["ActualVersion"] == 0 and value["EventIds"] == [] and value["Text"], value
    value = shop.must("no_change", "RemoveCartItem", "r-cart", ItemId="none")
    assert value["ActualVersion"] == 0 and value["EventIds"] == [] and value["Reason"] is None, value
    shop.must("not_found", "AddCartItem", "r-nobody", ItemId="i", TicketTypeId="t", Quantity=1)
    shop.must("invalid", "AddCartItem", "r-cart", ItemId="i", TicketTypeId="t", Quantity=-1)
    shop.must("empty", "CheckOutCart", "r-cart")


def test_events_carry_the_contract_headers():
    concert("h-concert")
    event = shop.events("h-concert")[0]
    wanted = {
        "ce_specversion": "1.0",
        "ce_id": "h-concert/0",
        "ce_type": "ConcertCreated",
        "ce_subject": "h-concert",
        "ce_sequence": "0",
    }
    got = {name: event.headers.get(name) for name in wanted}
    assert got == wanted, f"{got} instead of {wanted}"
    assert event.cause.startswith("it-") and event.headers.get("ce_source"), event.headers
    assert event.partition == partition(b"h-concert", run.PARTITIONS), event
    assert event.value[:2] == b"\xc3\x01", event.value[:10]


def test_repeated_command_id_is_answered_again_without_an_event():
    shop.must("accepted", "CreateCart", "d-cart", CustomerId="d")
    again = shop.command("AddCartItem", "d-cart", ItemId="i", TicketTypeId="d-type", Quantity=1)
    shop.send(again)
    first = shop.answer(again)
    shop.settle()
    before = len(shop.events("d-cart"))
    for nth in (2, 3):
        again.key = f"other-{nth}"
        shop.send(again)
        assert shop.answer(again, nth) == first, f"answer {nth} is not {first}"
    rejected = shop.command("CheckOutCart", "d-empty")
    shop.send(rejected)
    first = shop.answer(rejected)
    assert first[1] == "not_found", first
    shop.must("accepted", "CreateCart", "d-empty", CustomerId="d")
    shop.send(rejected)
    assert shop.answer(rejected, 2) == first, "a repeated command is decided anew"
    shop.settle()
    assert len(shop.events("d-cart")) == before, shop.events("d-cart")


def test_expected_version():
    concert("v-concert", expected=-1)
    shop.must("version_conflict", "CreateConcert", "v-concert", Name="again", expected=-1)
    value = shop.must("version_conflict", "PublishConcert", "v-concert", expected=4)
    assert value["ExpectedVersion"] == 4 and value["ActualVersion"] == 0, value
    value = shop.must("accepted", "PublishConcert", "v-concert", expected=0)
    assert value["ActualVersion"] == 1, value
    shop.must("version_conflict", "PublishConcert", "v-new", expected=0)


# ---- Traps ----


def test_T1_two_writers_cannot_write_one_version():
    """Eight writers, from eight sessions, all at version 0: one is accepted, seven are rejected."""
    concert("t1-concert")
    commands = [
        shop.command(
            "ScheduleConcert", "t1-concert", expected=0, key=f"session-{w}", StartDate=T0 + w, EndDate=T0 + w + 1
        )
        for w in range(8)
    ]
    for command in commands:
        run.send(shop.writer, command)
    shop.writer.flush()
    answers = [shop.answer(command) for command in commands]
    assert sorted(str(reason) for _, reason, _ in answers) == ["None"] + ["version_conflict"] * 7, answers
    assert [e.sequence for e in shop.events("t1-concert")] == [0, 1], shop.events("t1-concert")


def test_T2_commands_are_repartitioned_by_aggregate():
    """Whatever key and partition a command comes with, all of one aggregate end in one partition, of several."""
    for i in range(12):
        subject = f"t2-cart-{i}"
        for p in range(run.PARTITIONS):
            command = shop.command(
                "CreateCart" if p == 0 else "RemoveCartItem",
                subject,
                **({"CustomerId": "t2"} if p == 0 else {"ItemId": "i"}),
            )
            shop.writer.send(topology.COMMANDS, None, command.value(), command.headers(), partition=p)
    shop.writer.flush()
    shop.settle()
    moved = [r for r in shop.follower.records if r.topic == topic("cart", "commands") and r.subject.startswith("t2-")]
    assert len(moved) == 12 * run.PARTITIONS, len(moved)
    wrong = [r for r in moved if r.partition != partition(r.subject.encode(), run.PARTITIONS) or r.key != r.subject]
    assert not wrong, wrong
    assert len({r.partition for r in moved}) == run.PARTITIONS, "all carts fell into the same partition"


def test_T3_the_log_is_the_only_write():
    """What was answered as accepted is on the log and in the views: there is no second write to miss."""
    shop.must("accepted", "CreateCart", "t3-cart", CustomerId="t3-customer")
    value = shop.must("accepted", "AddCartItem", "t3-cart", ItemId="i", TicketTypeId="t3-type", Quantity=1)
    on_log = {e.id for e in shop.events("t3-cart")}
    assert set(value["EventIds"]) <= on_log, f"{value['EventIds']} are answered, on the log are {sorted(on_log)}"


def test_T5_a_checkout_makes_no_order_and_loses_no_quantity():
    shop.must("accepted", "CreateCart", "t5-cart", CustomerId="t5-customer")
    ticket_type("t5-type", concert("t5-concert")["AggregateId"], 10)
    shop.must("accepted", "AddCartItem", "t5-cart", ItemId="i", TicketTypeId="t5-type", Quantity=3)
    shop.must("accepted", "CheckOutCart", "t5-cart")
    shop.must("checked_out", "CheckOutCart", "t5-cart")
    shop.must("checked_out", "RemoveCartItem", "t5-cart", ItemId="i")
    shop.settle()
    assert [e.type for e in shop.events("t5-cart")] == ["CartCreated", "CartItemAdded", "CartCheckedOut"]
    state = shop.app.instances()["cart"].rows("state")[("t5-cart",)]["State"]
    assert state["Items"][0]["Quantity"] == 3 and state["IsCheckedOut"], state
    assert not [t for t in shop.app.cluster.topics() if "order" in t]


def test_T6_times_come_from_the_command():
    shop.must("accepted", "CreateUser", "t6-user", FullName="A", Email="a@example.org", time=T0)
    shop.must("accepted", "AddUserActivityLog", "t6-user", ActivityType="AUTHENTICATION", time=T0 + 5)
    shop.settle()
    row = shop.get("users", "t6-user")
    assert (row["Created"], row["LastAuthenticated"]) == (T0, T0 + 5), row


def programme_concert(name, start, title, at=None):
    concert(name, Name=title, **({"VenueId": at} if at else {}))
    if start is not None:
        shop.must("accepted", "ScheduleConcert", name, StartDate=start, EndDate=start + 1)
    shop.must("accepted", "PublishConcert", name)


def test_T19_both_bounds_of_the_programme():
    for i in range(4):
        programme_concert(f"t19-{i}", T0 + 1000 * DAY + i * DAY, f"T19 {i}")
    shop.settle()
    first = T0 + 1000 * DAY
    found = shop.scan("programme", "--from", str(first + DAY), "--to", str(first + 3 * DAY))
    assert [row["ConcertId"] for row in found.values()] == ["t19-1", "t19-2"], found


def test_T20_reading_a_cart_makes_none():
    shop.settle()
    before = shop.app.cluster.ends(shop.app.cluster.partitions())
    assert shop.get("carts", "t20-customer") is None
    assert shop.get("carts", "t20-customer") is None
    shop.settle()
    assert shop.app.cluster.ends(shop.app.cluster.partitions()) == before, "a read wrote something"


# ---- Policies and views ----


def test_policies_reserve_release_and_remove_what_is_sold_out():
    concert("p-concert")
    ticket_type("p-type", "p-concert", 5)
    shop.must("accepted", "CreateCart", "p-cart", CustomerId="p-customer")
    shop.must("accepted", "AddCartItem", "p-cart", ItemId="a", TicketTypeId="p-type", Quantity=3)
    shop.settle()
    row = shop.get("availability", "p-type")
    assert (row["Quantity"], row["Held"], row["Remaining"], row["Status"]) == (5, 3, 2, "ON_SALE"), row
    shop.must("accepted", "AddCartItem", "p-cart", ItemId="b", TicketTypeId="p-type", Quantity=3)
    shop.settle()
    assert [e.type for e in shop.events("p-cart")][-1] == "CartItemRemoved", shop.events("p-cart")
    removed = shop.app.schemas.decode(shop.events("p-cart")[-1].value)[1]
    assert (removed["ItemId"], removed["Cause"]) == ("b", "SOLD_OUT"), removed
    shop.must("accepted", "RemoveCartItem", "p-cart", ItemId="a")
    shop.settle()
    row = shop.get("availability", "p-type")
    assert (row["Held"], row["Remaining"]) == (0, 5), row
    shop.must("accepted", "RemoveTicketType", "p-concert", TicketTypeId="p-type")
    shop.settle()
    assert shop.get("availability", "p-type")["Status"] == "WITHDRAWN"
    shop.must("accepted", "AddCartItem", "p-cart", ItemId="c", TicketTypeId="p-type", Quantity=1)
    shop.settle()
    assert shop.get("carts", "p-customer")["Items"] == [], shop.get("carts", "p-customer")


def test_concert_shows_a_venue_that_came_later():
    programme_concert("w-concert", T0, "Late Venue", "w-venue")
    shop.settle()
    assert shop.get("concerts", "w-concert")["Venue"] is None
    venue("w-venue", Name="Grand Hall", Capacity=10)
    shop.settle()
    assert shop.get("concerts", "w-concert")["Venue"]["Name"] == "Grand Hall"
    found = shop.scan("programme_by_term", "--prefix", "grand h")
    assert [row["ConcertId"] for row in found.values()] == ["w-concert"], found


def test_programme_shows_what_is_published():
    concert("s-draft", Name="Quixotic Draft")
    programme_concert("s-shown", None, "Quixotic Show")
    shop.settle()
    assert {r["ConcertId"] for r in shop.scan("programme_by_term", "--prefix", "quixotic").values()} == {"s-shown"}
    shop.must("accepted", "DeleteConcert", "s-shown")
    shop.must("no_change", "DeleteConcert", "s-shown")
    shop.settle()
    assert not shop.scan("programme_by_term", "--prefix", "quixotic")
    assert shop.get("concerts", "s-shown") is None


def test_history_lists_the_events():
    shop.must("accepted", "CreateCart", "y-cart", CustomerId="y")
    shop.must("accepted", "AddCartItem", "y-cart", ItemId="i", TicketTypeId="y-type", Quantity=2)
    shop.settle()
    rows = shop.app.ask("history", "cart", "y-cart")
    types = [row["type"] for row in rows]
    assert types[:2] == ["CartCreated", "CartItemAdded"] and [row["version"] for row in rows] == list(
        range(len(rows))
    ), rows


# ---- Operation ----


def test_a_killed_stage_is_started_again():
    stage = shop.app.instances()["cart"]
    _, pid = stage.owner()
    os.kill(pid, 9)
    until("another process to be ready", 30, lambda: stage.owner()[1] != pid and stage.is_ready())
    shop.must("accepted", "CreateCart", "k-cart", CustomerId="k")


def test_the_cli_finds_processors_from_another_machine():
    """Where no state directory says where they are, the consumer group does; also after a restart."""
    shop.must("accepted", "CreateUser", "m-user", FullName="M", Email="m@example.org")
    shop.settle()
    operator = shop.app.elsewhere()
    for _ in range(2):
        code, out, err = operator.cli("get", "users", "m-user", "--json")
        assert code == 0, f"millrace get from another machine exits {code}: {out}{err}"
        stage = shop.app.instances()["users"]
        _, pid = stage.owner()
        os.kill(pid, 9)
        until("another process to be ready", 30, lambda: stage.owner()[1] != pid and stage.is_ready())


def test_status_and_lag():
    shop.settle()
    rows = {row["stage"]: row for row in shop.app.ask("status")}
    assert set(rows) == set(topology.STAGES), rows
    wrong = [row for row in rows.values() if row["state"] != "running" or row["lag"] != 0 or row["dead_letters"] != 0]
    assert not wrong, wrong
    assert shop.app.ask("lag", "--wait", "20")


def test_state_at_a_version():
    shop.must("accepted", "CreateCart", "a-cart", CustomerId="a")
    shop.must("accepted", "AddCartItem", "a-cart", ItemId="i", TicketTypeId="a-type", Quantity=2)
    state = shop.app.ask("state", "cart", "a-cart", "--at", "0")[0]
    assert (state["version"], state["state"]["Items"]) == (0, []), state
    state = shop.app.ask("state", "cart", "a-cart", "--at", "1")[0]
    assert [item["Id"] for item in state["state"]["Items"]] == ["i"], state


def test_a_name_that_is_none_is_a_usage_error():
    for arguments in (("get", "cartz", "x"), ("history", "cartt", "x"), ("scan", "concertz")):
        code, out, err = shop.app.cli(*arguments)
        assert code == 2 and "did you mean" in err, f"millrace {arguments} exits {code}: {out}{err}"


def running_tasks(instance):
    return sum(task["state"] == "running" for task in (instance.status() or {}).get("tasks", []))


def test_instances_share_four_tasks_and_the_fifth_has_none():
    first = shop.app.instances()["users"]
    more = [shop.app.start("users", str(number)) for number in range(1, 5)]
    for stage in more:
        stage.wait_ready()

    def shares():
        every = [first, *more]
        return sorted(map(running_tasks, every)) == [0, 1, 1, 1, 1] and all(s.is_ready() for s in every)

    until("four instances to have a task each, and all five to be ready", 60, shares)
    terminate(more)
    until("the first to run all tasks again", 60, lambda: running_tasks(first) == run.PARTITIONS)


# ---- Last: all of it as a whole, and what stays of it ----


def test_traffic_agrees_with_the_rules():
    """Everything so far and 1,500 random commands more."""
    run.send_all(shop.app, Traffic(5, venues=6, concerts=10, customers=20).commands(1500))
    shop.settle()
    run.check(shop.app, shop.app.instances(), shop.follower)


def start_again(*arguments, **properties):
    """`millrace run` again; returns what tasks restored, {stage: records}."""
    shop.process = shop.app.run(*arguments, **properties)
    shop.process.wait_for_line("^ready$", 60)
    instances = range(int(dict(zip(arguments, arguments[1:])).get("--instances", 1)))
    for stage in topology.STATEFUL:
        # Also when the group was still sharing its tasks out.
        members = [Instance(shop.app, stage, str(number)) for number in instances]
        until(f"{stage} to run all tasks", 60, lambda m=members: sum(map(running_tasks, m)) == run.PARTITIONS)
    found = {}
    for stage, n in re.findall(r"tickets-(\w+) worker \d+: task \d+: ready restored=(\d+)", shop.process.output()):
        found[stage] = found.get(stage, 0) + int(n)
    return found


def test_state_outlives_the_processes():
    """Live = stopped (read from disk) = started again (nothing restored) = restored from the changelogs alone, by
    two instances of two workers each."""
    live = run.digests(shop.app)
    assert shop.process.terminate() == 0, shop.process.tail()
    rows = {tuple(row["key"]): row["value"] for row in shop.app.ask("scan", "users")}
    assert run.digest(rows) == live["users", "users"], "what the CLI reads from disk is not what the processor said"
    restored = start_again()
    assert set(restored) == set(topology.STATEFUL) and not any(
        restored.values()
    ), f"after SIGTERM there was something to restore: {restored}"
    assert run.digests(shop.app) == live
    assert shop.process.terminate() == 0, shop.process.tail()
    shutil.rmtree(shop.app.state)
    restored = start_again("--instances", "2", **{"num.workers": "2"})
    assert all(restored.get(stage) for stage in topology.STATEFUL), f"not all was restored: {restored}"
    assert run.digests(shop.app) == live
    shop.follower = run.follow(shop.app)
    shop.must("accepted", "CreateCart", "o-cart", CustomerId="o")
    assert shop.process.terminate() == 0, shop.process.tail()


runner.main(globals(), set_up)
