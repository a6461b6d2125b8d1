"""The rules of the tickets domain: what each command does to an aggregate in a given state.

Written from the rules in words, not from the app: a difference is a bug in one of the two.
"""

import math

NAME_MAX = 255
HOLD_MS = 15 * 60 * 1000
HOLDS_MAX = 10000
MINOR_MAX = 10**12

NO_CHANGE = "no_change"


class Rejected:
    def __init__(self, reason):
        self.reason = reason

    def __repr__(self):
        return f"rejected({self.reason})"


class Meta:
    """What a rule may know of the command beside its fields: for whom it is, and its time."""

    def __init__(self, subject, time):
        self.subject, self.time = subject, time


def invalid(*conditions):
    """A rejection when any of the conditions holds."""
    return Rejected("invalid") if any(conditions) else None


def blank(text):
    return not text.strip(" \t\n\v\f\r")


def bad_name(text):
    return blank(text) or len(text) > NAME_MAX


def not_for(meta, field):
    return field is not None and field != meta.subject


def optional(text):
    return text or None


def find(items, item_id):
    return next((item for item in items if item["Id"] == item_id), None)


# ---- concert ----


def create_concert(state, c, meta):
    wrong = invalid(not_for(meta, c["ConcertId"]), bad_name(c["Name"]))
    if wrong or state:
        return wrong or Rejected("already_exists")
    return [
        (
            "ConcertCreated",
            {
                "Name": c["Name"],
                "VenueId": optional(c["VenueId"]),
                "ImageUrl": optional(c["ImageUrl"]),
                "Created": meta.time,
            },
        )
    ]


def schedule_concert(state, c, meta):
    wrong = invalid(not_for(meta, c["ConcertId"]), c["StartDate"] < 0, c["EndDate"] <= c["StartDate"])
    if wrong or not state:
        return wrong or Rejected("not_found")
    return [("ConcertScheduled", {"StartDate": c["StartDate"], "EndDate": c["EndDate"]})]


def publish_concert(state, c, meta):
    wrong = invalid(not_for(meta, c["Id"]), not_for(meta, c["ConcertId"]))
    if wrong or not state:
        return wrong or Rejected("not_found")
    return [("ConcertPublished", {})] if state["Status"] == "DRAFT" else NO_CHANGE


def delete_concert(state, c, meta):
    wrong = invalid(not_for(meta, c["ConcertId"]))
    if wrong or not state:
        return wrong or Rejected("not_found")
    if state["Status"] == "DELETED":
        return NO_CHANGE
    return [("ConcertDeleted", {"TicketTypeIds": [t["Id"] for t in state["TicketTypes"]]})]


def price(c):
    """In the minor unit; None when it is no price."""
    if (c["Price"] is None) == (c["PriceMinor"] is None):
        return None
    if len(c["Currency"]) != 3 or not all("A" <= letter <= "Z" for letter in c["Currency"]):
        return None
    minor = c["PriceMinor"]
    if minor is None:
        if math.isnan(c["Price"]) or not 0 <= c["Price"] * 100 <= MINOR_MAX:
            return None
        minor = round(c["Price"] * 100)
        if minor / 100 != c["Price"]:
            return None
    return minor if 0 <= minor <= MINOR_MAX else None


def create_ticket_type(state, c, meta):
    minor = price(c)
    wrong = invalid(
        not_for(meta, c["ConcertId"]), blank(c["TicketTypeId"]), bad_name(c["Name"]), c["Quantity"] < 1, minor is None
    )
    if wrong or not state:
        return wrong or Rejected("not_found")
    if find(state["TicketTypes"], c["TicketTypeId"]) or c["TicketTypeId"] in state["RemovedTicketTypes"]:
        return Rejected("already_exists")
    return [
        (
            "ConcertTicketTypeAdded",
            {
                "Type": {
                    "Id": c["TicketTypeId"],
                    "Name": c["Name"],
                    "PriceMinor": minor,
                    "Currency": c["Currency"],
                    "Quantity": c["Quantity"],
                }
            },
        )
    ]


def remove_ticket_type(state, c, meta):
    wrong = invalid(not_for(meta, c["ConcertId"]), blank(c["TicketTypeId"]))
    if wrong or not state:
        return wrong or Rejected("not_found")
    if not find(state["TicketTypes"], c["TicketTypeId"]):
        return NO_CHANGE
    return [("ConcertTicketTypeRemoved", {"TicketTypeId": c["TicketTypeId"]})]


# ---- venue ----


def create_venue(state, c, meta):
    wrong = invalid(not_for(meta, c["VenueId"]), bad_name(c["Name"]), blank(c["Address"]), c["Capacity"] < 0)
    if wrong or state:
        return wrong or Rejected("already_exists")
    return [
        (
            "VenueCreated",
            {
                "Name": c["Name"],
                "Description": optional(c["Description"]),
                "Capacity": c["Capacity"],
                "WebUrl": optional(c["WebUrl"]),
                "Address": c["Address"],
            },
        )
    ]


# ---- cart ----


def create_cart(state, c, meta):
    wrong = invalid(not_for(meta, c["CartId"]), blank(c["CustomerId"]))
    if wrong or state:
        return wrong or Rejected("already_exists")
    return [("CartCreated", {"CustomerId": c["CustomerId"]})]


def add_cart_item(state, c, meta):
    wrong = invalid(not_for(meta, c["CartId"]), blank(c["ItemId"]), blank(c["TicketTypeId"]), c["Quantity"] < 1)
    if wrong or not state:
        return wrong or Rejected("not_found")
    if state["IsCheckedOut"]:
        return Rejected("checked_out")
    if find(state["Items"], c["ItemId"]):
        return Rejected("already_exists")
    return [
        ("CartItemAdded", {"Item": {"Id": c["ItemId"], "TicketTypeId": c["TicketTypeId"], "Quantity": c["Quantity"]}})
    ]


def remove_cart_item(state, c, meta):
    item_id = c["CartItemId"] if c["ItemId"] is None else c["ItemId"]
    by_customer = c["Cause"] == "CUSTOMER"
    wrong = invalid(
        item_id is None or blank(item_id),
        c["CartItemId"] not in (None, item_id),
        not_for(meta, c["CartId"]),
        not by_customer and c["ReservationId"] is None,
    )
    if wrong or not state:
        return wrong or Rejected("not_found")
    if state["IsCheckedOut"] and by_customer:
        return Rejected("checked_out")
    line = find(state["Items"], item_id)
    if not line or c["ReservationId"] not in (None, line["ReservationId"]):
        return NO_CHANGE
    return [
        (
            "CartItemRemoved",
            {
                "ItemId": item_id,
                "Cause": c["Cause"],
                "TicketTypeId": line["TicketTypeId"],
                "Quantity": line["Quantity"],
                "ReservationId": line["ReservationId"],
            },
        )
    ]


def check_out_cart(state, c, meta):
    wrong = invalid(not_for(meta, c["CartId"]))
    if wrong or not state:
        return wrong or Rejected("not_found")
    if state["IsCheckedOut"]:
        return Rejected("checked_out")
    return [("CartCheckedOut", {})] if state["Items"] else Rejected("empty")


# ---- user ----


def create_user(state, c, meta):
    wrong = invalid(not_for(meta, c["Id"]), not_for(meta, c["UserId"]), bad_name(c["FullName"]), bad_name(c["Email"]))
    if wrong or state:
        return wrong or Rejected("already_exists")
    return [("UserCreated", {"FullName": c["FullName"], "Email": c["Email"]})]


def add_user_activity_log(state, c, meta):
    wrong = invalid(not_for(meta, c["UserId"]), c["ActivityType"] != "AUTHENTICATION")
    if wrong or not state:
        return wrong or Rejected("not_found")
    return [("UserAuthenticated", {"At": meta.time})]


# ---- inventory: the stock of one ticket type ----


def left(state):
    return state["Quantity"] - state["Sold"] - state["Held"] if state else 0


def create_ticket_availability(state, c, meta):
    wrong = invalid(not_for(meta, c["TicketTypeId"]), blank(c["ConcertId"]), c["Quantity"] < 1)
    if wrong:
        return wrong
    if state and state["Status"] != "UNKNOWN":
        return Rejected("already_exists")
    return [
        (
            "TicketAvailabilityCreated",
            {"ConcertId": c["ConcertId"], "TicketTypeId": meta.subject, "Quantity": c["Quantity"]},
        )
    ]


def withdraw_ticket_availability(state, c, meta):
    wrong = invalid(not_for(meta, c["TicketTypeId"]))
    if wrong or not state or state["Status"] == "UNKNOWN":
        return wrong or Rejected("not_found")
    if state["ConcertId"] != c["ConcertId"]:
        return Rejected("invalid")
    if state["Status"] == "WITHDRAWN":
        return NO_CHANGE
    return [("TicketAvailabilityWithdrawn", {"ConcertId": c["ConcertId"], "TicketTypeId": meta.subject})]


def reserve_tickets(state, c, meta):
    wrong = invalid(blank(c["ReservationId"]), blank(c["CartId"]), blank(c["CartItemId"]), c["Quantity"] < 1)
    if wrong:
        return wrong
    reservation, quantity = c["ReservationId"], c["Quantity"]
    if state and (reservation in state["Holds"] or reservation in state["Closed"]):
        return NO_CHANGE
    named = {"ReservationId": reservation, "CartId": c["CartId"], "CartItemId": c["CartItemId"]}
    if not state or state["Status"] != "ON_SALE" or quantity > left(state) or len(state["Holds"]) >= HOLDS_MAX:
        return [("TicketReservationRejected", {**named, "Requested": quantity, "Remaining": left(state)})]
    return [
        (
            "TicketReserved",
            {**named, "Quantity": quantity, "ExpiresAt": meta.time + HOLD_MS, "Remaining": left(state) - quantity},
        )
    ]


def release_tickets(state, c, _meta):
    if blank(c["ReservationId"]):
        return Rejected("invalid")
    outcome = state["Closed"].get(c["ReservationId"]) if state else None
    if outcome:
        return Rejected("confirmed") if outcome == "CONFIRMED" else NO_CHANGE
    held = state["Holds"].get(c["ReservationId"], 0) if state else 0
    return [
        (
            "TicketReservationCancelled",
            {
                "ReservationId": c["ReservationId"],
                "CartId": c["CartId"],
                "Quantity": held,
                "Cause": c["Cause"],
                "Remaining": left(state) + held,
            },
        )
    ]


def confirm_tickets(state, c, _meta):
    if blank(c["ReservationId"]) or blank(c["OrderId"]):
        return Rejected("invalid")
    if state and state["Closed"].get(c["ReservationId"]) == "CONFIRMED":
        return NO_CHANGE
    held = state["Holds"].get(c["ReservationId"]) if state else None
    if not held:
        return Rejected("not_found")
    return [
        ("TicketReservationConfirmed", {"ReservationId": c["ReservationId"], "OrderId": c["OrderId"], "Quantity": held})
    ]


COMMANDS = {
    "concert": {
        "CreateConcert": create_concert,
        "ScheduleConcert": schedule_concert,
        "PublishConcert": publish_concert,
        "DeleteConcert": delete_concert,
        "CreateTicketType": create_ticket_type,
        "RemoveTicketType": remove_ticket_type,
    },
    "venue": {"CreateVenue": create_venue},
    "cart": {
        "CreateCart": create_cart,
        "AddCartItem": add_cart_item,
        "RemoveCartItem": remove_cart_item,
        "CheckOutCart": check_out_cart,
    },
    "user": {"CreateUser": create_user, "AddUserActivityLog": add_user_activity_log},
    "inventory": {
        "CreateTicketAvailability": create_ticket_availability,
        "WithdrawTicketAvailability": withdraw_ticket_availability,
        "ReserveTickets": reserve_tickets,
        "ReleaseTickets": release_tickets,
        "ConfirmTickets": confirm_tickets,
    },
}
AGGREGATES = sorted(COMMANDS)
AGGREGATE_OF = {command: aggregate for aggregate, commands in COMMANDS.items() for command in commands}


def decide(command, state, fields, meta):
    """A list of events, NO_CHANGE, or a Rejected."""
    return COMMANDS[AGGREGATE_OF[command]][command](state, fields, meta)
