-- The mistakes of the system that this app follows, each by its number, and that they are not made here.
-- T2 (all events under one key), T3 (store, then publish) and T4 (swallowed errors) are about what a
-- broker and a crash do: the integration and fault suites have tests of these names, too.

local created = event.ConcertCreated { Name = "Jazz", Created = 0 }

local function to(subject, id, sent, time)
  return { "tickets.commands", subject = subject, id = id, record = sent, time = time }
end

local cart = command.CreateCart { CustomerId = "customer-1" }

return {
  {
    "T1: of two writers that expect the same version the second is rejected",
    stage = "concert",
    subject = "c-1",
    given = { created, event.ConcertPublished {} },
    when = command.DeleteConcert {},
    as = { expected_version = 0 },
    rejected = "version_conflict",
    state = { Status = "PUBLISHED" },
  },
  {
    "T1: expecting -1 is expecting that there is nothing",
    stage = "concert",
    subject = "c-1",
    given = { created },
    when = command.CreateConcert { Name = "Jazz" },
    as = { expected_version = -1 },
    rejected = "version_conflict",
  },
  {
    "T1: expecting -1 where there is nothing",
    stage = "concert",
    subject = "c-1",
    when = command.CreateConcert { Name = "Jazz" },
    as = { expected_version = -1 },
    expect = { created },
  },
  {
    "T4: what fails is kept, later commands of that aggregate wait behind it, others go on",
    feed = {
      { "tickets.concert.commands", subject = "c-1", id = "1", record = event.ConcertPublished {} },
      to("c-1", "2", command.CreateConcert { Name = "Jazz" }),
      to("c-2", "3", command.CreateConcert { Name = "Blues" }),
    },
    sent = { ["tickets.concert.events"] = { event.ConcertCreated { Name = "Blues", Created = 0 } } },
    dead = { ["tickets-concert-dlq"] = 2 },
  },
  {
    "T5: a checkout checks out, makes nothing else, and quantities are kept",
    feed = {
      to("c-1", "1", command.CreateConcert { Name = "Jazz" }),
      to("c-1", "2", command.CreateTicketType { TicketTypeId = "t-1", Name = "Regular", Price = 0.0, Quantity = 9 }),
      to("k-1", "3", cart),
      to("k-1", "4", command.AddCartItem { ItemId = "i-1", TicketTypeId = "t-1", Quantity = 7 }),
      to("k-1", "5", command.CheckOutCart {}),
    },
    sent = {
      ["tickets.cart.events"] = {
        event.CartCreated { CustomerId = "customer-1" },
        event.CartItemAdded { Item = { Id = "i-1", TicketTypeId = "t-1", Quantity = 7 } },
        event.CartCheckedOut {},
      },
    },
    rows = { { "availability", "t-1", expect = { Held = 7, Remaining = 2 } } },
  },
  {
    "T6: the time of an activity is the command's, and a fold of the log gives it again",
    stage = "user",
    subject = "u-1",
    given = {
      event.UserCreated { FullName = "Ada", Email = "ada@example.org" },
      event.UserAuthenticated { At = 1590423056123 },
    },
    when = command.AddUserActivityLog { ActivityType = "AUTHENTICATION" },
    as = { time = 1590423060000 },
    expect = { event.UserAuthenticated { At = 1590423060000 } },
    state = { Activities = { { At = 1590423056123 }, { At = 1590423060000 } } },
  },
  {
    "T19: rows lie at their start date, so a range has both bounds",
    feed = {
      to("c-1", "1", command.CreateConcert { Name = "Early" }),
      to("c-1", "2", command.ScheduleConcert { StartDate = 1000, EndDate = 9000 }),
      to("c-1", "3", command.PublishConcert {}),
      to("c-2", "4", command.CreateConcert { Name = "Late" }),
      to("c-2", "5", command.ScheduleConcert { StartDate = 2000, EndDate = 2001 }),
      to("c-2", "6", command.PublishConcert {}),
    },
    -- After 1000 and before 2001 is the range from 1001 to 2001, which has c-2 only.
    rows = {
      { "programme", 1000, "c-1", expect = { Name = "Early", StartDate = 1000, EndDate = 9000 } },
      { "programme", 2000, "c-2", expect = { Name = "Late", StartDate = 2000, EndDate = 2001 } },
      { "programme", 9000, "c-1", expect = false },
      { "programme", 2001, "c-2", expect = false },
    },
  },
  {
    "T20: a customer who has no cart has none, and using one does not make it",
    feed = { to("k-1", "1", command.AddCartItem { ItemId = "i-1", TicketTypeId = "t-1", Quantity = 1 }) },
    sent = { ["tickets.cart.events"] = {} },
    rows = { { "carts", "customer-1", expect = false } },
  },
  {
    "T20: a customer with two open carts is shown the first, and told of the other",
    feed = {
      to("k-2", "1", cart, 2000),
      to("k-1", "2", cart, 3000),
      to("k-0", "3", cart, 1000),
    },
    rows = { { "carts", "customer-1", expect = { CartId = "k-0", OtherCarts = { "k-2", "k-1" } } } },
  },
  {
    "T20: of two carts of the same moment the lower ID is shown",
    feed = { to("k-2", "1", cart, 1000), to("k-1", "2", cart, 1000) },
    rows = { { "carts", "customer-1", expect = { CartId = "k-1", OtherCarts = { "k-2" } } } },
  },
  {
    "T21: tickets may be free",
    stage = "concert",
    subject = "c-1",
    given = { created },
    when = command.CreateTicketType { TicketTypeId = "t-1", Name = "Guest", Price = 0.0, Quantity = 1 },
    expect = {
      event.ConcertTicketTypeAdded {
        Type = { Id = "t-1", Name = "Guest", PriceMinor = 0, Currency = "EUR", Quantity = 1 },
      },
    },
  },
}
