-- "When this event, then that command." A command's ID is derived from the event's, so a policy that
-- runs again asks for nothing new.
--
-- All of it is one stage on purpose: what a cart asks of an inventory (reserve, release) is written in
-- the order of the cart's events only as long as one stage writes it.

local rules = require("rules")

local INVENTORY = "tickets.inventory.commands"
local CART = "tickets.cart.commands"

local on = {}

-- A ticket type is on offer: its stock comes into being.
function on.ConcertTicketTypeAdded(added, meta)
  local ticket_type = added.Type
  send(INVENTORY, ticket_type.Id, command.CreateTicketAvailability {
    ConcertId = meta.subject,
    TicketTypeId = ticket_type.Id,
    Quantity = ticket_type.Quantity,
  })
end

local function withdraw(concert_id, ticket_type_id)
  send(INVENTORY, ticket_type_id, command.WithdrawTicketAvailability {
    ConcertId = concert_id,
    TicketTypeId = ticket_type_id,
  })
end

-- No longer on offer: nothing more is reserved. What is held or sold stays so.
function on.ConcertTicketTypeRemoved(removed, meta)
  withdraw(meta.subject, removed.TicketTypeId)
end

function on.ConcertDeleted(deleted, meta)
  for _, ticket_type_id in ipairs(deleted.TicketTypeIds) do
    withdraw(meta.subject, ticket_type_id)
  end
end

-- An item is in the cart: its tickets are reserved.
function on.CartItemAdded(added, meta)
  local item = added.Item
  send(INVENTORY, item.TicketTypeId, command.ReserveTickets {
    ReservationId = rules.reservation_id(meta.subject, meta.sequence),
    CartId = meta.subject,
    CartItemId = item.Id,
    Quantity = item.Quantity,
  })
end

local release_causes = { CUSTOMER = "REMOVED", EXPIRED = "EXPIRED", CONCERT_DELETED = "CONCERT_DELETED" }

-- An item has left the cart: its reservation ends, unless it left because there was none.
function on.CartItemRemoved(removed, meta)
  if removed.Cause == "SOLD_OUT" then
    return
  end
  send(INVENTORY, removed.TicketTypeId, command.ReleaseTickets {
    ReservationId = removed.ReservationId,
    CartId = meta.subject,
    Cause = release_causes[removed.Cause],
  })
end

-- The tickets are not to be had: the item leaves the cart.
function on.TicketReservationRejected(rejected)
  send(CART, rejected.CartId, command.RemoveCartItem {
    ItemId = rejected.CartItemId,
    Cause = "SOLD_OUT",
    ReservationId = rejected.ReservationId,
  })
end

return {
  kind = "transform",
  from = { "tickets.concert.events", "tickets.cart.events", "tickets.inventory.events" },
  to = { INVENTORY, CART },
  on = on,
}
