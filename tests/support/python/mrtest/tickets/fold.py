"""The state of an aggregate from its events, as the app's state schemas name it."""

from mrtest.tickets.decide import find

CLOSED_MAX = 64
ACTIVITIES_MAX = 50


def concert(state, kind, e, subject, _version):
    if kind == "ConcertCreated":
        return {
            "Id": subject,
            "Name": e["Name"],
            "VenueId": e["VenueId"],
            "ImageUrl": e["ImageUrl"],
            "StartDate": None,
            "EndDate": None,
            "Status": "DRAFT",
            "TicketTypes": [],
            "RemovedTicketTypes": [],
            "Created": e["Created"],
        }
    if kind == "ConcertScheduled":
        state.update(StartDate=e["StartDate"], EndDate=e["EndDate"])
    elif kind == "ConcertPublished":
        state["Status"] = "PUBLISHED"
    elif kind == "ConcertDeleted":
        state["Status"] = "DELETED"
    elif kind == "ConcertTicketTypeAdded":
        state["TicketTypes"].append(e["Type"])
    elif kind == "ConcertTicketTypeRemoved":
        state["TicketTypes"].remove(find(state["TicketTypes"], e["TicketTypeId"]))
        state["RemovedTicketTypes"].append(e["TicketTypeId"])
    else:
        raise AssertionError(f"{kind} is no event of a concert")
    return state


def venue(state, kind, e, subject, _version):
    if kind == "VenueCreated":
        return {"Id": subject, **e, "IsDeleted": False}
    assert kind == "VenueDeleted", f"{kind} is no event of a venue"
    state["IsDeleted"] = True
    return state


def cart(state, kind, e, subject, version):
    if kind == "CartCreated":
        return {"Id": subject, "CustomerId": e["CustomerId"], "Items": [], "IsCheckedOut": False}
    if kind == "CartItemAdded":
        state["Items"].append({**e["Item"], "ReservationId": f"{subject}/{version}"})
    elif kind == "CartItemRemoved":
        state["Items"].remove(find(state["Items"], e["ItemId"]))
    elif kind == "CartCheckedOut":
        state["IsCheckedOut"] = True
    else:
        raise AssertionError(f"{kind} is no event of a cart")
    return state


def user(state, kind, e, subject, _version):
    if kind == "UserCreated":
        return {"Id": subject, **e, "Activities": [], "ActivityCount": 0}
    assert kind == "UserAuthenticated", f"{kind} is no event of a user"
    state["Activities"] = (state["Activities"] + [{"Type": "AUTHENTICATION", "At": e["At"]}])[-ACTIVITIES_MAX:]
    state["ActivityCount"] += 1
    return state


def close(state, reservation, outcome):
    slot = state["ClosedCount"] % CLOSED_MAX
    if slot < len(state["ClosedRing"]):
        del state["Closed"][state["ClosedRing"][slot]]
        state["ClosedRing"][slot] = reservation
    else:
        state["ClosedRing"].append(reservation)
    state["Closed"][reservation] = outcome
    state["ClosedCount"] += 1


def inventory(state, kind, e, subject, _version):
    if state is None:
        state = {
            "TicketTypeId": subject,
            "ConcertId": None,
            "Status": "UNKNOWN",
            "Quantity": 0,
            "Sold": 0,
            "Held": 0,
            "Holds": {},
            "OpenHolds": 0,
            "Closed": {},
            "ClosedRing": [],
            "ClosedCount": 0,
        }
    if kind == "TicketAvailabilityCreated":
        state.update(Status="ON_SALE", ConcertId=e["ConcertId"], Quantity=e["Quantity"])
    elif kind == "TicketAvailabilityWithdrawn":
        state["Status"] = "WITHDRAWN"
    elif kind == "TicketReserved":
        state["Holds"][e["ReservationId"]] = e["Quantity"]
        state["Held"] += e["Quantity"]
    elif kind == "TicketReservationRejected":
        close(state, e["ReservationId"], "REJECTED")
    elif kind == "TicketReservationCancelled":
        state["Held"] -= state["Holds"].pop(e["ReservationId"], 0)
        close(state, e["ReservationId"], "CANCELLED")
    elif kind == "TicketReservationConfirmed":
        held = state["Holds"].pop(e["ReservationId"])
        state["Held"] -= held
        state["Sold"] += held
        close(state, e["ReservationId"], "CONFIRMED")
    else:
        raise AssertionError(f"{kind} is no event of an inventory")
    state["OpenHolds"] = len(state["Holds"])
    return state


FOLDS = {"concert": concert, "venue": venue, "cart": cart, "user": user, "inventory": inventory}


def evolve(aggregate, state, kind, event, subject, version):
    """The state after one more event; may change the state that it is given."""
    return FOLDS[aggregate](state, kind, event, subject, version)
