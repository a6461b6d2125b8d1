-- ShuffleBench's matcher: a line goes to every rule that it matches. An app of its own, because the tables of app.lua
-- are in the memory of every stage of it, and only the matcher needs the rules.

local names = require("names")
local random = require("random")
local rules = require("rules")

local MASK, SLOT_BITS, TO = rules.mask, rules.slot_bits, names.matches
local index = rules.index(names.rules)
local width = index.width

local on = {}

function on.Line(line)
  local first, second = string.unpack(">i8i8", line.Data)
  local hash = random.mix(first + random.mix(second)) & MASK
  local slot = (hash >> SLOT_BITS) + 1
  local offsets = index.offsets
  for place = index.first[slot], index.first[slot + 1] - 1 do
    if (hash - offsets[place]) & MASK < width then
      send(TO, "rule-" .. index.rules[place], line)
    end
  end
end

return {
  name = names.app,
  schemas = "../schemas",
  partitions = names.partitions,
  topics = { [names.input] = { retention = "forever" }, [names.matches] = { retention = "forever" } },
  stages = { match = { kind = "transform", from = names.input, input = "Line", to = names.matches, on = on } },
}
