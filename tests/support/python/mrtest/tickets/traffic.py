"""Random commands as clients of a ticket shop send them: most fine, some wrong, some repeated, some racing.

Everything follows from the seed. A session keys its commands by its own name, so that they keep their
order, and knows what it asked for; what became of it, it does not know.
"""

import datetime
import json
import random
import time

DAY = 24 * 3600 * 1000
# Yesterday's midnight, the time of the first command: brokers delete what is older than a topic's retention.
T0 = (int(time.time() * 1000) // DAY - 1) * DAY
WORDS = ["Mumford", "Sons", "Live", "Straße", "Jazz", "Noche", "Ærø", "Big Band", "Requiem", "東京", "Blues", "Fado"]


class Command:
    """What a client writes to tickets.commands."""

    __slots__ = ("id", "type", "subject", "fields", "expected", "key", "time")

    def __init__(self, command_id, kind, subject, fields, expected=None, key=None, time=None):
        self.id, self.type, self.subject, self.fields = command_id, kind, subject, fields
        self.expected, self.key, self.time = expected, key, time

    def headers(self):
        result = {
            "ce_specversion": "1.0",
            "ce_id": self.id,
            "ce_source": "mrtest",
            "ce_type": self.type,
            "ce_subject": self.subject,
            "content-type": "application/json",
        }
        if self.expected is not None:
            result["ce_expectedversion"] = str(self.expected)
        if self.time is not None:
            seconds, ms = divmod(self.time, 1000)
            moment = datetime.datetime.fromtimestamp(seconds, datetime.timezone.utc)
            result["ce_time"] = moment.strftime("%Y-%m-%dT%H:%M:%S") + f".{ms:03d}Z"
        return [(name, value.encode()) for name, value in result.items()]

    def value(self):
        return json.dumps(self.fields, ensure_ascii=False).encode()

    def __repr__(self):
        return f"<{self.type} {self.subject} id {self.id} {self.fields}>"


class Traffic:
    """An endless supply of commands; `commands(n)` gives the next n."""

    def __init__(self, seed, venues=20, concerts=80, customers=120):
        self.random = random.Random(seed)
        self.n_venues, self.n_concerts, self.n_customers = venues, concerts, customers
        self.count, self.recent = 0, []
        self.types, self.carts, self.open = [], 0, {}
        self.waiting = []

    def commands(self, n):
        """The first ones create what the others are about."""
        if self.count == 0:
            self._set_up()
        result = []
        while len(result) < n:
            if self.waiting:
                result.append(self.waiting.pop(0))
                continue
            self._one()
        return result

    def _new(self, kind, subject, key, expected=None, **fields):
        self.count += 1
        command = Command(f"c-{self.count}", kind, subject, fields, expected, key, T0 + self.count * 10)
        self.waiting.append(command)
        self.recent = (self.recent + [command])[-20:]
        return command

    def _name(self):
        return " ".join(self.random.sample(WORDS, self.random.randint(1, 3)))

    def _ticket_type(self, concert, quantity=None):
        number = len(self.types)
        self.types.append(f"type-{number}")
        price = {"Price": round(self.random.randint(0, 20000) / 100, 2)} if number % 2 else {"PriceMinor": number * 100}
        self._new(
            "CreateTicketType",
            concert,
            concert,
            TicketTypeId=f"type-{number}",
            Name=f"Rank {number}",
            Quantity=quantity or self.random.choice([3, 20, 100, 1000]),
            **price,
        )

    def _set_up(self):
        late = []
        for v in range(self.n_venues):
            fields = {"Name": f"{self._name()} Hall {v}", "Address": f"Street {v}", "Capacity": 100 * v}
            if v % 3:
                self._new("CreateVenue", f"venue-{v}", f"venue-{v}", **fields)
            else:
                late.append((v, fields))
        for c in range(self.n_concerts):
            subject = f"concert-{c}"
            self._new(
                "CreateConcert",
                subject,
                subject,
                Name=f"{self._name()} {c}",
                VenueId=f"venue-{self.random.randrange(self.n_venues)}" if c % 7 else None,
            )
            for _ in range(self.random.randint(1, 3)):
                self._ticket_type(subject)
            if c % 5:
                self._schedule(subject)
            if c % 4:
                self._new("PublishConcert", subject, subject)
        for v, fields in late:  # after the concerts that take place there
            self._new("CreateVenue", f"venue-{v}", f"venue-{v}", **fields)
        for u in range(self.n_customers):
            self._new("CreateUser", f"user-{u}", f"user-{u}", FullName=f"Name {u}", Email=f"u{u}@example.org")

    def _schedule(self, concert):
        start = T0 + self.random.randrange(300) * DAY
        end = start + self.random.choice([3_600_000, 7_200_000, 0])
        self._new("ScheduleConcert", concert, concert, StartDate=start, EndDate=end)

    def _one(self):
        r = self.random
        roll = r.random()
        if roll < 0.03:
            self.waiting.append(r.choice(self.recent))  # sent again, with its ID
        elif roll < 0.13:
            self._about_concerts()
        elif roll < 0.19:
            subject = f"user-{r.randrange(self.n_customers + 5)}"
            self._new("AddUserActivityLog", subject, subject, ActivityType=r.choice(["AUTHENTICATION"] * 9 + ["DANCE"]))
        else:
            self._shop()

    def _about_concerts(self):
        r = self.random
        subject = f"concert-{r.randrange(self.n_concerts)}"
        roll = r.random()
        if roll < 0.55:
            self._schedule(subject)
        elif roll < 0.65:
            self._new("PublishConcert", subject, subject)
        elif roll < 0.72:
            self._new("CreateConcert", subject, subject, Name=r.choice(["", "x" * 256, "Again"]))
        elif roll < 0.82:
            self._ticket_type(subject, r.choice([1, 5, 50]))
        elif roll < 0.88:
            self._new("RemoveTicketType", subject, subject, TicketTypeId=r.choice(self.types))
        elif roll < 0.89:
            self._new("DeleteConcert", subject, subject)
        else:  # at a version that it may or may not be at
            self._new(
                "ScheduleConcert",
                subject,
                f"editor-{r.randrange(4)}",
                r.randint(-1, 12),
                StartDate=T0,
                EndDate=T0 + DAY,
            )

    def _shop(self):
        """One customer's next step; a customer has one cart after the other, sometimes two."""
        r = self.random
        customer = f"customer-{r.randrange(self.n_customers)}"
        carts = self.open.setdefault(customer, [])
        if not carts or r.random() < 0.01:
            cart = f"cart-{self.carts}"
            self.carts += 1
            carts.append([cart, []])
            self._new("CreateCart", cart, customer, CustomerId=customer)
            return
        cart, items = r.choice(carts)
        roll = r.random()
        if roll < 0.62 or not items:
            item = f"item-{self.count}"
            ticket_type = r.choice(self.types[:8]) if r.random() < 0.3 else r.choice(self.types)
            added = self._new(
                "AddCartItem",
                cart,
                customer,
                ItemId=item,
                TicketTypeId=ticket_type,
                Quantity=r.choice([1, 1, 2, 2, 3, 4, -1 if r.random() < 0.2 else 1]),
            )
            items.append((added.fields["ItemId"], ticket_type, len(items) + 1))
        elif roll < 0.84:
            item, _, _ = items.pop(r.randrange(len(items)))
            self._new("RemoveCartItem", cart, customer, ItemId=item)
        elif roll < 0.92:
            item, ticket_type, version = r.choice(items)
            self._new(
                "ConfirmTickets", ticket_type, customer, ReservationId=f"{cart}/{version}", OrderId=f"order-{item}"
            )
        elif roll < 0.95:
            self._new("AddCartItem", "cart-none", customer, ItemId="i", TicketTypeId="t", Quantity=1)
        else:
            self._new("CheckOutCart", cart, customer)
            if len(items) > 1:
                carts.remove(next(c for c in carts if c[0] == cart))
