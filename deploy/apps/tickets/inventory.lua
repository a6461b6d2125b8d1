-- The stock of one ticket type; its ID is the ticket type's. All reservations of a type pass through
-- here one after the other, which is why it cannot be oversold.
--
-- A reservation is open (it holds tickets) or closed: rejected, cancelled or confirmed. Closed ones
-- are remembered, so that nothing holds tickets under a name that was settled before: a reserve that
-- comes after its own release, or a second time, changes nothing. The memory is bounded.

local rules = require("rules")

local CLOSED_MAX = 64
-- Keeps the state below the size limit of a record (about 100 bytes each, where IDs are UUIDs). More are
-- rejected as if nothing was left.
local HOLDS_MAX = 8000
local HOLD_MS = 15 * 60 * 1000

local function remaining(inventory)
  return inventory.Quantity - inventory.Sold - inventory.Held
end

local decide = {}

function decide.CreateTicketAvailability(inventory, command, meta)
  local wrong = rules.subject(meta, "TicketTypeId", command.TicketTypeId)
    or rules.required("ConcertId", command.ConcertId)
    or rules.at_least(1, "Quantity", command.Quantity)
  if wrong then
    return wrong
  end
  -- Reservations may have been asked for, and rejected, before.
  if inventory and inventory.Status ~= "UNKNOWN" then
    return rules.already_exists("Inventory", meta.subject)
  end
  return event.TicketAvailabilityCreated {
    ConcertId = command.ConcertId,
    TicketTypeId = meta.subject,
    Quantity = command.Quantity,
  }
end

function decide.WithdrawTicketAvailability(inventory, command, meta)
  local wrong = rules.subject(meta, "TicketTypeId", command.TicketTypeId)
  if wrong then
    return wrong
  end
  if not inventory or inventory.Status == "UNKNOWN" then
    return rules.not_found("Inventory", meta.subject)
  end
  if inventory.ConcertId ~= command.ConcertId then
    return rules.invalid("The tickets are for concert '%s', not '%s'.", inventory.ConcertId, command.ConcertId)
  end
  if inventory.Status == "ON_SALE" then
    return event.TicketAvailabilityWithdrawn { ConcertId = command.ConcertId, TicketTypeId = meta.subject }
  end
end

local function can_hold(inventory, quantity)
  return inventory
    and inventory.Status == "ON_SALE"
    and quantity <= remaining(inventory)
    and inventory.OpenHolds < HOLDS_MAX
end

-- Whoever asks is always told: nothing on sale is a rejection too, for the cart waits to hear it.
function decide.ReserveTickets(inventory, command, meta)
  local wrong = rules.required("ReservationId", command.ReservationId)
    or rules.required("CartId", command.CartId)
    or rules.required("CartItemId", command.CartItemId)
    or rules.at_least(1, "Quantity", command.Quantity)
  if wrong then
    return wrong
  end
  local id = command.ReservationId
  if inventory and (inventory.Holds[id] or inventory.Closed[id]) then
    return
  end
  if not can_hold(inventory, command.Quantity) then
    return event.TicketReservationRejected {
      ReservationId = id,
      CartId = command.CartId,
      CartItemId = command.CartItemId,
      Requested = command.Quantity,
      Remaining = inventory and remaining(inventory) or 0,
    }
  end
  return event.TicketReserved {
    ReservationId = id,
    CartId = command.CartId,
    CartItemId = command.CartItemId,
    Quantity = command.Quantity,
    ExpiresAt = meta.time + HOLD_MS,
    Remaining = remaining(inventory) - command.Quantity,
  }
end

-- A release of what was never reserved is written down with quantity 0: its reserve may come yet.
function decide.ReleaseTickets(inventory, command)
  local wrong = rules.required("ReservationId", command.ReservationId)
  if wrong then
    return wrong
  end
  local id = command.ReservationId
  local outcome = inventory and inventory.Closed[id]
  if outcome == "CONFIRMED" then
    return reject("confirmed", ('The tickets of reservation "%s" are sold.'):format(id))
  end
  if outcome then
    return
  end
  local held = inventory and inventory.Holds[id] or 0
  return event.TicketReservationCancelled {
    ReservationId = id,
    CartId = command.CartId,
    Quantity = held,
    Cause = command.Cause,
    Remaining = inventory and remaining(inventory) + held or 0,
  }
end

function decide.ConfirmTickets(inventory, command)
  local wrong = rules.required("ReservationId", command.ReservationId) or rules.required("OrderId", command.OrderId)
  if wrong then
    return wrong
  end
  local id = command.ReservationId
  if inventory and inventory.Closed[id] == "CONFIRMED" then
    return
  end
  local held = inventory and inventory.Holds[id]
  if not held then
    return rules.not_found("Reservation", id)
  end
  return event.TicketReservationConfirmed { ReservationId = id, OrderId = command.OrderId, Quantity = held }
end

-- What there is before the first event.
local function empty(meta)
  return record.Inventory {
    TicketTypeId = meta.subject,
    Status = "UNKNOWN",
    Quantity = 0,
    Sold = 0,
    Held = 0,
    Holds = {},
    OpenHolds = 0,
    Closed = {},
    ClosedRing = {},
    ClosedCount = 0,
  }
end

local function close(inventory, id, outcome)
  local ring = inventory.ClosedRing
  local slot = inventory.ClosedCount % CLOSED_MAX + 1
  if slot <= #ring then
    inventory.Closed[ring[slot]] = nil
  end
  ring[slot] = id
  inventory.Closed[id] = outcome
  inventory.ClosedCount = inventory.ClosedCount + 1
end

local function drop_hold(inventory, id, quantity)
  inventory.Holds[id] = nil
  inventory.OpenHolds = inventory.OpenHolds - 1
  inventory.Held = inventory.Held - quantity
end

local evolve = {}

function evolve.TicketAvailabilityCreated(inventory, created, meta)
  inventory = inventory or empty(meta)
  inventory.Status = "ON_SALE"
  inventory.ConcertId = created.ConcertId
  inventory.Quantity = created.Quantity
  return inventory
end

function evolve.TicketAvailabilityWithdrawn(inventory)
  inventory.Status = "WITHDRAWN"
  return inventory
end

function evolve.TicketReserved(inventory, reserved)
  inventory.Holds[reserved.ReservationId] = reserved.Quantity
  inventory.OpenHolds = inventory.OpenHolds + 1
  inventory.Held = inventory.Held + reserved.Quantity
  return inventory
end

function evolve.TicketReservationRejected(inventory, rejected, meta)
  inventory = inventory or empty(meta)
  close(inventory, rejected.ReservationId, "REJECTED")
  return inventory
end

function evolve.TicketReservationCancelled(inventory, cancelled, meta)
  inventory = inventory or empty(meta)
  if cancelled.Quantity > 0 then
    drop_hold(inventory, cancelled.ReservationId, cancelled.Quantity)
  end
  close(inventory, cancelled.ReservationId, "CANCELLED")
  return inventory
end

function evolve.TicketReservationConfirmed(inventory, confirmed)
  drop_hold(inventory, confirmed.ReservationId, confirmed.Quantity)
  inventory.Sold = inventory.Sold + confirmed.Quantity
  close(inventory, confirmed.ReservationId, "CONFIRMED")
  return inventory
end

return {
  kind = "aggregate",
  from = "tickets.inventory.commands",
  to = "tickets.inventory.events",
  results = "tickets.inventory.results",
  state = "Inventory",
  decide = decide,
  evolve = evolve,
}
