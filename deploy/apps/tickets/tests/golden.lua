-- The fixtures of the system that this app follows.

local START, END = 1587414600000, 1587421800000 -- 2020-04-20, 20:30 and 22:30

local created = event.ConcertCreated { Name = "Mumford & Sons Live", VenueId = "ziggo-dome", Created = 0 }
local regular = event.ConcertTicketTypeAdded {
  Type = { Id = "regular", Name = "Regular Ticket", PriceMinor = 3900, Currency = "EUR", Quantity = 5000 },
}
local cart = event.CartCreated { CustomerId = "customer-1" }

return {
  {
    "golden: the concert 'Mumford & Sons Live' is created",
    stage = "concert",
    subject = "mumford",
    when = command.CreateConcert { Name = "Mumford & Sons Live", VenueId = "ziggo-dome" },
    expect = { created },
    state = { Id = "mumford", Name = "Mumford & Sons Live", Status = "DRAFT", TicketTypes = {} },
  },
  {
    "golden: a 'Regular Ticket' for 39.00, 5000 of them",
    stage = "concert",
    subject = "mumford",
    given = { created },
    when = command.CreateTicketType {
      TicketTypeId = "regular",
      Name = "Regular Ticket",
      Price = 39.00,
      Quantity = 5000,
    },
    expect = { regular },
  },
  {
    "golden: scheduled for 2020-04-20 from 20:30 to 22:30",
    stage = "concert",
    subject = "mumford",
    given = { created },
    when = command.ScheduleConcert { StartDate = START, EndDate = END },
    expect = { event.ConcertScheduled { StartDate = START, EndDate = END } },
    state = { StartDate = START, EndDate = END },
  },
  {
    "golden: a schedule the wrong way round is rejected",
    stage = "concert",
    subject = "mumford",
    given = { created },
    when = command.ScheduleConcert { StartDate = END, EndDate = START },
    rejected = "invalid",
  },
  {
    "golden: the venue 'Ziggo Dome' in Amsterdam, 10000 seats",
    stage = "venue",
    subject = "ziggo-dome",
    when = command.CreateVenue { Name = "Ziggo Dome", Capacity = 10000, Address = "Amsterdam" },
    expect = { event.VenueCreated { Name = "Ziggo Dome", Capacity = 10000, Address = "Amsterdam" } },
    state = { Id = "ziggo-dome", Capacity = 10000, IsDeleted = false },
  },
  {
    "golden: creation is version 0, which the first change expects",
    stage = "concert",
    subject = "mumford",
    given = { created },
    when = command.PublishConcert {},
    as = { expected_version = 0 },
    expect = { event.ConcertPublished {} },
  },
  {
    "golden: the first change is version 1, which the second expects",
    stage = "concert",
    subject = "mumford",
    given = { created, event.ConcertPublished {} },
    when = command.DeleteConcert {},
    as = { expected_version = 1 },
    expect = { event.ConcertDeleted {} },
  },
  {
    "golden: the second change is version 2",
    stage = "concert",
    subject = "mumford",
    given = { created, event.ConcertPublished {}, regular },
    when = command.RemoveTicketType { TicketTypeId = "regular" },
    as = { expected_version = 2 },
    expect = { event.ConcertTicketTypeRemoved { TicketTypeId = "regular" } },
  },
  {
    "golden: an item with quantity 2 is added",
    stage = "cart",
    subject = "cart-1",
    given = { cart },
    when = command.AddCartItem { ItemId = "item-1", TicketTypeId = "regular", Quantity = 2 },
    expect = { event.CartItemAdded { Item = { Id = "item-1", TicketTypeId = "regular", Quantity = 2 } } },
  },
  {
    "golden: quantity -1 is rejected",
    stage = "cart",
    subject = "cart-1",
    given = { cart },
    when = command.AddCartItem { ItemId = "item-1", TicketTypeId = "regular", Quantity = -1 },
    rejected = "invalid",
  },
  {
    "golden: an empty ID is rejected",
    stage = "cart",
    subject = "cart-1",
    given = { cart },
    when = command.AddCartItem { ItemId = "item-1", TicketTypeId = "", Quantity = 2 },
    rejected = "invalid",
  },
  {
    "golden: the checkout of an empty cart is rejected",
    stage = "cart",
    subject = "cart-1",
    given = { cart },
    when = command.CheckOutCart {},
    rejected = "empty",
  },
}
