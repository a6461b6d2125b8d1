-- View: the stock of each ticket type. Sold + Held + Remaining = Quantity in every row.

local on = {}

function on.TicketAvailabilityCreated(created, meta, stores)
  stores.availability:put(meta.subject, {
    TicketTypeId = meta.subject,
    ConcertId = created.ConcertId,
    Status = "ON_SALE",
    Quantity = created.Quantity,
    Sold = 0,
    Held = 0,
    Remaining = created.Quantity,
  })
end

function on.TicketAvailabilityWithdrawn(_, meta, stores)
  stores.availability:edit(meta.subject).Status = "WITHDRAWN"
end

function on.TicketReserved(reserved, meta, stores)
  local row = stores.availability:edit(meta.subject)
  row.Held = row.Held + reserved.Quantity
  row.Remaining = row.Remaining - reserved.Quantity
end

function on.TicketReservationCancelled(cancelled, meta, stores)
  if cancelled.Quantity == 0 then
    return
  end
  local row = stores.availability:edit(meta.subject)
  row.Held = row.Held - cancelled.Quantity
  row.Remaining = row.Remaining + cancelled.Quantity
end

function on.TicketReservationConfirmed(confirmed, meta, stores)
  local row = stores.availability:edit(meta.subject)
  row.Held = row.Held - confirmed.Quantity
  row.Sold = row.Sold + confirmed.Quantity
end

return {
  kind = "project",
  from = "tickets.inventory.events",
  stores = { availability = { key = "string", value = "AvailabilityRow", topic = "tickets.availability" } },
  on = on,
}
