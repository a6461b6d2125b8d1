-- Money is kept as a whole number of the minor unit. Clients may also send a decimal Price.

local rules = require("rules")

-- Far above any ticket, and far below where a double stops telling cents apart.
local MINOR_MAX = 1000000000000

-- The nearest whole number of cents, if that number of cents is the price that was written: 39.99
-- is no double, but it is the double nearest to 3999 / 100, and only such doubles are accepted.
local function cents(price)
  if not (price >= 0 and price * 100 <= MINOR_MAX) then
    return nil
  end
  local minor = math.floor(price * 100 + 0.5)
  if minor / 100 == price then
    return minor
  end
end

-- Returns minor units, or nil and a rejection. A price of 0 is fine: tickets may be free.
return function(command)
  if (command.Price == nil) == (command.PriceMinor == nil) then
    return nil, rules.invalid("One of Price and PriceMinor is required.")
  end
  if not command.Currency:find("^%u%u%u$") then
    return nil, rules.invalid("Currency must be three capital letters.")
  end
  if command.Price == nil then
    if command.PriceMinor < 0 or command.PriceMinor > MINOR_MAX then
      return nil, rules.invalid("PriceMinor must be from 0 to %d.", MINOR_MAX)
    end
    return command.PriceMinor
  end
  local minor = cents(command.Price)
  if not minor then
    return nil, rules.invalid("Price must be from 0 to %d, with at most two decimals.", MINOR_MAX // 100)
  end
  return minor
end
