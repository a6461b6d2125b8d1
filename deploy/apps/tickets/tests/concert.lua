local created = event.ConcertCreated { Name = "Jazz", Created = 0 }
local deleted = event.ConcertDeleted {}

local function ticket_type(id, minor)
  return { Id = id, Name = "Regular", PriceMinor = minor or 3900, Currency = "EUR", Quantity = 10 }
end
local added = event.ConcertTicketTypeAdded { Type = ticket_type("t-1") }
local removed = event.ConcertTicketTypeRemoved { TicketTypeId = "t-1" }

-- A command that offers t-1 at a price, with whatever is overridden.
local function offer(fields)
  local all = { TicketTypeId = "t-1", Name = "Regular", Quantity = 10 }
  for field, value in pairs(fields) do
    all[field] = value
  end
  return command.CreateTicketType(all)
end

local specs = {
  {
    "CreateConcert: all fields, and the time of the command",
    stage = "concert",
    subject = "c-1",
    when = command.CreateConcert { ConcertId = "c-1", Name = "Jazz", VenueId = "v-1", ImageUrl = "http://x/j.png" },
    as = { time = 1500000000123 },
    expect = {
      event.ConcertCreated { Name = "Jazz", VenueId = "v-1", ImageUrl = "http://x/j.png", Created = 1500000000123 },
    },
    state = { Id = "c-1", VenueId = "v-1", ImageUrl = "http://x/j.png", Created = 1500000000123, Status = "DRAFT" },
  },
  {
    "CreateConcert: an empty VenueId is none",
    stage = "concert",
    subject = "c-1",
    when = command.CreateConcert { Name = "Jazz", VenueId = "", ImageUrl = "" },
    expect = { created },
  },
  {
    "CreateConcert: a name of 255 characters, which are more bytes",
    stage = "concert",
    subject = "c-1",
    when = command.CreateConcert { Name = ("é"):rep(255) },
    expect = { event.ConcertCreated { Name = ("é"):rep(255), Created = 0 } },
  },
  {
    "CreateConcert: a concert that is there",
    stage = "concert",
    subject = "c-1",
    given = { created },
    when = command.CreateConcert { Name = "Jazz" },
    rejected = "already_exists",
  },
  {
    "CreateConcert: a deleted concert is not created anew",
    stage = "concert",
    subject = "c-1",
    given = { created, deleted },
    when = command.CreateConcert { Name = "Jazz" },
    rejected = "already_exists",
  },
  {
    "ScheduleConcert: again, with other dates",
    stage = "concert",
    subject = "c-1",
    given = { created, event.ConcertScheduled { StartDate = 10, EndDate = 20 } },
    when = command.ScheduleConcert { ConcertId = "c-1", StartDate = 30, EndDate = 40 },
    expect = { event.ConcertScheduled { StartDate = 30, EndDate = 40 } },
    state = { StartDate = 30, EndDate = 40 },
  },
  {
    "ScheduleConcert: in any status, even deleted",
    stage = "concert",
    subject = "c-1",
    given = { created, deleted },
    when = command.ScheduleConcert { StartDate = 30, EndDate = 40 },
    expect = { event.ConcertScheduled { StartDate = 30, EndDate = 40 } },
    state = { Status = "DELETED" },
  },
  {
    "PublishConcert: a draft",
    stage = "concert",
    subject = "c-1",
    given = { created },
    when = command.PublishConcert { Id = "c-1" },
    expect = { event.ConcertPublished {} },
    state = { Status = "PUBLISHED" },
  },
  {
    "PublishConcert: nothing happens when it is published",
    stage = "concert",
    subject = "c-1",
    given = { created, event.ConcertPublished {} },
    when = command.PublishConcert { ConcertId = "c-1" },
    no_change = true,
  },
  {
    "PublishConcert: nothing happens when it is deleted",
    stage = "concert",
    subject = "c-1",
    given = { created, deleted },
    when = command.PublishConcert {},
    no_change = true,
  },
  {
    "DeleteConcert: a published concert with ticket types",
    stage = "concert",
    subject = "c-1",
    given = { created, event.ConcertPublished {}, added },
    when = command.DeleteConcert { ConcertId = "c-1" },
    expect = { event.ConcertDeleted { TicketTypeIds = { "t-1" } } },
    state = { Status = "DELETED" },
  },
  {
    "DeleteConcert: nothing happens when it is deleted",
    stage = "concert",
    subject = "c-1",
    given = { created, deleted },
    when = command.DeleteConcert {},
    no_change = true,
  },
  {
    "CreateTicketType: a second one is appended",
    stage = "concert",
    subject = "c-1",
    given = { created, added },
    when = offer { TicketTypeId = "t-2", PriceMinor = 5000 },
    expect = { event.ConcertTicketTypeAdded { Type = ticket_type("t-2", 5000) } },
    state = { TicketTypes = { { Id = "t-1" }, { Id = "t-2", PriceMinor = 5000 } } },
  },
  {
    "CreateTicketType: an ID that is on offer",
    stage = "concert",
    subject = "c-1",
    given = { created, added },
    when = offer { Price = 39.0 },
    rejected = "already_exists",
  },
  {
    "CreateTicketType: an ID that was removed is not used again",
    stage = "concert",
    subject = "c-1",
    given = { created, added, removed },
    when = offer { Price = 39.0 },
    rejected = "already_exists",
  },
  {
    "CreateTicketType: another currency",
    stage = "concert",
    subject = "c-1",
    given = { created },
    when = offer { PriceMinor = 100, Currency = "JPY" },
    expect = {
      event.ConcertTicketTypeAdded {
        Type = { Id = "t-1", Name = "Regular", PriceMinor = 100, Currency = "JPY", Quantity = 10 },
      },
    },
  },
  {
    "RemoveTicketType: one of two",
    stage = "concert",
    subject = "c-1",
    given = { created, added, event.ConcertTicketTypeAdded { Type = ticket_type("t-2") } },
    when = command.RemoveTicketType { ConcertId = "c-1", TicketTypeId = "t-1" },
    expect = { removed },
    state = { TicketTypes = { { Id = "t-2" } }, RemovedTicketTypes = { "t-1" } },
  },
  {
    "RemoveTicketType: nothing happens when it is not there",
    stage = "concert",
    subject = "c-1",
    given = { created },
    when = command.RemoveTicketType { TicketTypeId = "t-1" },
    no_change = true,
  },
}

-- Prices that are accepted, and what is kept of them.
for text, case in pairs {
  ["0 is a free ticket"] = { 0.0, 0 },
  ["one cent"] = { 0.01, 1 },
  ["0.29, which is less than 29 cents in binary"] = { 0.29, 29 },
  ["19.99"] = { 19.99, 1999 },
  ["1.01, which is more than 101 cents in binary"] = { 1.01, 101 },
  ["8009.61"] = { 8009.61, 800961 },
  ["the highest"] = { 10000000000.0, 1000000000000 },
} do
  specs[#specs + 1] = {
    "CreateTicketType: Price " .. text,
    stage = "concert",
    subject = "c-1",
    given = { created },
    when = offer { Price = case[1] },
    expect = { event.ConcertTicketTypeAdded { Type = ticket_type("t-1", case[2]) } },
  }
end

for text, minor in pairs { ["0 is a free ticket"] = 0, ["the highest"] = 1000000000000 } do
  specs[#specs + 1] = {
    "CreateTicketType: PriceMinor " .. text,
    stage = "concert",
    subject = "c-1",
    given = { created },
    when = offer { PriceMinor = minor },
    expect = { event.ConcertTicketTypeAdded { Type = ticket_type("t-1", minor) } },
  }
end

-- Commands that a concert which is there rejects as invalid.
for text, wrong in pairs {
  ["a blank name"] = command.CreateConcert { Name = "  " },
  ["a name of 256 characters"] = command.CreateConcert { Name = ("x"):rep(256) },
  ["an ID that is not the subject's"] = command.CreateConcert { ConcertId = "c-2", Name = "Jazz" },
  ["a schedule that ends when it begins"] = command.ScheduleConcert { StartDate = 10, EndDate = 10 },
  ["a schedule before 1970"] = command.ScheduleConcert { StartDate = -2, EndDate = 10 },
  ["a schedule for another concert"] = command.ScheduleConcert { ConcertId = "c-2", StartDate = 1, EndDate = 2 },
  ["publishing another concert"] = command.PublishConcert { Id = "c-2" },
  ["publishing another concert, said the other way"] = command.PublishConcert { ConcertId = "c-2" },
  ["deleting another concert"] = command.DeleteConcert { ConcertId = "c-2" },
  ["an offer for another concert"] = offer { ConcertId = "c-2", Price = 1.0 },
  ["an offer without an ID"] = offer { TicketTypeId = "", Price = 1.0 },
  ["an offer without a name"] = offer { Name = "", Price = 1.0 },
  ["an offer with too long a name"] = offer { Name = ("x"):rep(256), Price = 1.0 },
  ["an offer of no tickets"] = offer { Quantity = 0, Price = 1.0 },
  ["an offer without a price"] = offer {},
  ["an offer with two prices"] = offer { Price = 1.0, PriceMinor = 100 },
  ["a negative price"] = offer { Price = -0.01 },
  ["a negative price in cents"] = offer { PriceMinor = -1 },
  ["a price with three decimals"] = offer { Price = 1.005 },
  ["a price beyond reason"] = offer { Price = 1e15 },
  ["a price beyond reason in cents"] = offer { PriceMinor = 1000000000001 },
  ["a currency that is none"] = offer { Price = 1.0, Currency = "euro" },
  ["a removal without an ID"] = command.RemoveTicketType { TicketTypeId = "" },
  ["a removal from another concert"] = command.RemoveTicketType { ConcertId = "c-2", TicketTypeId = "t-1" },
} do
  specs[#specs + 1] = {
    "invalid for a concert: " .. text,
    stage = "concert",
    subject = "c-1",
    given = { created },
    when = wrong,
    rejected = "invalid",
  }
end

for name, unheard in pairs {
  ScheduleConcert = command.ScheduleConcert { StartDate = 1, EndDate = 2 },
  PublishConcert = command.PublishConcert {},
  DeleteConcert = command.DeleteConcert {},
  CreateTicketType = offer { Price = 1.0 },
  RemoveTicketType = command.RemoveTicketType { TicketTypeId = "t-1" },
} do
  specs[#specs + 1] = {
    name .. ": a concert that is not there",
    stage = "concert",
    subject = "c-1",
    when = unheard,
    rejected = "not_found",
  }
end

return specs
