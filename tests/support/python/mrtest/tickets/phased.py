"""Commands of every kind, sold out and withdrawn ones among them, whose outcome depends on nobody's speed.

What two runs of the tickets app may decide differently, and why it cannot happen here:

- Which of two sessions' commands reaches an aggregate first: `route` merges the partitions of tickets.commands. Here a
  command's key is its aggregate, so all of one aggregate's come through one partition.
- Whose reservation of a type is first: `policies` merges the carts' partitions. Here a cart asks only for types of
  its own partition, so they come through one partition at each step.
- Whether something that a client asks for is before something that the policies ask for on account of another event:
  reserve and confirm, reserve and withdraw, the removal of what is sold out and the customer's next command. Here these
  are in different phases, and a phase is over before the next begins.

Views join by themselves whatever comes first, so a customer may have carts of several partitions.
"""

from mrtest.partition import partition
from mrtest.tickets.aligned import Aligned

CUSTOMERS = 25
SCARCE = 5  # tickets of a type that is soon sold out


class Phased(Aligned):
    """`phases(n)`: lists of commands, n of them shopping. Each is sent when the one before is worked off."""

    def __init__(self, seed, partitions):
        self.versions, self.reservations, self.checked_out = {}, {}, set()
        super().__init__(seed, partitions)

    def _new(self, kind, subject, **fields):
        if kind == "CreateCart":
            fields["CustomerId"] = f"customer-{int(subject.split('-')[1]) % CUSTOMERS}"
        if kind in ("CreateCart", "AddCartItem", "RemoveCartItem"):
            self.versions[subject] = self.versions.get(subject, -1) + 1
        if kind == "AddCartItem":
            self.reservations[fields["ItemId"]] = (f"{subject}/{self.versions[subject]}", fields["TicketTypeId"])
        return super()._new(kind, subject, **fields)

    def phases(self, n):
        offered = self.concerts() + self._scarce()
        shopping = self.shopping(n)
        return [offered, shopping, self._confirmed(), self._closed(shopping), self._too_late()]

    def _scarce(self):
        """One type a partition of which there are few."""
        return [
            self._new("CreateTicketType", "concert-0", TicketTypeId=name, Name=name, PriceMinor=100, Quantity=SCARCE)
            for name in self._scarce_types()
        ]

    def _scarce_types(self):
        """By partition; the first name that belongs there."""
        found = {}
        for number in range(1000):
            name = f"scarce-{number}"
            found.setdefault(partition(name.encode(), self.partitions), name)
        return [found[p] for p in range(self.partitions)]

    def _confirmed(self):
        """Every third reservation is paid for."""
        held = sorted(item for items in self.open.values() for item in items)[::3]
        return [
            self._new("ConfirmTickets", ticket_type, ReservationId=reservation, OrderId=f"order-{item}")
            for item in held
            for reservation, ticket_type in [self.reservations[item]]
        ]

    def _closed(self, sent):
        """Carts are checked out, some of them twice; types and concerts go; what was sent before is sent again, and
        wrong things are asked for."""
        carts = sorted(self.open)[::3]
        self.checked_out.update(carts)
        commands = [self._new("CheckOutCart", cart) for cart in carts + carts[::5]]
        commands += [self._new("RemoveTicketType", "concert-1", TicketTypeId=f"type-1-{p}") for p in (0, 1)]
        commands += [self._new("DeleteConcert", "concert-2"), self._new("DeleteConcert", "concert-none")]
        commands += [self._new("CreateUser", "user-0", FullName="Again", Email="x")]
        return commands + sent[-40::4]

    def _too_late(self):
        """An item for each cart that is open: of a type that is gone, or that is sold out after the first few."""
        commands, scarce = [], self._scarce_types()
        for cart in sorted(set(self.open) - self.checked_out):
            p = partition(cart.encode(), self.partitions)
            item = f"late-{cart}"
            ticket_type = f"type-2-{p}" if len(commands) % 4 == 0 else scarce[p]
            commands.append(self._new("AddCartItem", cart, ItemId=item, TicketTypeId=ticket_type, Quantity=2))
        return commands
