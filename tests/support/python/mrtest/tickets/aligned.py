"""Commands whose outcome does not depend on how partitions are interleaved: two runs of them end in the
same states, byte for byte.

Everything about one cart, and about the ticket types it asks for, comes through one partition of every
topic on its way; concerts and their types are there before the first cart is.
"""

import random

from mrtest.partition import partition
from mrtest.tickets.traffic import DAY, T0, Command


class Aligned:
    """`concerts()` first; when they are settled, `shopping(n)`."""

    def __init__(self, seed, partitions, concerts=12, carts=60):
        self.random, self.partitions = random.Random(seed), partitions
        self.concerts_count, self.carts_count = concerts, carts
        self.count = 0
        self.types = {p: [] for p in range(partitions)}
        self.open = {}

    def _new(self, kind, subject, **fields):
        self.count += 1
        return Command(f"a-{self.count}", kind, subject, fields, None, subject, T0 + self.count * 10)

    def concerts(self):
        commands = [self._new("CreateVenue", f"venue-{v}", Name=f"Hall {v}", Address="Street") for v in range(3)]
        for c in range(self.concerts_count):
            subject = f"concert-{c}"
            commands.append(self._new("CreateConcert", subject, Name=f"Concert {c}", VenueId=f"venue-{c % 3}"))
            commands.append(self._new("ScheduleConcert", subject, StartDate=T0 + c * DAY, EndDate=T0 + c * DAY + 1))
            commands.append(self._new("PublishConcert", subject))
            for p in range(self.partitions):
                name = f"type-{c}-{p}"
                self.types[p].append(name)
                commands.append(
                    self._new(
                        "CreateTicketType", subject, TicketTypeId=name, Name=name, PriceMinor=0, Quantity=1_000_000
                    )
                )
        return commands

    def shopping(self, n):
        """Carts, users and new dates. A customer has one cart only, whose reservations are of types of its partition; nothing
        is ever sold out, for then a removal by the policies would race with the customer's own."""
        commands = []
        while len(commands) < n:
            number = self.random.randrange(self.carts_count)
            cart = f"cart-{number}"
            types = self.types[partition(cart.encode(), self.partitions)]
            items = self.open.get(cart)
            roll = self.random.random()
            if roll < 0.2:
                start = T0 + self.random.randrange(300) * DAY
                commands.append(
                    self._new(
                        "ScheduleConcert", f"concert-{number % self.concerts_count}", StartDate=start, EndDate=start + 1
                    )
                )
            elif items is None:
                self.open[cart] = []
                commands.append(self._new("CreateCart", cart, CustomerId=f"customer-{number}"))
                commands.append(self._new("CreateUser", f"user-{number}", FullName=cart, Email="x"))
            elif roll < 0.65 or not items:
                items.append(f"item-{self.count}")
                commands.append(
                    self._new(
                        "AddCartItem",
                        cart,
                        ItemId=items[-1],
                        TicketTypeId=self.random.choice(types),
                        Quantity=self.random.randint(1, 3),
                    )
                )
            elif roll < 0.85:
                commands.append(self._new("RemoveCartItem", cart, ItemId=items.pop(self.random.randrange(len(items)))))
            else:
                commands.append(self._new("AddUserActivityLog", f"user-{number}", ActivityType="AUTHENTICATION"))
        return commands[:n]
