local START, END = 1587414600000, 1587421800000 -- 2020-04-20, 20:30 and 22:30

local counter = 0

local function to(subject, sent, time)
  counter = counter + 1
  return { "tickets.commands", subject = subject, id = "command-" .. counter, record = sent, time = time }
end

local venue = command.CreateVenue { Name = "Ziggo Dome", Capacity = 17000, Address = "Amsterdam" }
local concert = command.CreateConcert { Name = "Mumford & Sons Live", VenueId = "v-1" }
local schedule = command.ScheduleConcert { StartDate = START, EndDate = END }
local publish = command.PublishConcert {}
local offer = command.CreateTicketType { TicketTypeId = "t-1", Name = "Regular Ticket", Price = 39.00, Quantity = 5000 }
local delete = command.DeleteConcert {}

local line = {
  ConcertId = "c-1",
  Name = "Mumford & Sons Live",
  VenueId = "v-1",
  VenueName = "Ziggo Dome",
  StartDate = START,
  EndDate = END,
}

-- What a concert with everything looks like, however it came about.
local complete = {
  {
    "concerts",
    "c-1",
    expect = {
      Id = "c-1",
      Version = 3,
      Name = "Mumford & Sons Live",
      Status = "PUBLISHED",
      StartDate = START,
      EndDate = END,
      VenueId = "v-1",
      Venue = { Id = "v-1", Name = "Ziggo Dome", Capacity = 17000, Address = "Amsterdam" },
      TicketTypes = { { Id = "t-1", Name = "Regular Ticket", PriceMinor = 3900, Currency = "EUR", Quantity = 5000 } },
    },
  },
  { "programme", START, "c-1", expect = line },
  { "programme", -1, "c-1", expect = false },
  { "programme_by_term", "mumford & sons live", START, "c-1", expect = line },
  { "programme_by_term", "sons live", START, "c-1", expect = line },
  { "programme_by_term", "ziggo dome", START, "c-1", expect = line },
  { "programme_by_term", "dome", START, "c-1", expect = line },
  { "programme_by_term", "dome", -1, "c-1", expect = false },
  { "programme_by_term", "Dome", START, "c-1", expect = false },
}

local specs = {
  {
    "venues: all fields",
    feed = {
      to("v-1", command.CreateVenue {
        Name = "Ziggo Dome",
        Capacity = 17000,
        Address = "Amsterdam",
        WebUrl = "http://x",
      }),
    },
    rows = {
      {
        "venues",
        "v-1",
        expect = {
          Id = "v-1",
          Name = "Ziggo Dome",
          Capacity = 17000,
          Address = "Amsterdam",
          WebUrl = "http://x",
          IsDeleted = false,
        },
      },
    },
  },
  {
    "venues: a deleted one says so",
    stage = "venues",
    subject = "v-1",
    given = { event.VenueCreated { Name = "Ziggo Dome", Capacity = 17000, Address = "Amsterdam" } },
    when = event.VenueDeleted {},
    rows = { { "venues", "v-1", expect = { Name = "Ziggo Dome", Version = 1, IsDeleted = true } } },
  },
  {
    "programme: a draft is not in it",
    feed = { to("v-1", venue), to("c-1", concert), to("c-1", schedule) },
    rows = {
      { "programme", START, "c-1", expect = false },
      { "programme_by_term", "dome", START, "c-1", expect = false },
      { "concerts", "c-1", expect = { Status = "DRAFT", StartDate = START } },
    },
  },
  {
    "programme: without a date a concert stands before all dates",
    feed = { to("v-1", venue), to("c-1", concert), to("c-1", publish) },
    rows = {
      { "programme", -1, "c-1", expect = { ConcertId = "c-1", VenueName = "Ziggo Dome" } },
      { "programme_by_term", "dome", -1, "c-1", expect = { ConcertId = "c-1" } },
    },
  },
  {
    "programme: another date moves the concert",
    feed = {
      to("v-1", venue),
      to("c-1", concert),
      to("c-1", publish),
      to("c-1", command.ScheduleConcert { StartDate = 1000, EndDate = 2000 }),
      to("c-1", schedule),
    },
    rows = {
      { "programme", 1000, "c-1", expect = false },
      { "programme_by_term", "dome", 1000, "c-1", expect = false },
      { "programme", START, "c-1", expect = line },
      { "programme_by_term", "dome", START, "c-1", expect = line },
    },
  },
  {
    "programme: only the end changes",
    feed = {
      to("c-1", concert),
      to("c-1", schedule),
      to("c-1", publish),
      to("c-1", command.ScheduleConcert { StartDate = START, EndDate = END + 1 }),
    },
    rows = {
      { "programme", START, "c-1", expect = { EndDate = END + 1 } },
      { "programme_by_term", "mumford & sons live", START, "c-1", expect = { EndDate = END + 1 } },
    },
  },
  {
    "programme: a deleted concert is in no view",
    feed = {
      to("v-1", venue),
      to("c-1", concert),
      to("c-1", schedule),
      to("c-1", publish),
      to("c-1", delete),
      to("c-1", command.ScheduleConcert { StartDate = 1000, EndDate = 2000 }),
    },
    rows = {
      { "concerts", "c-1", expect = false },
      { "programme", START, "c-1", expect = false },
      { "programme", 1000, "c-1", expect = false },
      { "programme_by_term", "dome", START, "c-1", expect = false },
    },
  },
  {
    "programme: a deleted concert stays away when its venue comes later",
    feed = { to("c-1", concert), to("c-1", schedule), to("c-1", publish), to("c-1", delete), to("v-1", venue) },
    rows = { { "concerts", "c-1", expect = false }, { "programme", START, "c-1", expect = false } },
  },
  {
    "programme: a concert without a venue",
    feed = { to("c-1", command.CreateConcert { Name = "Buskers" }), to("c-1", schedule), to("c-1", publish) },
    rows = {
      { "concerts", "c-1", expect = { Name = "Buskers", Status = "PUBLISHED" } },
      { "programme", START, "c-1", expect = { Name = "Buskers" } },
    },
  },
  {
    "programme: two concerts at one time",
    feed = {
      to("c-1", concert),
      to("c-1", schedule),
      to("c-1", publish),
      to("c-2", command.CreateConcert { Name = "Jazz" }),
      to("c-2", schedule),
      to("c-2", publish),
    },
    rows = {
      { "programme", START, "c-1", expect = { Name = "Mumford & Sons Live" } },
      { "programme", START, "c-2", expect = { Name = "Jazz" } },
    },
  },
  {
    "programme: a name with letters of several bytes is cut between letters",
    feed = {
      to("c-1", command.CreateConcert { Name = "Ça Ira " .. ("é"):rep(60) }),
      to("c-1", publish),
    },
    rows = {
      -- "Ça ira " takes 8 bytes, so 28 letters of 2 bytes fit into the first 64.
      { "programme_by_term", "Ça ira " .. ("é"):rep(28), -1, "c-1", expect = { ConcertId = "c-1" } },
      { "programme_by_term", "ira " .. ("é"):rep(30), -1, "c-1", expect = { ConcertId = "c-1" } },
      -- Behind "ra " a 31st letter would take bytes 64 and 65.
      { "programme_by_term", "ra " .. ("é"):rep(30), -1, "c-1", expect = { ConcertId = "c-1" } },
      { "programme_by_term", "é", -1, "c-1", expect = { ConcertId = "c-1" } },
    },
  },
  {
    "programme: no term begins inside a letter",
    feed = { to("c-1", command.CreateConcert { Name = "ÀÿÀ" }), to("c-1", publish) },
    rows = {
      { "programme_by_term", "ÀÿÀ", -1, "c-1", expect = { ConcertId = "c-1" } },
      { "programme_by_term", "ÿÀ", -1, "c-1", expect = { ConcertId = "c-1" } },
      { "programme_by_term", "\x80ÿÀ", -1, "c-1", expect = false },
      { "programme_by_term", "\xBFÀ", -1, "c-1", expect = false },
    },
  },
  {
    "programme: a removed ticket type leaves the detail",
    feed = { to("c-1", concert), to("c-1", offer), to("c-1", command.RemoveTicketType { TicketTypeId = "t-1" }) },
    rows = { { "concerts", "c-1", expect = { TicketTypes = {} } } },
  },
  {
    "programme: an older fact that comes late changes nothing",
    feed = {
      {
        "tickets.programme.facts",
        subject = "c-1",
        id = "1",
        record = record.ConcertFact {
          Id = "c-1",
          Version = 2,
          Name = "New",
          Created = 0,
          Status = "PUBLISHED",
          TicketTypes = {},
        },
      },
      {
        "tickets.programme.facts",
        subject = "c-1",
        id = "2",
        record = record.ConcertFact {
          Id = "c-1",
          Version = 1,
          Name = "Old",
          Created = 0,
          Status = "DRAFT",
          TicketTypes = {},
        },
      },
    },
    rows = {
      { "concerts", "c-1", expect = { Version = 2, Name = "New" } },
      { "programme", -1, "c-1", expect = { Name = "New" } },
    },
  },
  {
    "carts: items come and go",
    feed = {
      to("c-1", concert),
      to("c-1", offer),
      to("k-1", command.CreateCart { CustomerId = "customer-1" }, 1000),
      to("k-1", command.AddCartItem { ItemId = "i-1", TicketTypeId = "t-1", Quantity = 2 }),
      to("k-1", command.AddCartItem { ItemId = "i-2", TicketTypeId = "t-1", Quantity = 3 }),
      to("k-1", command.RemoveCartItem { CartItemId = "i-1" }),
    },
    rows = {
      {
        "carts",
        "customer-1",
        expect = {
          CustomerId = "customer-1",
          CartId = "k-1",
          Version = 3,
          Created = 1000,
          Items = { { Id = "i-2", TicketTypeId = "t-1", Quantity = 3 } },
          Quantity = 3,
          OtherCarts = {},
        },
      },
    },
  },
  {
    "carts: a checked-out cart disappears",
    feed = {
      to("c-1", concert),
      to("c-1", offer),
      to("k-1", command.CreateCart { CustomerId = "customer-1" }),
      to("k-1", command.AddCartItem { ItemId = "i-1", TicketTypeId = "t-1", Quantity = 2 }),
      to("k-1", command.CheckOutCart {}),
    },
    rows = {
      { "carts", "customer-1", expect = false },
      { "availability", "t-1", expect = { Held = 2, Remaining = 4998 } },
    },
  },
  {
    "carts: after a checkout the customer may begin another",
    feed = {
      to("c-1", concert),
      to("c-1", offer),
      to("k-1", command.CreateCart { CustomerId = "customer-1" }),
      to("k-1", command.AddCartItem { ItemId = "i-1", TicketTypeId = "t-1", Quantity = 2 }),
      to("k-1", command.CheckOutCart {}),
      to("k-2", command.CreateCart { CustomerId = "customer-1" }),
    },
    rows = { { "carts", "customer-1", expect = { CartId = "k-2", Items = {}, OtherCarts = {} } } },
  },
  {
    "carts: what comes after the checkout does not bring the cart back",
    feed = {
      {
        "tickets.customer.carts",
        subject = "customer-1",
        id = "1",
        record = record.CartFact {
          Id = "k-1",
          Version = 2,
          CustomerId = "customer-1",
          Created = 0,
          Items = { { Id = "i-1", TicketTypeId = "t-1", Quantity = 2 } },
          IsCheckedOut = true,
        },
      },
      {
        "tickets.customer.carts",
        subject = "customer-1",
        id = "2",
        record = record.CartFact {
          Id = "k-1",
          Version = 3,
          CustomerId = "customer-1",
          Created = 0,
          Items = {},
          IsCheckedOut = true,
        },
      },
    },
    rows = { { "carts", "customer-1", expect = false } },
  },
  {
    "availability: it follows reservations, releases and sales",
    feed = {
      to("t-1", command.CreateTicketAvailability { ConcertId = "c-1", Quantity = 10 }),
      to("t-1", command.ReserveTickets { ReservationId = "r-1", CartId = "k-1", CartItemId = "i-1", Quantity = 4 }),
      to("t-1", command.ReserveTickets { ReservationId = "r-2", CartId = "k-1", CartItemId = "i-2", Quantity = 3 }),
      to("t-1", command.ReserveTickets { ReservationId = "r-3", CartId = "k-1", CartItemId = "i-3", Quantity = 2 }),
      to("t-1", command.ReserveTickets { ReservationId = "r-4", CartId = "k-1", CartItemId = "i-4", Quantity = 2 }),
      to("t-1", command.ReleaseTickets { ReservationId = "r-2", CartId = "k-1" }),
      to("t-1", command.ReleaseTickets { ReservationId = "r-9", CartId = "k-1" }),
      to("t-1", command.ConfirmTickets { ReservationId = "r-1", OrderId = "o-1" }),
    },
    rows = {
      {
        "availability",
        "t-1",
        expect = {
          TicketTypeId = "t-1",
          ConcertId = "c-1",
          Status = "ON_SALE",
          Quantity = 10,
          Sold = 4,
          Held = 2,
          Remaining = 4,
        },
      },
    },
  },
  {
    "users: activities are counted",
    feed = {
      to("u-1", command.CreateUser { FullName = "Ada Lovelace", Email = "ada@example.org" }, 1000),
      to("u-1", command.AddUserActivityLog { ActivityType = "AUTHENTICATION" }, 2000),
      to("u-1", command.AddUserActivityLog { ActivityType = "AUTHENTICATION" }, 3000),
    },
    rows = {
      {
        "users",
        "u-1",
        expect = {
          FullName = "Ada Lovelace",
          Email = "ada@example.org",
          Created = 1000,
          LastAuthenticated = 3000,
          Authentications = 2,
        },
      },
    },
  },
}

-- The rows are the same wherever in the concert's life its venue becomes known.
local life = { { "c-1", concert }, { "c-1", schedule }, { "c-1", publish }, { "c-1", offer } }
for place = 1, #life + 1 do
  local feed = {}
  for i, step in ipairs(life) do
    if i == place then
      feed[#feed + 1] = to("v-1", venue)
    end
    feed[#feed + 1] = to(step[1], step[2])
  end
  if place > #life then
    feed[#feed + 1] = to("v-1", venue)
  end
  specs[#specs + 1] = {
    ("programme: the venue becomes known at step %d of the concert"):format(place),
    feed = feed,
    rows = complete,
  }
end

return specs
