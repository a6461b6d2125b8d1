"""What every view must hold, computed from the events of all aggregates at once.

A view is {key parts: row}. The computation joins finished states, while the app joins as things
arrive: when they agree, the order of arrival did not matter.
"""

from mrtest.tickets.fold import evolve

TERM_MAX = 64
NO_DATE = -1


class Event:
    """One event as the views need it."""

    __slots__ = ("kind", "value", "version", "time")

    def __init__(self, kind, value, version, time):
        self.kind, self.value, self.version, self.time = kind, value, version, time


def states(aggregate, events):
    """{id: state} from {id: [Event]}."""
    result = {}
    for subject, log in events.items():
        state = None
        for e in log:
            state = evolve(aggregate, state, e.kind, e.value, subject, e.version)
        result[subject] = state
    return result


def terms(*names):
    """Every end of every name, lower-cased (ASCII only), cut to 64 bytes at a character's edge."""
    found = set()
    for name in names:
        text = "".join(chr(ord(c) + 32) if "A" <= c <= "Z" else c for c in name or "")
        for i, character in enumerate(text):
            if character != " ":
                found.add(text[i:].encode()[:TERM_MAX].decode(errors="ignore"))
    return found


def venue_rows(logs):
    return {
        (subject,): {**state, "Version": logs["venue"][subject][-1].version}
        for subject, state in states("venue", logs["venue"]).items()
    }


def user_rows(logs):
    rows = {}
    for subject, state in states("user", logs["user"]).items():
        log = logs["user"][subject]
        seen = [e.value["At"] for e in log if e.kind == "UserAuthenticated"]
        rows[(subject,)] = {
            "Id": subject,
            "FullName": state["FullName"],
            "Email": state["Email"],
            "Created": log[0].time,
            "LastAuthenticated": seen[-1] if seen else None,
            "Authentications": len(seen),
        }
    return rows


def availability_rows(logs):
    rows = {}
    for subject, s in states("inventory", logs["inventory"]).items():
        if s["Status"] != "UNKNOWN":
            rows[(subject,)] = {
                "TicketTypeId": subject,
                "ConcertId": s["ConcertId"],
                "Status": s["Status"],
                "Quantity": s["Quantity"],
                "Sold": s["Sold"],
                "Held": s["Held"],
                "Remaining": s["Quantity"] - s["Sold"] - s["Held"],
            }
    return rows


def concert_facts(logs):
    rows = {}
    for subject, state in states("concert", logs["concert"]).items():
        fact = {name: value for name, value in state.items() if name != "RemovedTicketTypes"}
        rows[(subject,)] = {**fact, "Version": logs["concert"][subject][-1].version}
    return rows


def concert_places(logs):
    known = venue_rows(logs)
    return {
        (s["VenueId"], subject): {"ConcertId": subject, "VenueId": s["VenueId"], "Venue": known.get((s["VenueId"],))}
        for subject, s in states("concert", logs["concert"]).items()
        if s["VenueId"]
    }


def programme_parts(logs):
    known = venue_rows(logs)
    return {
        key: {"ConcertId": fact["Id"], "Concert": fact, "Venue": known.get((fact["VenueId"],))}
        for key, fact in concert_facts(logs).items()
    }


def concert_rows(logs):
    return {
        key: {**part["Concert"], "Venue": part["Venue"]}
        for key, part in programme_parts(logs).items()
        if part["Concert"]["Status"] != "DELETED"
    }


def programme_rows(logs):
    rows = {}
    for part in programme_parts(logs).values():
        concert, venue = part["Concert"], part["Venue"]
        if concert["Status"] == "PUBLISHED":
            date = NO_DATE if concert["StartDate"] is None else concert["StartDate"]
            rows[(date, concert["Id"])] = {
                "ConcertId": concert["Id"],
                "Name": concert["Name"],
                "VenueId": concert["VenueId"],
                "VenueName": venue and venue["Name"],
                "StartDate": concert["StartDate"],
                "EndDate": concert["EndDate"],
            }
    return rows


def programme_by_term(logs):
    return {
        (term, *key): row for key, row in programme_rows(logs).items() for term in terms(row["Name"], row["VenueName"])
    }


def cart_facts(logs):
    rows = {}
    for subject, state in states("cart", logs["cart"]).items():
        log = logs["cart"][subject]
        items = [{"Id": i["Id"], "TicketTypeId": i["TicketTypeId"], "Quantity": i["Quantity"]} for i in state["Items"]]
        rows[(subject,)] = {
            "Id": subject,
            "Version": log[-1].version,
            "CustomerId": state["CustomerId"],
            "Created": log[0].time,
            "Items": items,
            "IsCheckedOut": state["IsCheckedOut"],
        }
    return rows


def customer_carts(logs):
    return {(row["CustomerId"], row["Id"]): row for row in cart_facts(logs).values() if not row["IsCheckedOut"]}


def cart_rows(logs):
    open_carts = {}
    for row in customer_carts(logs).values():
        open_carts.setdefault(row["CustomerId"], []).append(row)
    rows = {}
    for customer, carts in open_carts.items():
        first, *others = sorted(carts, key=lambda cart: (cart["Created"], cart["Id"].encode()))
        rows[(customer,)] = {
            "CustomerId": customer,
            "CartId": first["Id"],
            "Version": first["Version"],
            "Created": first["Created"],
            "Items": first["Items"],
            "Quantity": sum(item["Quantity"] for item in first["Items"]),
            "OtherCarts": [cart["Id"] for cart in others],
        }
    return rows


# View: (the stage that keeps it, how it is computed from {aggregate: {id: [Event]}}).
VIEWS = {
    "venues": ("venues", venue_rows),
    "users": ("users", user_rows),
    "availability": ("availability", availability_rows),
    "concert_facts": ("concert_facts", concert_facts),
    "known_venues": ("concert_places", venue_rows),
    "concert_places": ("concert_places", concert_places),
    "programme_parts": ("programme", programme_parts),
    "concerts": ("programme", concert_rows),
    "programme": ("programme", programme_rows),
    "programme_by_term": ("programme", programme_by_term),
    "cart_facts": ("cart_facts", cart_facts),
    "customer_carts": ("carts", customer_carts),
    "carts": ("carts", cart_rows),
}


def all_views(logs):
    return {name: compute(logs) for name, (_, compute) in VIEWS.items()}
