-- View: the open cart of a customer. A customer should have one; who opens a second sees it listed as
-- another cart, and the one that was created first is shown (of the same moment: the lower ID).

local function is_before(a, b)
  if a.Created ~= b.Created then
    return a.Created < b.Created
  end
  return a.Id < b.Id
end

-- IDs of the customer's open carts, the first created first.
local function open_carts(stores, customer_id)
  local carts = {}
  for cart in stores.customer_carts:scan(customer_id) do
    carts[#carts + 1] = { Id = cart.Id, Created = cart.Created }
  end
  table.sort(carts, is_before)
  return carts
end

local function tickets_in(items)
  local sum = 0
  for _, item in ipairs(items) do
    sum = sum + item.Quantity
  end
  return sum
end

local function show(stores, customer_id)
  local open = open_carts(stores, customer_id)
  if #open == 0 then
    stores.carts:delete(customer_id)
    return
  end
  local others = {}
  for i = 2, #open do
    others[i - 1] = open[i].Id
  end
  local cart = stores.customer_carts:get(customer_id, open[1].Id)
  stores.carts:put(customer_id, {
    CustomerId = customer_id,
    CartId = cart.Id,
    Version = cart.Version,
    Created = cart.Created,
    Items = cart.Items,
    Quantity = tickets_in(cart.Items),
    OtherCarts = others,
  })
end

local on = {}

function on.CartFact(cart, _, stores)
  local customer_id = cart.CustomerId
  local known = stores.customer_carts:get(customer_id, cart.Id)
  if cart.IsCheckedOut then
    if not known then
      return
    end
    stores.customer_carts:delete(customer_id, cart.Id)
  elseif known and known.Version >= cart.Version then
    return
  else
    stores.customer_carts:put(customer_id, cart.Id, cart)
  end
  show(stores, customer_id)
end

return {
  kind = "project",
  from = "tickets.customer.carts",
  versioned = false,
  stores = {
    customer_carts = { key = { "string", "string" }, value = "CartFact" },
    carts = { key = "string", value = "CartRow", topic = "tickets.carts" },
  },
  on = on,
}
