-- Every command reaches its aggregate's topic under the aggregate's ID.

-- For each aggregate: a command of each type, in the order in which they are fed.
local commands = {
  concert = {
    command.CreateConcert { Name = "Jazz" },
    command.ScheduleConcert { StartDate = 1, EndDate = 2 },
    command.PublishConcert {},
    command.CreateTicketType { TicketTypeId = "t-1", Name = "Regular", PriceMinor = 0, Quantity = 1 },
    command.RemoveTicketType { TicketTypeId = "t-9" },
    command.DeleteConcert {},
  },
  venue = {
    command.CreateVenue { Name = "Paradiso", Address = "Amsterdam" },
  },
  cart = {
    command.CreateCart { CustomerId = "customer-1" },
    command.AddCartItem { ItemId = "i-1", TicketTypeId = "t-8", Quantity = 0 },
    command.RemoveCartItem { ItemId = "i-1" },
    command.CheckOutCart {},
  },
  user = {
    command.CreateUser { FullName = "Ada", Email = "ada@example.org" },
    command.AddUserActivityLog { ActivityType = "AUTHENTICATION" },
  },
  inventory = {
    command.CreateTicketAvailability { ConcertId = "c-1", Quantity = 1 },
    command.ReserveTickets { ReservationId = "r-1", CartId = "k-1", CartItemId = "i-1", Quantity = 1 },
    command.ReleaseTickets { ReservationId = "r-1", CartId = "k-1" },
    command.ConfirmTickets { ReservationId = "r-1", OrderId = "o-1" },
    command.WithdrawTicketAvailability { ConcertId = "c-1" },
  },
}

local specs = {
  {
    "route: what is no command is a dead letter",
    feed = {
      { "tickets.commands", subject = "c-1", id = "1", record = event.ConcertPublished {} },
      { "tickets.commands", subject = "c-1", id = "2", record = command.CreateConcert { Name = "Jazz" } },
    },
    sent = { ["tickets.concert.commands"] = { command.CreateConcert { Name = "Jazz" } } },
    dead = { ["tickets-route-dlq"] = 1 },
  },
  {
    "route: a command may be sent twice; it has one effect",
    feed = {
      { "tickets.commands", subject = "c-1", id = "1", record = command.CreateConcert { Name = "Jazz" } },
      { "tickets.commands", subject = "c-1", id = "1", record = command.CreateConcert { Name = "Jazz" } },
    },
    sent = { ["tickets.concert.events"] = { event.ConcertCreated { Name = "Jazz", Created = 0 } } },
  },
}

for aggregate, list in pairs(commands) do
  local feed = {}
  for i, sent in ipairs(list) do
    feed[i] = { "tickets.commands", subject = "x-1", id = aggregate .. "-" .. i, record = sent }
  end
  specs[#specs + 1] = {
    "route: all commands of aggregate " .. aggregate,
    feed = feed,
    sent = { ["tickets." .. aggregate .. ".commands"] = list },
  }
end

return specs
