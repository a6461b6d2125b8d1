"""Workload tickets: commands for carts through three stages of the ticketing app, each beside librdkafka alone on the
same records: route (transform), cart (aggregate), cart_facts (project)."""

from harness import measure
from harness.contender import Native
from harness.raw import Raw
from harness.readings import tally
from mrtest.kafka import Writer
from mrtest.tickets import run as tickets

# Stage: what it reads, and the topic that has one record for each of these in the end.
STEPS = {
    "route": ("tickets.commands", "tickets.cart.commands"),
    "cart": ("tickets.cart.commands", "tickets.cart.events"),
    "cart_facts": ("tickets.cart.events", "tickets.cart.facts"),
}


class CartStage(Native):
    """One stage of the app."""

    def __init__(self, name, title, app, stage, librdkafka="newer"):
        super().__init__(name, title, librdkafka)
        self.app, self.stage = app, stage

    def group(self, run):
        return f"tickets-{self.stage}"

    def start(self, run):
        s = run.settings
        return self.app.start(
            self.stage,
            environment=self.environment(),
            **{
                "processing.guarantee": run.guarantee,
                "commit.interval.ms": f"{s.commit_ms}ms",
                "num.workers": str(s.threads),
                "memory.budget": f"{s.memory_mib}m",
            },
        )


def command(i, carts):
    """(type, fields): a cart is created, then items come and go, so that a state stays small."""
    step = i // carts
    if step == 0:
        return "CreateCart", {"CartId": None, "CustomerId": f"customer-{i % carts}"}
    if step % 2:
        return "AddCartItem", {"CartId": None, "ItemId": f"item-{step}", "TicketTypeId": "type", "Quantity": 2}
    return "RemoveCartItem", {
        "CartId": None,
        "ItemId": f"item-{step - 1}",
        "CartItemId": None,
        "Cause": "CUSTOMER",
        "ReservationId": None,
    }


def write_commands(app, settings):
    writer = Writer(app.bootstrap, **{"queue.buffering.max.messages": 1000000, "linger.ms": 50})
    for i in range(settings.commands):
        cart = f"cart-{i % settings.carts}".encode()
        kind, fields = command(i, settings.carts)
        headers = [
            ("ce_specversion", b"1.0"),
            ("ce_id", f"bench-{i}".encode()),
            ("ce_source", b"bench"),
            ("ce_type", kind.encode()),
            ("ce_subject", cart),
            ("ce_time", b"2026-01-01T00:00:00Z"),
        ]
        writer.send("tickets.commands", cart, app.schemas.encode(kind, fields), headers)
    writer.flush(120)


RAW = Raw("raw", "librdkafka alone", value_bytes=0)


class Tickets:
    """The topics are the app's own, so each round has a broker of its own. Kafka Streams has no such app."""

    name = "tickets"
    contenders = [RAW]

    def __init__(self, session):
        self.session, self.settings = session, session.settings

    def run(self):
        for number in range(1, self.settings.rounds + 1):
            for guarantee in self.settings.guarantees:
                with self.session.fresh_broker() as cluster:
                    app = tickets.tickets_app(self.session.broker, self.session.files)
                    app.properties = {"bootstrap.servers": app.bootstrap, "state.dir": app.state}
                    app.state = app.properties["state.dir"] = f"{self.session.files}/tickets-{number}-{guarantee}"
                    app.apply_topics()
                    write_commands(app, self.settings)
                    for stage in STEPS:
                        self._step(number, guarantee, cluster, app, stage)

    def _step(self, number, guarantee, cluster, app, stage):
        source, result = STEPS[stage]
        waiting = tally(cluster, source)
        labels = {"workload": self.name, "case": stage, "round": number}
        for contender in self.settings.chosen([RAW]):
            self._turn(labels, contender, guarantee, source, waiting, None)
        # The stages after it need what it writes, so ours is always there.
        ours = CartStage("lua", f"millrace, stage {stage}", app, stage)
        self._turn(labels, ours, guarantee, source, waiting, result)

    def _turn(self, labels, contender, guarantee, source, waiting, result):
        session = self.session

        def work(run, row):
            contender.prepare(run)
            process = contender.start(run)
            yield process
            row.update(measure.drain(contender, run, process, waiting["records"], waiting["next"], session.broker_load))
            found = tally(run.cluster, result or run.output)
            row["outputs"] = found["records"]
            assert (
                found["records"] == waiting["records"]
            ), f"{waiting['records']} records made {found['records']} on {result or run.output}"

        session.turn(labels, contender, guarantee, work, source=source)
