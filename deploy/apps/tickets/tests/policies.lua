-- Carts and inventories together: what is in a cart is held, and nothing else is.

local counter = 0

-- A command to feed; IDs count up over the file.
local function to(subject, sent)
  counter = counter + 1
  return { "tickets.commands", subject = subject, id = "command-" .. counter, record = sent }
end

-- A record to feed straight into a stage's topic, to make a race end as the spec wants it.
local function straight(topic, subject, sent)
  local feed = to(subject, sent)
  feed[1] = topic
  return feed
end

local concert = command.CreateConcert { Name = "Jazz" }
local cart = command.CreateCart { CustomerId = "customer-1" }

local function offer(quantity)
  return command.CreateTicketType { TicketTypeId = "t-1", Name = "Regular", Price = 10.0, Quantity = quantity }
end

local function add(id, quantity)
  return command.AddCartItem { ItemId = id, TicketTypeId = "t-1", Quantity = quantity }
end

local function remove(id)
  return command.RemoveCartItem { ItemId = id }
end

local function stock(quantity, sold, held)
  return {
    "availability",
    "t-1",
    expect = { Quantity = quantity, Sold = sold, Held = held, Remaining = quantity - sold - held },
  }
end

-- The customer's cart with its items, each an ID and a quantity.
local function cart_with(...)
  local items = {}
  for i, item in ipairs { ... } do
    items[i] = { Id = item[1], TicketTypeId = "t-1", Quantity = item[2] }
  end
  return { "carts", "customer-1", expect = { CartId = "k-1", Items = items } }
end

return {
  {
    "a ticket type that is added creates its inventory",
    feed = { to("c-1", concert), to("c-1", offer(10)) },
    sent = {
      ["tickets.inventory.commands"] = {
        command.CreateTicketAvailability { ConcertId = "c-1", TicketTypeId = "t-1", Quantity = 10 },
      },
    },
    rows = { stock(10, 0, 0) },
  },
  {
    "an item that is added is reserved",
    feed = { to("c-1", concert), to("c-1", offer(10)), to("k-1", cart), to("k-1", add("i-1", 4)) },
    sent = {
      ["tickets.inventory.commands"] = {
        command.CreateTicketAvailability { ConcertId = "c-1", TicketTypeId = "t-1", Quantity = 10 },
        command.ReserveTickets { ReservationId = "k-1/1", CartId = "k-1", CartItemId = "i-1", Quantity = 4 },
      },
    },
    rows = { stock(10, 0, 4), cart_with { "i-1", 4 } },
  },
  {
    "the same type twice in a cart is reserved twice",
    feed = {
      to("c-1", concert),
      to("c-1", offer(10)),
      to("k-1", cart),
      to("k-1", add("i-1", 4)),
      to("k-1", add("i-2", 4)),
    },
    rows = { stock(10, 0, 8), cart_with({ "i-1", 4 }, { "i-2", 4 }) },
  },
  {
    "two carts may use the same item ID",
    feed = {
      to("c-1", concert),
      to("c-1", offer(10)),
      to("k-1", cart),
      to("k-2", command.CreateCart { CustomerId = "customer-2" }),
      to("k-1", add("i-1", 4)),
      to("k-2", add("i-1", 3)),
      to("k-2", remove("i-1")),
    },
    rows = { stock(10, 0, 4), cart_with { "i-1", 4 } },
  },
  {
    "an item that is removed is released",
    feed = {
      to("c-1", concert),
      to("c-1", offer(10)),
      to("k-1", cart),
      to("k-1", add("i-1", 4)),
      to("k-1", remove("i-1")),
    },
    sent = {
      ["tickets.inventory.events"] = {
        event.TicketAvailabilityCreated { ConcertId = "c-1", TicketTypeId = "t-1", Quantity = 10 },
        event.TicketReserved {
          ReservationId = "k-1/1",
          CartId = "k-1",
          CartItemId = "i-1",
          Quantity = 4,
          ExpiresAt = 900000,
          Remaining = 6,
        },
        event.TicketReservationCancelled {
          ReservationId = "k-1/1",
          CartId = "k-1",
          Quantity = 4,
          Cause = "REMOVED",
          Remaining = 10,
        },
      },
    },
    rows = { stock(10, 0, 0), cart_with() },
  },
  {
    "an item that was removed and comes again is reserved again",
    feed = {
      to("c-1", concert),
      to("c-1", offer(10)),
      to("k-1", cart),
      to("k-1", add("i-1", 4)),
      to("k-1", remove("i-1")),
      to("k-1", add("i-1", 5)),
    },
    rows = { stock(10, 0, 5), cart_with { "i-1", 5 } },
  },
  {
    "an item that is sold out leaves the cart, and nothing is released for it",
    feed = {
      to("c-1", concert),
      to("c-1", offer(10)),
      to("k-1", cart),
      to("k-1", add("i-1", 8)),
      to("k-1", add("i-2", 3)),
      to("k-1", add("i-3", 2)),
    },
    sent = {
      ["tickets.cart.events"] = {
        event.CartCreated { CustomerId = "customer-1" },
        event.CartItemAdded { Item = { Id = "i-1", TicketTypeId = "t-1", Quantity = 8 } },
        event.CartItemAdded { Item = { Id = "i-2", TicketTypeId = "t-1", Quantity = 3 } },
        event.CartItemRemoved {
          ItemId = "i-2",
          Cause = "SOLD_OUT",
          TicketTypeId = "t-1",
          Quantity = 3,
          ReservationId = "k-1/2",
        },
        event.CartItemAdded { Item = { Id = "i-3", TicketTypeId = "t-1", Quantity = 2 } },
      },
      ["tickets.inventory.commands"] = {
        command.CreateTicketAvailability { ConcertId = "c-1", TicketTypeId = "t-1", Quantity = 10 },
        command.ReserveTickets { ReservationId = "k-1/1", CartId = "k-1", CartItemId = "i-1", Quantity = 8 },
        command.ReserveTickets { ReservationId = "k-1/2", CartId = "k-1", CartItemId = "i-2", Quantity = 3 },
        command.ReserveTickets { ReservationId = "k-1/4", CartId = "k-1", CartItemId = "i-3", Quantity = 2 },
      },
    },
    rows = { stock(10, 0, 10), cart_with({ "i-1", 8 }, { "i-3", 2 }) },
  },
  {
    "an item of a type that nobody offers leaves the cart",
    feed = { to("k-1", cart), to("k-1", add("i-1", 1)) },
    rows = { cart_with(), { "availability", "t-1", expect = false } },
  },
  {
    "an item that came before its ticket type leaves the cart, and the type is sold afterwards",
    feed = {
      to("k-1", cart),
      to("k-1", add("i-1", 1)),
      to("c-1", concert),
      to("c-1", offer(10)),
      to("k-1", add("i-2", 1)),
    },
    rows = { cart_with { "i-2", 1 }, stock(10, 0, 1) },
  },
  {
    "race: an item is removed before its reservation is decided",
    feed = {
      straight("tickets.inventory.commands", "t-1", command.ReleaseTickets { ReservationId = "k-1/1", CartId = "k-1" }),
      to("c-1", concert),
      to("c-1", offer(10)),
      straight("tickets.inventory.commands", "t-1", command.ReserveTickets {
        ReservationId = "k-1/1",
        CartId = "k-1",
        CartItemId = "i-1",
        Quantity = 4,
      }),
    },
    rows = { stock(10, 0, 0) },
  },
  {
    "race: the same reservation is asked for twice, by two commands",
    feed = {
      to("c-1", concert),
      to("c-1", offer(10)),
      to("k-1", cart),
      to("k-1", add("i-1", 4)),
      straight("tickets.inventory.commands", "t-1", command.ReserveTickets {
        ReservationId = "k-1/1",
        CartId = "k-1",
        CartItemId = "i-1",
        Quantity = 4,
      }),
    },
    rows = { stock(10, 0, 4) },
  },
  {
    "race: the ticket type is removed while tickets are held",
    feed = {
      to("c-1", concert),
      to("c-1", offer(10)),
      to("k-1", cart),
      to("k-1", add("i-1", 4)),
      to("c-1", command.RemoveTicketType { TicketTypeId = "t-1" }),
      to("k-1", add("i-2", 1)),
    },
    rows = {
      cart_with { "i-1", 4 },
      { "availability", "t-1", expect = { Status = "WITHDRAWN", Quantity = 10, Held = 4, Remaining = 6 } },
    },
  },
  {
    "race: the inventory is created twice",
    feed = {
      to("c-1", concert),
      to("c-1", offer(10)),
      to("t-1", command.CreateTicketAvailability { ConcertId = "c-1", Quantity = 10 }),
    },
    rows = { stock(10, 0, 0) },
  },
  {
    "a concert that is deleted withdraws all its types",
    feed = {
      to("c-1", concert),
      to("c-1", offer(10)),
      to("c-1", command.CreateTicketType { TicketTypeId = "t-2", Name = "Box", PriceMinor = 9900, Quantity = 2 }),
      to("c-1", command.DeleteConcert {}),
    },
    rows = {
      { "availability", "t-1", expect = { Status = "WITHDRAWN" } },
      { "availability", "t-2", expect = { Status = "WITHDRAWN" } },
    },
  },
  {
    "held tickets that are confirmed are sold",
    feed = {
      to("c-1", concert),
      to("c-1", offer(10)),
      to("k-1", cart),
      to("k-1", add("i-1", 4)),
      to("k-1", add("i-2", 3)),
      to("t-1", command.ConfirmTickets { ReservationId = "k-1/1", OrderId = "o-1" }),
    },
    rows = { stock(10, 4, 3) },
  },
}
