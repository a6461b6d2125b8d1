#!/usr/bin/env python3
"""Bad input: every bad record ends in the dead-letter topic with its class and source position, the processor
goes on, and what follows for the same aggregate is not applied out of order.

Bad apps, topics and brokers: one clear line, an exit code, and nothing consumed.
"""

import json
import os
import sys
import time as time_module

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "support", "python"))

from mrtest import places, runner  # noqa: E402

runner.need_broker()

from confluent_kafka.admin import NewTopic  # noqa: E402

from mrtest.app import App, copy_app, terminate  # noqa: E402
from mrtest.broker import Broker  # noqa: E402
from mrtest.kafka import Writer  # noqa: E402
from mrtest.process import run as run_command  # noqa: E402
from mrtest.tickets import run, topology  # noqa: E402
from mrtest.tickets.traffic import T0, Command  # noqa: E402

PREFIX = "__millrace.errors."
# Added to the rules of carts, for a handler that does what it must not.
MISCHIEF = """
local decide_add = decide.AddCartItem
function decide.AddCartItem(cart, command, meta)
  if command.ItemId == "raise" then error("mischief") end
  if command.ItemId == "loop" then while true do end end
  if command.ItemId == "eat" then local t = {} for i = 1, 1e9 do t[i] = ("x"):rep(1000) .. i end end
  if command.ItemId == "odd" then return event.CartItemAdded { Item = { Id = 1 } } end
  return decide_add(cart, command, meta)
end

return {
  kind = "aggregate","""
shop = None


class Shop:
    def __init__(self):
        files = places.fresh_files()
        self.broker = Broker(files)
        directory = copy_app("tickets", os.path.join(files, "app"))
        path = os.path.join(directory, "cart.lua")
        with open(path, encoding="utf-8") as f:
            source = f.read()
        head, kind, rest = source.rpartition('return {\n  kind = "aggregate",')
        assert kind, "cart.lua does not end as expected"
        with open(path, "w", encoding="utf-8") as f:
            f.write(head + MISCHIEF.lstrip("\n") + rest)
        self.app = App(self.broker, files, topology.STAGES, directory=directory, **{"max.record.bytes": "100k"})
        self.app.apply_topics()
        self.running = self.app.start_all()
        self.follower = run.follow(self.app)
        self.letters = run.Follower(self.app.bootstrap, self.app.cluster.partitions("tickets-"))
        self.writer = Writer(self.app.bootstrap, **{"message.max.bytes": 1000000})
        self.places = []

    def put(self, topic, key, value, headers, partition=-1):
        """Writes one record and says where it came to lie."""
        place = []
        self.writer.producer.produce(
            topic,
            value,
            key,
            partition=partition,
            headers=[(n, v if v is None or isinstance(v, bytes) else v.encode()) for n, v in headers.items()],
            on_delivery=lambda error, m: place.append((error, m.partition(), m.offset())),
        )
        self.writer.producer.flush(30)
        assert place and place[0][0] is None, place
        return place[0][1:]

    def letter(self, stage, topic, place):
        """The dead letter of the record that lay at a place."""
        wanted = {"topic": topic, "partition": str(place[0]), "offset": str(place[1]), "stage": stage}
        return self.letters.wait_for(
            f"letter of {stage} about {topic} {place}",
            lambda r: (
                r.topic == f"tickets-{stage}-dlq" and all(r.headers.get(PREFIX + n) == v for n, v in wanted.items())
            ),
            15,
        )

    def accepted(self, command):
        """Sends a good command as a client and waits until it is accepted."""
        run.send(self.writer, command)
        self.writer.flush()
        result = self.follower.wait_for(
            f"result of {command!r}", lambda r: (r.topic.endswith(".results") and r.cause == command.id), 30
        )
        assert result.type == "accepted", f"{command!r} is {self.app.schemas.decode(result.value)}"


def set_up():
    global shop
    shop = Shop()


def headers(kind, subject, command_id, **more):
    result = {
        "ce_specversion": "1.0",
        "ce_id": command_id,
        "ce_source": "test",
        "ce_type": kind,
        "ce_subject": subject,
        **more,
    }
    return {name: value for name, value in result.items() if value is not None}


JSON = {"content-type": "application/json"}


def edge_cases():
    """(what, stage, topic, key, value, headers, class) of records that are bad where clients write."""
    cart = b'{"CustomerId":"c"}'
    for what, value, more, error_class in [
        ("no JSON", b'{"CustomerId":', {}, "deserialize"),
        ("JSON of another kind", b"[1, 2]", {}, "validate"),
        ("a field of a wrong type", b'{"CustomerId":7}', {}, "validate"),
        ("a missing field", b"{}", {}, "validate"),
        ("an unknown field", b'{"CustomerId":"c","Custommer":1}', {}, "validate"),
        ("no value", None, {}, None),
        ("an empty value", b"", {}, "deserialize"),
        ("too large a value", b'{"CustomerId":"' + b"c" * 150000 + b'"}', {}, "too_large"),
        ("bytes that are no UTF-8", b'{"CustomerId":"\xff\xfe"}', {}, "deserialize"),
        ("an unknown command", cart, {"ce_type": "CreateChart"}, "unknown_type"),
        ("a type that is no command", b'{"CustomerId":"c"}', {"ce_type": "CartCreated"}, "handler"),
        ("no ce_id", cart, {"ce_id": None}, "missing_header"),
        ("no ce_type", cart, {"ce_type": None}, "missing_header"),
        ("no ce_subject", cart, {"ce_subject": None}, "missing_header"),
        ("an empty ce_subject", cart, {"ce_subject": ""}, "missing_header"),
        ("an expected version that is no number", cart, {"ce_expectedversion": "seven"}, "validate"),
        ("a time that is none", cart, {"ce_time": "yesterday"}, "validate"),
    ]:
        name = what.replace(" ", "-")
        yield what, "route", "tickets.commands", f"key-{name}", value, {
            **headers("CreateCart", f"edge-{name}", f"edge-{name}"),
            **JSON,
            **more,
        }, error_class


def aggregate_cases():
    """The same for records that reach an aggregate; each spoils a cart of its own."""
    encode = shop.app.schemas.encode
    add = {"CartId": None, "ItemId": "i", "TicketTypeId": "t", "Quantity": 1}
    good = encode("AddCartItem", add)
    for what, value, more, error_class in [
        ("no framing", b"\x07\x08garbage", {}, "deserialize"),
        ("an unknown fingerprint", b"\xc3\x01" + b"\x01" * 8 + b"xyz", {}, "unknown_schema"),
        ("a cut value", good[:-3], {}, "deserialize"),
        ("bytes left over", good + b"x", {}, "deserialize"),
        ("a length beyond the end", good[:10] + b"\x00\xfe\xff\xff\xff\x0f", {}, "deserialize"),
        (
            "another schema than ce_type says",
            encode("CreateUser", {"Id": None, "UserId": None, "FullName": "x", "Email": "y"}),
            {},
            "validate",
        ),
        (
            "a command of another aggregate",
            encode(
                "CreateVenue",
                {"VenueId": None, "Name": "x", "Description": None, "Capacity": 1, "WebUrl": None, "Address": "y"},
            ),
            {"ce_type": "CreateVenue"},
            "unknown_type",
        ),
        ("an unknown command", good, {"ce_type": "AddCarItem"}, "unknown_type"),
        ("no ce_id", good, {"ce_id": None}, "missing_header"),
        ("no ce_type", good, {"ce_type": None}, "missing_header"),
        ("no ce_subject", good, {"ce_subject": None}, "missing_header"),
        ("a subject that is not the key", good, {"ce_subject": "somebody"}, "validate"),
        ("too large a value", encode("AddCartItem", {**add, "ItemId": "x" * 150000}), {}, "too_large"),
        ("a handler that raises", encode("AddCartItem", {**add, "ItemId": "raise"}), {}, "handler"),
        ("a handler that loops", encode("AddCartItem", {**add, "ItemId": "loop"}), {}, "limit"),
        ("a handler that eats memory", encode("AddCartItem", {**add, "ItemId": "eat"}), {}, "limit"),
        ("a handler that returns a wrong event", encode("AddCartItem", {**add, "ItemId": "odd"}), {}, "handler"),
        ("no value", None, {}, None),
    ]:
        subject = "agg-" + what.replace(" ", "-")
        yield what, "cart", "tickets.cart.commands", subject, value, {
            **headers("AddCartItem", subject, f"bad-{subject}"),
            **more,
        }, error_class


def compare(case, place):
    what, stage, topic, key, value, _, error_class = case
    try:
        letter = shop.letter(stage, topic, place)
    except AssertionError as e:
        return [f"{what} ({stage}): {e}"]
    problems = []
    if error_class and letter.headers[PREFIX + "class"] != error_class:
        problems.append(f"class {letter.headers[PREFIX + 'class']}, not {error_class}")
    if not letter.headers.get(PREFIX + "message"):
        problems.append("no message")
    if letter.key != key or (letter.value != value and error_class != "too_large"):
        problems.append("the letter is not the record")
    return [f"{what} ({stage}): {', '.join(problems)}: {letter.headers.get(PREFIX + 'message')}"] if problems else []


def test_T4_bad_records_at_the_edge():
    complaints = []
    for case in edge_cases():
        _, _, topic, key, value, record_headers, _ = case
        complaints += compare(case, shop.put(topic, key, value, record_headers))
    assert not complaints, "\n".join(complaints)
    shop.accepted(Command("edge-good", "CreateCart", "edge-good", {"CustomerId": "c"}, None, "k", T0))


def test_T4_bad_records_at_an_aggregate_park_it():
    """Each on a cart that exists; the next command for that cart waits behind it, other carts go on."""
    complaints = []
    for n, case in enumerate(aggregate_cases()):
        what, stage, topic, subject, value, record_headers, _ = case
        shop.accepted(Command(f"make-{subject}", "CreateCart", subject, {"CustomerId": f"c-{n}"}, None, subject, T0))
        complaints += compare(case, shop.put(topic, subject, value, record_headers))
        later = shop.put(
            topic,
            subject,
            shop.app.schemas.encode(
                "AddCartItem", {"CartId": None, "ItemId": "later", "TicketTypeId": "t", "Quantity": 1}
            ),
            headers("AddCartItem", subject, f"later-{subject}"),
        )
        letter = shop.letter(stage, topic, later)
        if letter.headers[PREFIX + "class"] != "parked":
            complaints.append(f"{what}: the next command has class {letter.headers[PREFIX + 'class']}, not parked")
        shop.accepted(
            Command(f"after-{subject}", "CreateCart", f"{subject}-other", {"CustomerId": "c"}, None, subject, T0)
        )
    assert not complaints, "\n".join(complaints)
    shop.app.settle()
    moved = [
        r
        for r in shop.follower.records
        if r.topic == "tickets.cart.events" and r.key.startswith("agg-") and r.sequence > 0
    ]
    assert not moved, f"carts that should wait moved on: {moved}"


def test_a_null_key_on_a_keyed_topic():
    value = shop.app.schemas.encode("CreateCart", {"CartId": None, "CustomerId": "c"})
    place = shop.put("tickets.cart.commands", None, value, headers("CreateCart", "null-key", "null-key"), partition=1)
    assert shop.letter("cart", "tickets.cart.commands", place).headers[PREFIX + "class"] == "null_key"
    shop.accepted(Command("null-good", "CreateCart", "null-good", {"CustomerId": "c"}, None, "k", T0))


def test_a_gap_parks_the_aggregate_in_a_view():
    """Event 0, then 2: the view keeps what it had, 3 waits, and a duplicate of 0 is dropped without a word."""
    encode = shop.app.schemas.encode
    created = encode("VenueCreated", {"Name": "V", "Description": None, "Capacity": 1, "WebUrl": None, "Address": "A"})

    def event(kind, version, value):
        return shop.put(
            "tickets.venue.events",
            "gap-venue",
            value,
            headers(kind, "gap-venue", f"gap-venue/{version}", ce_sequence=str(version)),
        )

    event("VenueCreated", 0, created)
    event("VenueCreated", 0, created)
    gap = event("VenueDeleted", 2, encode("VenueDeleted", {}))
    later = event("VenueDeleted", 3, encode("VenueDeleted", {}))
    assert shop.letter("venues", "tickets.venue.events", gap).headers[PREFIX + "class"] == "gap"
    assert shop.letter("venues", "tickets.venue.events", later).headers[PREFIX + "class"] == "parked"
    shop.app.settle()
    row = shop.running["venues"].rows("venues")[("gap-venue",)]
    assert (row["Version"], row["IsDeleted"]) == (0, False), row
    status = shop.running["venues"].status()
    assert sum(task["duplicates"] for task in status["tasks"]) == 1, status


def test_nobody_ended_and_nothing_else_was_buried():
    shop.app.settle()
    for stage in shop.running.values():
        assert stage.is_running(), f"{stage.name} ended with {stage.popen.returncode}\n{stage.tail()}"
    elsewhere = [
        r
        for r in shop.letters.records
        if r.topic.endswith("-dlq") and r.topic not in ("tickets-route-dlq", "tickets-cart-dlq", "tickets-venues-dlq")
    ]
    assert not elsewhere, elsewhere


def test_times_far_off_stop_nothing_and_lose_nothing():
    """A client's ce_time may be anything. A broker refuses records of the future, and deletes those that are older
    than a topic's retention, before they are read if need be: the time of the event cannot be the record's."""
    far_off = {"past": "1999-12-31T23:59:59Z", "distant": "1903-01-01T00:00:00Z", "future": "2999-01-01T00:00:00Z"}
    for name, time in far_off.items():
        shop.put(
            "tickets.commands",
            name,
            b'{"CustomerId":"c"}',
            {**headers("CreateCart", f"far-{name}", f"far-{name}", ce_time=time), **JSON},
        )
    shop.accepted(Command("far-good", "CreateCart", "far-good", {"CustomerId": "c"}, None, "k", T0))
    shop.app.settle()
    hour = 3600 * 1000
    for r in shop.follower.records:
        if r.topic.startswith("tickets.cart.") and (r.subject or "").startswith("far-"):
            assert (
                abs(r.time - time_module.time() * 1000) < hour
            ), f"{r!r} has the record time {r.time}: it is gone as soon as retention looks"


def test_stages_stop_in_order():
    terminate(shop.running.values())


# ---- What is wrong before anything is consumed ----


def refused(app, stage, kind, code, *words, **properties):
    """Runs a processor that has to refuse: its exit code, one line on stderr with these words."""
    got, out, err = run_command(
        [f"millrace-{kind}", "--app", app.directory, "--stage", stage, *app.settings(**properties)], 60
    )
    lines = [
        line for line in err.splitlines() if "level=error" in line or " error " in line or "ERROR" in line
    ] or err.splitlines()
    assert got == code, f"exit code {got}, not {code}:\n{out}{err}"
    assert len(lines) == 1, f"{len(lines)} lines instead of one:\n{err}"
    missing = [word for word in words if word not in lines[0]]
    assert not missing, f"the line does not say {missing}: {lines[0]}"


def other_app(name, change=None):
    """The app under its own directory, on the same broker, before its topics are there."""
    files = os.path.join(places.files(), name)
    directory = copy_app("tickets", os.path.join(files, "app"))
    if change:
        path = os.path.join(directory, change[0])
        with open(path, encoding="utf-8") as f:
            source = f.read()
        assert change[1] in source, f"{change[0]} has no {change[1]!r}"
        with open(path, "w", encoding="utf-8") as f:
            f.write(source.replace(change[1], change[2], 1))
    return App(shop.broker, files, topology.STAGES, directory=directory)


def test_a_bad_app_is_refused():
    cases = [
        ("syntax", ("app.lua", 'name = "tickets",', 'name = "tickets"'), ("app.lua:",)),
        ("kind", ("cart.lua", 'kind = "aggregate"', 'kind = "agregate"'), ("cart", "agregate", "aggregate")),
        ("schema", ("cart.lua", 'state = "Cart"', 'state = "Crat"'), ("cart", "Crat", "Cart")),
        (
            "command",
            ("cart.lua", "function decide.CheckOutCart", "function decide.CheckoutCart"),
            ("CheckoutCart", "CheckOutCart"),
        ),
        ("field", ("cart.lua", 'state = "Cart"', 'state = "Cart", remeber = 3'), ("remeber", "remember")),
        ("raise", ("app.lua", "return {", "error('no luck')\nreturn {"), ("app.lua:", "no luck")),
        (
            "store",
            ("venues.lua", "stores = {", 'stores = { versions = { key = "string", value = "VenueRow" },'),
            ("venues.lua:", "stages.venues.stores.versions", "take another one"),
        ),
        ("module", ("app.lua", 'require("route")', 'require("rout")'), ("app.lua:", "rout")),
    ]
    for name, change, words in cases:
        app = other_app(f"bad-{name}", change)
        refused(app, "cart", "aggregate", 2, *words)
        code, out, err = app.cli("check")
        assert code == 2 or code == 1, f"millrace check exits {code} for a bad {name}:\n{out}{err}"


def test_wrong_arguments_are_refused():
    app = other_app("arguments")
    refused(app, "crat", "aggregate", 2, "crat", "cart")
    refused(app, "route", "aggregate", 2, "route", "transform")
    refused(app, "cart", "aggregate", 2, "commit.interval.ms", **{"commit.interval.ms": "soon"})
    refused(app, "cart", "aggregate", 2, "enable.auto.commit", **{"enable.auto.commit": "true"})
    refused(app, "cart", "aggregate", 2, "sesion.timeout.ms", **{"sesion.timeout.ms": "6000"})


def test_an_unreachable_broker_is_named():
    app = other_app("unreachable")
    refused(
        app, "cart", "aggregate", 3, "127.0.0.1:1", **{"bootstrap.servers": "127.0.0.1:1", "broker.timeout.ms": "2s"}
    )


def test_missing_and_wrong_topics_are_named():
    broker = Broker(os.path.join(places.files(), "empty"))
    app = App(broker, os.path.join(places.files(), "empty"), topology.STAGES)
    refused(app, "cart", "aggregate", 2, "tickets.cart.commands", "topics apply")
    for future in app.cluster.admin.create_topics([NewTopic("tickets.cart.commands", 3, 1)]).values():
        future.result()
    refused(app, "cart", "aggregate", 2, "tickets.cart.commands", "3", "4")
    code, out, err = app.cli("topics apply")
    assert code == 1 and "tickets.cart.commands" in err, f"topics apply exits {code}:\n{out}{err}"
    assert not app.cluster.groups("tickets-"), f"something joined: {app.cluster.groups('tickets-')}"
    broker.end()


def test_check_prints_what_it_checked():
    app = other_app("good")
    code, out, err = app.cli("check", "--json")
    assert code == 0, f"{out}{err}"
    json.loads(out.splitlines()[0])


runner.main(globals(), set_up)
