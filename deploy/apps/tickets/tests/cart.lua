local created = event.CartCreated { CustomerId = "customer-1" }
local checked_out = event.CartCheckedOut {}

local function added(id, ticket_type, quantity)
  return event.CartItemAdded { Item = { Id = id, TicketTypeId = ticket_type or "t-1", Quantity = quantity or 2 } }
end

local function removed(id, cause, reservation)
  return event.CartItemRemoved {
    ItemId = id,
    Cause = cause,
    TicketTypeId = "t-1",
    Quantity = 2,
    ReservationId = reservation,
  }
end

local function add(id, quantity)
  return command.AddCartItem { ItemId = id, TicketTypeId = "t-1", Quantity = quantity or 2 }
end

local specs = {
  {
    "CreateCart: for a customer",
    stage = "cart",
    subject = "k-1",
    when = command.CreateCart { CartId = "k-1", CustomerId = "customer-1" },
    expect = { created },
    state = { Id = "k-1", CustomerId = "customer-1", Items = {}, IsCheckedOut = false },
  },
  {
    "CreateCart: a cart that is there",
    stage = "cart",
    subject = "k-1",
    given = { created },
    when = command.CreateCart { CustomerId = "customer-1" },
    rejected = "already_exists",
  },
  {
    "CreateCart: a cart that was checked out is not created anew",
    stage = "cart",
    subject = "k-1",
    given = { created, added("i-1"), checked_out },
    when = command.CreateCart { CustomerId = "customer-1" },
    rejected = "already_exists",
  },
  {
    "AddCartItem: an item is named after the event that added it",
    stage = "cart",
    subject = "k-1",
    given = { created, added("i-1") },
    when = command.AddCartItem { CartId = "k-1", ItemId = "i-2", TicketTypeId = "t-1", Quantity = 3 },
    expect = { added("i-2", "t-1", 3) },
    state = {
      Items = {
        { Id = "i-1", TicketTypeId = "t-1", Quantity = 2, ReservationId = "k-1/1" },
        { Id = "i-2", TicketTypeId = "t-1", Quantity = 3, ReservationId = "k-1/2" },
      },
    },
  },
  {
    "AddCartItem: an item that is in the cart",
    stage = "cart",
    subject = "k-1",
    given = { created, added("i-1") },
    when = add("i-1"),
    rejected = "already_exists",
  },
  {
    "AddCartItem: an item that was removed may come again, for another reservation",
    stage = "cart",
    subject = "k-1",
    given = { created, added("i-1"), removed("i-1", "CUSTOMER", "k-1/1") },
    when = add("i-1"),
    expect = { added("i-1") },
    state = { Items = { { Id = "i-1", ReservationId = "k-1/3" } } },
  },
  {
    "AddCartItem: nothing is added to a checked-out cart",
    stage = "cart",
    subject = "k-1",
    given = { created, added("i-1"), checked_out },
    when = add("i-2"),
    rejected = "checked_out",
  },
  {
    "RemoveCartItem: one of two",
    stage = "cart",
    subject = "k-1",
    given = { created, added("i-1"), added("i-2") },
    when = command.RemoveCartItem { CartId = "k-1", ItemId = "i-1" },
    expect = { removed("i-1", "CUSTOMER", "k-1/1") },
    state = { Items = { { Id = "i-2" } } },
  },
  {
    "RemoveCartItem: the ID may be called CartItemId",
    stage = "cart",
    subject = "k-1",
    given = { created, added("i-1") },
    when = command.RemoveCartItem { CartItemId = "i-1" },
    expect = { removed("i-1", "CUSTOMER", "k-1/1") },
    state = { Items = {} },
  },
  {
    "RemoveCartItem: nothing happens when the item is not there",
    stage = "cart",
    subject = "k-1",
    given = { created, added("i-1") },
    when = command.RemoveCartItem { ItemId = "i-2" },
    no_change = true,
  },
  {
    "RemoveCartItem: nothing is taken from a checked-out cart",
    stage = "cart",
    subject = "k-1",
    given = { created, added("i-1"), checked_out },
    when = command.RemoveCartItem { ItemId = "i-1" },
    rejected = "checked_out",
  },
  {
    "RemoveCartItem: sold out",
    stage = "cart",
    subject = "k-1",
    given = { created, added("i-1") },
    when = command.RemoveCartItem { ItemId = "i-1", Cause = "SOLD_OUT", ReservationId = "k-1/1" },
    expect = { removed("i-1", "SOLD_OUT", "k-1/1") },
  },
  {
    "RemoveCartItem: sold out after the checkout, for what is not to be had cannot stay",
    stage = "cart",
    subject = "k-1",
    given = { created, added("i-1"), checked_out },
    when = command.RemoveCartItem { ItemId = "i-1", Cause = "SOLD_OUT", ReservationId = "k-1/1" },
    expect = { removed("i-1", "SOLD_OUT", "k-1/1") },
    state = { Items = {}, IsCheckedOut = true },
  },
  {
    "RemoveCartItem: the answer to an earlier reservation leaves the item that came again",
    stage = "cart",
    subject = "k-1",
    given = { created, added("i-1"), removed("i-1", "CUSTOMER", "k-1/1"), added("i-1") },
    when = command.RemoveCartItem { ItemId = "i-1", Cause = "SOLD_OUT", ReservationId = "k-1/1" },
    no_change = true,
  },
  {
    "RemoveCartItem: sold out, but the customer was faster",
    stage = "cart",
    subject = "k-1",
    given = { created, added("i-1"), removed("i-1", "CUSTOMER", "k-1/1") },
    when = command.RemoveCartItem { ItemId = "i-1", Cause = "SOLD_OUT", ReservationId = "k-1/1" },
    no_change = true,
  },
  {
    "CheckOutCart: a cart with an item",
    stage = "cart",
    subject = "k-1",
    given = { created, added("i-1") },
    when = command.CheckOutCart { CartId = "k-1" },
    expect = { checked_out },
    state = { IsCheckedOut = true },
  },
  {
    "CheckOutCart: not a second time",
    stage = "cart",
    subject = "k-1",
    given = { created, added("i-1"), checked_out },
    when = command.CheckOutCart {},
    rejected = "checked_out",
  },
  {
    "CheckOutCart: a cart that was emptied",
    stage = "cart",
    subject = "k-1",
    given = { created, added("i-1"), removed("i-1", "SOLD_OUT", "k-1/1") },
    when = command.CheckOutCart {},
    rejected = "empty",
  },
}

for text, wrong in pairs {
  ["a cart of nobody"] = command.CreateCart { CustomerId = "" },
  ["another cart's ID"] = command.CreateCart { CartId = "k-2", CustomerId = "customer-1" },
  ["an item for another cart"] = command.AddCartItem { CartId = "k-2", ItemId = "i", TicketTypeId = "t", Quantity = 1 },
  ["an item without an ID"] = add(""),
  ["no tickets"] = add("i-2", 0),
  ["a removal without an ID"] = command.RemoveCartItem {},
  ["a removal with an empty ID"] = command.RemoveCartItem { ItemId = "" },
  ["a removal of two different items"] = command.RemoveCartItem { ItemId = "i-1", CartItemId = "i-2" },
  ["a removal from another cart"] = command.RemoveCartItem { CartId = "k-2", ItemId = "i-1" },
  ["a policy's cause without its reservation"] = command.RemoveCartItem { ItemId = "i-1", Cause = "SOLD_OUT" },
  ["a checkout of another cart"] = command.CheckOutCart { CartId = "k-2" },
} do
  specs[#specs + 1] = {
    "invalid for a cart: " .. text,
    stage = "cart",
    subject = "k-1",
    given = { created, added("i-1") },
    when = wrong,
    rejected = "invalid",
  }
end

for name, unheard in pairs {
  AddCartItem = add("i-1"),
  RemoveCartItem = command.RemoveCartItem { ItemId = "i-1" },
  CheckOutCart = command.CheckOutCart {},
} do
  specs[#specs + 1] = {
    name .. ": a cart that is not there",
    stage = "cart",
    subject = "k-1",
    when = unheard,
    rejected = "not_found",
  }
end

return specs
