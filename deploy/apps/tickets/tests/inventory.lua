local MINUTE = 60 * 1000

local created = event.TicketAvailabilityCreated { ConcertId = "c-1", TicketTypeId = "t-1", Quantity = 10 }
local withdrawn = event.TicketAvailabilityWithdrawn { ConcertId = "c-1", TicketTypeId = "t-1" }

local function reserve(id, quantity)
  return command.ReserveTickets { ReservationId = id, CartId = "k-1", CartItemId = "i-1", Quantity = quantity }
end

local function reserved(id, quantity, remaining)
  return event.TicketReserved {
    ReservationId = id,
    CartId = "k-1",
    CartItemId = "i-1",
    Quantity = quantity,
    ExpiresAt = 15 * MINUTE,
    Remaining = remaining,
  }
end

local function rejected(id, requested, remaining)
  return event.TicketReservationRejected {
    ReservationId = id,
    CartId = "k-1",
    CartItemId = "i-1",
    Requested = requested,
    Remaining = remaining,
  }
end

local function cancelled(id, quantity, remaining)
  return event.TicketReservationCancelled {
    ReservationId = id,
    CartId = "k-1",
    Quantity = quantity,
    Cause = "REMOVED",
    Remaining = remaining,
  }
end

local function confirmed(id, quantity)
  return event.TicketReservationConfirmed { ReservationId = id, OrderId = "o-1", Quantity = quantity }
end

local create = command.CreateTicketAvailability { ConcertId = "c-1", TicketTypeId = "t-1", Quantity = 10 }
local withdraw = command.WithdrawTicketAvailability { ConcertId = "c-1" }

local function release(id)
  return command.ReleaseTickets { ReservationId = id, CartId = "k-1" }
end

local function confirm(id)
  return command.ConfirmTickets { ReservationId = id, OrderId = "o-1" }
end

local specs = {
  {
    "CreateTicketAvailability: a ticket type goes on sale",
    when = create,
    expect = { created },
    state = { TicketTypeId = "t-1", ConcertId = "c-1", Status = "ON_SALE", Quantity = 10, Sold = 0, Held = 0 },
  },
  {
    "CreateTicketAvailability: the quantity does not count twice",
    given = { created },
    when = create,
    rejected = "already_exists",
    state = { Quantity = 10 },
  },
  {
    "CreateTicketAvailability: after reservations were rejected because it was not there yet",
    given = { rejected("r-0", 1, 0) },
    when = create,
    expect = { created },
    state = { Status = "ON_SALE", Quantity = 10, Held = 0 },
  },
  {
    "CreateTicketAvailability: not again after it was withdrawn",
    given = { created, withdrawn },
    when = create,
    rejected = "already_exists",
  },
  {
    "ReserveTickets: some of it",
    given = { created },
    when = reserve("r-1", 4),
    expect = { reserved("r-1", 4, 6) },
    state = { Held = 4, Sold = 0, Quantity = 10, OpenHolds = 1 },
  },
  {
    "ReserveTickets: the hold ends 15 minutes after the command",
    given = { created },
    when = reserve("r-1", 1),
    as = { time = 0 },
    expect = { reserved("r-1", 1, 9) },
  },
  {
    "ReserveTickets: the last ones",
    given = { created, reserved("r-1", 4, 6) },
    when = reserve("r-2", 6),
    expect = { reserved("r-2", 6, 0) },
  },
  {
    "ReserveTickets: one more than there is",
    given = { created, reserved("r-1", 4, 6) },
    when = reserve("r-2", 7),
    expect = { rejected("r-2", 7, 6) },
    state = { Held = 4, OpenHolds = 1 },
  },
  {
    "ReserveTickets: sold tickets are gone, too",
    given = { created, reserved("r-1", 10, 0), confirmed("r-1", 10) },
    when = reserve("r-2", 1),
    expect = { rejected("r-2", 1, 0) },
  },
  {
    "ReserveTickets: what was released can be had again",
    given = { created, reserved("r-1", 10, 0), cancelled("r-1", 10, 10) },
    when = reserve("r-2", 10),
    expect = { reserved("r-2", 10, 0) },
  },
  {
    "ReserveTickets: nothing was ever on sale, and the cart hears so",
    when = reserve("r-1", 1),
    expect = { rejected("r-1", 1, 0) },
    state = { Status = "UNKNOWN", Quantity = 0, Held = 0 },
  },
  {
    "ReserveTickets: a second time with the same ID changes nothing",
    given = { created, reserved("r-1", 4, 6) },
    when = reserve("r-1", 4),
    no_change = true,
  },
  {
    "ReserveTickets: what was rejected stays rejected when there are tickets again",
    given = { created, reserved("r-1", 10, 0), rejected("r-2", 1, 0), cancelled("r-1", 10, 10) },
    when = reserve("r-2", 1),
    no_change = true,
  },
  {
    "ReserveTickets: after its own release it holds nothing",
    given = { created, cancelled("r-1", 0, 10) },
    when = reserve("r-1", 4),
    no_change = true,
    state = { Held = 0 },
  },
  {
    "ReserveTickets: nothing more once the type is withdrawn",
    given = { created, withdrawn },
    when = reserve("r-1", 1),
    expect = { rejected("r-1", 1, 10) },
  },
  {
    "ReleaseTickets: the tickets are to be had again",
    given = { created, reserved("r-1", 4, 6) },
    when = release("r-1"),
    expect = { cancelled("r-1", 4, 10) },
    state = { Held = 0, OpenHolds = 0 },
  },
  {
    "ReleaseTickets: a second time changes nothing",
    given = { created, reserved("r-1", 4, 6), cancelled("r-1", 4, 10) },
    when = release("r-1"),
    no_change = true,
  },
  {
    "ReleaseTickets: of what was rejected changes nothing",
    given = { created, reserved("r-1", 10, 0), rejected("r-2", 1, 0) },
    when = release("r-2"),
    no_change = true,
    state = { Held = 10 },
  },
  {
    "ReleaseTickets: of what is not known is written down",
    given = { created, reserved("r-1", 4, 6) },
    when = release("r-2"),
    expect = { cancelled("r-2", 0, 6) },
    state = { Held = 4, OpenHolds = 1 },
  },
  {
    "ReleaseTickets: even before the ticket type is there",
    when = release("r-1"),
    expect = { cancelled("r-1", 0, 0) },
    state = { Status = "UNKNOWN", Quantity = 0, Held = 0 },
  },
  {
    "ReleaseTickets: what is sold is not released",
    given = { created, reserved("r-1", 4, 6), confirmed("r-1", 4) },
    when = release("r-1"),
    rejected = "confirmed",
    state = { Sold = 4 },
  },
  {
    "ReleaseTickets: also after the type was withdrawn",
    given = { created, reserved("r-1", 4, 6), withdrawn },
    when = release("r-1"),
    expect = { cancelled("r-1", 4, 10) },
  },
  {
    "ConfirmTickets: held tickets are sold",
    given = { created, reserved("r-1", 4, 6) },
    when = confirm("r-1"),
    expect = { confirmed("r-1", 4) },
    state = { Held = 0, Sold = 4, OpenHolds = 0 },
  },
  {
    "ConfirmTickets: a second time changes nothing",
    given = { created, reserved("r-1", 4, 6), confirmed("r-1", 4) },
    when = confirm("r-1"),
    no_change = true,
    state = { Sold = 4 },
  },
  {
    "ConfirmTickets: also after the type was withdrawn",
    given = { created, reserved("r-1", 4, 6), withdrawn },
    when = confirm("r-1"),
    expect = { confirmed("r-1", 4) },
  },
  {
    "ConfirmTickets: what was released is not to be had",
    given = { created, reserved("r-1", 4, 6), cancelled("r-1", 4, 10) },
    when = confirm("r-1"),
    rejected = "not_found",
  },
  {
    "ConfirmTickets: a reservation that is not there",
    given = { created },
    when = confirm("r-1"),
    rejected = "not_found",
  },
  {
    "ConfirmTickets: an inventory that is not there",
    when = confirm("r-1"),
    rejected = "not_found",
  },
  {
    "WithdrawTicketAvailability: what is held stays held",
    given = { created, reserved("r-1", 4, 6) },
    when = withdraw,
    expect = { withdrawn },
    state = { Status = "WITHDRAWN", Held = 4, Quantity = 10 },
  },
  {
    "WithdrawTicketAvailability: a second time changes nothing",
    given = { created, withdrawn },
    when = withdraw,
    no_change = true,
  },
  {
    "WithdrawTicketAvailability: an inventory that is not there",
    when = withdraw,
    rejected = "not_found",
  },
  {
    "WithdrawTicketAvailability: an inventory that was only asked for",
    given = { rejected("r-1", 1, 0) },
    when = withdraw,
    rejected = "not_found",
  },
}

-- The memory of closed reservations is bounded: the oldest is forgotten, the last 64 are not.
local function closed(n)
  local events = { created }
  for i = 1, n do
    events[#events + 1] = cancelled("r-" .. i, 0, 10)
  end
  return events
end
specs[#specs + 1] = {
  "closed reservations: the last 64 are remembered",
  given = closed(65),
  when = reserve("r-2", 1),
  no_change = true,
  state = { ClosedCount = 65 },
}
specs[#specs + 1] = {
  "closed reservations: older ones are forgotten",
  given = closed(65),
  when = reserve("r-1", 1),
  expect = { reserved("r-1", 1, 9) },
}
specs[#specs + 1] = {
  "closed reservations: the last place of the ring is used again, too",
  given = closed(128),
  when = reserve("r-64", 1),
  expect = { reserved("r-64", 1, 9) },
}

for text, wrong in pairs {
  ["no tickets to sell"] = command.CreateTicketAvailability { ConcertId = "c-1", Quantity = 0 },
  ["tickets for no concert"] = command.CreateTicketAvailability { ConcertId = "", Quantity = 1 },
  ["another ticket type"] = command.CreateTicketAvailability { ConcertId = "c-1", TicketTypeId = "t-2", Quantity = 1 },
  ["another ticket type to withdraw"] = command.WithdrawTicketAvailability { ConcertId = "c-1", TicketTypeId = "t-2" },
  ["a withdrawal by another concert"] = command.WithdrawTicketAvailability { ConcertId = "c-2" },
  ["a reservation without an ID"] = reserve("", 1),
  ["a reservation of nothing"] = reserve("r-1", 0),
  ["a reservation for no cart"] = command.ReserveTickets {
    ReservationId = "r-1",
    CartId = "",
    CartItemId = "i-1",
    Quantity = 1,
  },
  ["a reservation for no item"] = command.ReserveTickets {
    ReservationId = "r-1",
    CartId = "k-1",
    CartItemId = "",
    Quantity = 1,
  },
  ["a release without an ID"] = release(""),
  ["a sale without an ID"] = confirm(""),
  ["a sale without an order"] = command.ConfirmTickets { ReservationId = "r-1", OrderId = "" },
} do
  specs[#specs + 1] = {
    "invalid for an inventory: " .. text,
    given = { created },
    when = wrong,
    rejected = "invalid",
  }
end

for _, spec in ipairs(specs) do
  spec.stage = "inventory"
  spec.subject = "t-1"
end

return specs
