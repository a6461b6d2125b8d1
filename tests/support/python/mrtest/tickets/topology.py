"""The tickets app from outside: its topics, and what its stateless stages make of a record."""

PREFIX = "tickets."
COMMANDS = "tickets.commands"

# Stage: (kind, what it reads).
STAGES = {
    "route": ("transform", ["tickets.commands"]),
    "policies": ("transform", ["tickets.concert.events", "tickets.cart.events", "tickets.inventory.events"]),
    "rekey": ("transform", ["tickets.concert.facts", "tickets.venues", "tickets.concert.places", "tickets.cart.facts"]),
    "concert": ("aggregate", ["tickets.concert.commands"]),
    "venue": ("aggregate", ["tickets.venue.commands"]),
    "cart": ("aggregate", ["tickets.cart.commands"]),
    "user": ("aggregate", ["tickets.user.commands"]),
    "inventory": ("aggregate", ["tickets.inventory.commands"]),
    "venues": ("project", ["tickets.venue.events"]),
    "users": ("project", ["tickets.user.events"]),
    "availability": ("project", ["tickets.inventory.events"]),
    "concert_facts": ("project", ["tickets.concert.events"]),
    "cart_facts": ("project", ["tickets.cart.events"]),
    "concert_places": ("project", ["tickets.venue.facts"]),
    "programme": ("project", ["tickets.programme.facts"]),
    "carts": ("project", ["tickets.customer.carts"]),
}
STATEFUL = sorted(name for name, (kind, _) in STAGES.items() if kind != "transform")
# View: the topic that its rows are sent to.
PROJECTED = {
    "venues": "tickets.venues",
    "users": "tickets.users",
    "availability": "tickets.availability",
    "concert_facts": "tickets.concert.facts",
    "cart_facts": "tickets.cart.facts",
    "concerts": "tickets.concerts",
    "carts": "tickets.carts",
}

RELEASE_CAUSE = {"CUSTOMER": "REMOVED", "EXPIRED": "EXPIRED", "CONCERT_DELETED": "CONCERT_DELETED"}


def after(kind, event, subject, version):
    """The policies: "when this event, then that command", as (aggregate, its ID, command, fields)."""
    if kind == "ConcertTicketTypeAdded":
        ticket_type = event["Type"]
        return [
            (
                "inventory",
                ticket_type["Id"],
                "CreateTicketAvailability",
                {"ConcertId": subject, "TicketTypeId": ticket_type["Id"], "Quantity": ticket_type["Quantity"]},
            )
        ]
    if kind in ("ConcertTicketTypeRemoved", "ConcertDeleted"):
        gone = event["TicketTypeIds"] if kind == "ConcertDeleted" else [event["TicketTypeId"]]
        return [("inventory", i, "WithdrawTicketAvailability", {"ConcertId": subject, "TicketTypeId": i}) for i in gone]
    if kind == "CartItemAdded":
        item = event["Item"]
        return [
            (
                "inventory",
                item["TicketTypeId"],
                "ReserveTickets",
                {
                    "ReservationId": f"{subject}/{version}",
                    "CartId": subject,
                    "CartItemId": item["Id"],
                    "Quantity": item["Quantity"],
                },
            )
        ]
    if kind == "CartItemRemoved" and event["Cause"] in RELEASE_CAUSE:
        return [
            (
                "inventory",
                event["TicketTypeId"],
                "ReleaseTickets",
                {"ReservationId": event["ReservationId"], "CartId": subject, "Cause": RELEASE_CAUSE[event["Cause"]]},
            )
        ]
    if kind == "TicketReservationRejected":
        return [
            (
                "cart",
                event["CartId"],
                "RemoveCartItem",
                {
                    "CartId": None,
                    "ItemId": event["CartItemId"],
                    "CartItemId": None,
                    "Cause": "SOLD_OUT",
                    "ReservationId": event["ReservationId"],
                },
            )
        ]
    return []


def rekeyed(kind, row):
    """What a row is sent on as, so that views can join it: (topic, key, schema, fields)."""
    if kind == "ConcertFact":
        sent = [("tickets.programme.facts", row["Id"], kind, row)]
        if row["VenueId"] is not None:
            sent.append(
                (
                    "tickets.venue.facts",
                    row["VenueId"],
                    "ConcertVenue",
                    {"ConcertId": row["Id"], "VenueId": row["VenueId"]},
                )
            )
        return sent
    if kind == "VenueRow":
        return [("tickets.venue.facts", row["Id"], kind, row)]
    if kind == "ConcertPlace":
        return [("tickets.programme.facts", row["ConcertId"], kind, row)] if row["Venue"] else []
    assert kind == "CartFact", kind
    return [("tickets.customer.carts", row["CustomerId"], kind, row)]
