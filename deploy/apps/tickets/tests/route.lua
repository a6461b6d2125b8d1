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

-- JSON as clients send it, and what becomes of it.
local offered = command.CreateTicketType { TicketTypeId = "t-1", Name = "Regular", Price = 39.0, Quantity = 5 }
for text, case in pairs {
  ["a price may be written without decimals"] = {
    "CreateTicketType",
    '{"TicketTypeId":"t-1","Name":"Regular","Price":39,"Quantity":5}',
    offered,
  },
  ["null is as good as absent"] = {
    "CreateTicketType",
    '{"TicketTypeId":"t-1","Name":"Regular","Price":39.00,"PriceMinor":null,"ConcertId":null,"Quantity":5}',
    offered,
  },
  ["dates may be text"] = {
    "ScheduleConcert",
    '{"StartDate":"2020-04-20T20:30:00Z","EndDate":"2020-04-21T00:30:00+02:00"}',
    command.ScheduleConcert { StartDate = 1587414600000, EndDate = 1587421800000 },
  },
  ["no fields"] = { "PublishConcert", "{}", command.PublishConcert {} },
  ["a missing field is a dead letter"] = { "CreateConcert", '{"VenueId":"v-1"}' },
  ["an unknown field is a dead letter"] = { "CreateConcert", '{"Name":"Jazz","Title":"Jazz"}' },
  ["a wrong type is a dead letter"] = { "CreateConcert", '{"Name":7}' },
  ["an unknown command is a dead letter"] = { "CreateConzert", '{"Name":"Jazz"}' },
  ["what is no JSON is a dead letter"] = { "CreateConcert", "Name=Jazz" },
} do
  specs[#specs + 1] = {
    "route, JSON: " .. text,
    feed = { { "tickets.commands", subject = "c-1", id = "1", type = case[1], value = case[2] } },
    sent = { ["tickets.concert.commands"] = { case[3] } },
    dead = { ["tickets-route-dlq"] = case[3] and 0 or 1 },
  }
end

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
