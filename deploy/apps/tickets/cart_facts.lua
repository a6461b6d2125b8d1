-- Each cart as its own events tell it. The rows go on to the view by customer.

local rules = require("rules")

local function edit(stores, meta)
  local cart = stores.cart_facts:edit(meta.subject)
  cart.Version = meta.sequence
  return cart
end

local on = {}

function on.CartCreated(created, meta, stores)
  stores.cart_facts:put(meta.subject, {
    Id = meta.subject,
    Version = meta.sequence,
    CustomerId = created.CustomerId,
    Created = meta.time,
    Items = {},
    IsCheckedOut = false,
  })
end

function on.CartItemAdded(added, meta, stores)
  local items = edit(stores, meta).Items
  items[#items + 1] = added.Item
end

function on.CartItemRemoved(removed, meta, stores)
  rules.remove(edit(stores, meta).Items, removed.ItemId)
end

function on.CartCheckedOut(_, meta, stores)
  edit(stores, meta).IsCheckedOut = true
end

return {
  kind = "project",
  from = "tickets.cart.events",
  stores = { cart_facts = { key = "string", value = "CartFact", topic = "tickets.cart.facts" } },
  on = on,
}
