local rules = require("rules")

local function checked_out(meta)
  return reject("checked_out", ('Cart "%s" has been checked out.'):format(meta.subject))
end

local decide = {}

function decide.CreateCart(cart, command, meta)
  local wrong = rules.subject(meta, "CartId", command.CartId) or rules.required("CustomerId", command.CustomerId)
  if wrong then
    return wrong
  end
  if cart then
    return rules.already_exists("Cart", meta.subject)
  end
  return event.CartCreated { CustomerId = command.CustomerId }
end

function decide.AddCartItem(cart, command, meta)
  local wrong = rules.subject(meta, "CartId", command.CartId)
    or rules.required("ItemId", command.ItemId)
    or rules.required("TicketTypeId", command.TicketTypeId)
    or rules.at_least(1, "Quantity", command.Quantity)
  if wrong then
    return wrong
  end
  if not cart then
    return rules.not_found("Cart", meta.subject)
  end
  if cart.IsCheckedOut then
    return checked_out(meta)
  end
  if rules.find(cart.Items, command.ItemId) then
    return rules.already_exists("CartItem", command.ItemId)
  end
  return event.CartItemAdded {
    Item = { Id = command.ItemId, TicketTypeId = command.TicketTypeId, Quantity = command.Quantity },
  }
end

-- The item's ID, which clients may call ItemId or CartItemId, or nil and a rejection.
local function item_to_remove(command)
  local id = command.ItemId or command.CartItemId
  if id == nil then
    return nil, rules.invalid("One of ItemId and CartItemId is required.")
  end
  if command.CartItemId ~= nil and command.CartItemId ~= id then
    return nil, rules.invalid("ItemId and CartItemId differ.")
  end
  return id, rules.required("ItemId", id)
end

function decide.RemoveCartItem(cart, command, meta)
  local by_customer = command.Cause == "CUSTOMER"
  local id, wrong = item_to_remove(command)
  wrong = wrong or rules.subject(meta, "CartId", command.CartId)
  if not wrong and not by_customer and command.ReservationId == nil then
    wrong = rules.invalid("A removal with cause %s names the ReservationId.", command.Cause)
  end
  if wrong then
    return wrong
  end
  if not cart then
    return rules.not_found("Cart", meta.subject)
  end
  -- What the customer has checked out stays, but nobody can keep what is not to be had: the
  -- reservation may be rejected after the checkout.
  if cart.IsCheckedOut and by_customer then
    return checked_out(meta)
  end
  local _, line = rules.find(cart.Items, id)
  if not line or (command.ReservationId ~= nil and command.ReservationId ~= line.ReservationId) then
    return
  end
  return event.CartItemRemoved {
    ItemId = id,
    Cause = command.Cause,
    TicketTypeId = line.TicketTypeId,
    Quantity = line.Quantity,
    ReservationId = line.ReservationId,
  }
end

function decide.CheckOutCart(cart, command, meta)
  local wrong = rules.subject(meta, "CartId", command.CartId)
  if wrong then
    return wrong
  end
  if not cart then
    return rules.not_found("Cart", meta.subject)
  end
  if cart.IsCheckedOut then
    return checked_out(meta)
  end
  if #cart.Items == 0 then
    return reject("empty", "Cannot check out an empty cart.")
  end
  return event.CartCheckedOut {}
end

local evolve = {}

function evolve.CartCreated(_, created, meta)
  return record.Cart { Id = meta.subject, CustomerId = created.CustomerId, Items = {}, IsCheckedOut = false }
end

function evolve.CartItemAdded(cart, added, meta)
  local item = added.Item
  cart.Items[#cart.Items + 1] = {
    Id = item.Id,
    TicketTypeId = item.TicketTypeId,
    Quantity = item.Quantity,
    ReservationId = rules.reservation_id(meta.subject, meta.version),
  }
  return cart
end

function evolve.CartItemRemoved(cart, removed)
  rules.remove(cart.Items, removed.ItemId)
  return cart
end

function evolve.CartCheckedOut(cart)
  cart.IsCheckedOut = true
  return cart
end

return {
  kind = "aggregate",
  from = "tickets.cart.commands",
  to = "tickets.cart.events",
  results = "tickets.cart.results",
  state = "Cart",
  decide = decide,
  evolve = evolve,
}
