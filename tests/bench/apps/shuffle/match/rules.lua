-- ShuffleBench's rules: ranges of equal width on a ring of 63 bits, which together match SELECTIVITY of a line on
-- average. The ring has slots, and a line is compared with the rules that reach into its slot only.

local random = require("random")

local SELECTIVITY, SEED = 0.2, 0x2e3fac4f58fc98b4
local MASK, SLOT_BITS, SLOTS = 0x7fffffffffffffff, 47, 65536

-- The rules of slot s stand from first[s + 1] to first[s + 2] - 1: their numbers in `rules`, where they begin in
-- `offsets`.
local function index(n)
  local width = math.floor(SELECTIVITY / n * 2.0 ^ 63)
  local at, first = {}, {}
  for slot = 1, SLOTS + 1 do first[slot] = 0 end
  for rule = 0, n - 1 do
    local offset = random.at(SEED, rule) & MASK
    at[rule] = offset
    for slot = offset >> SLOT_BITS, (offset + width - 1) >> SLOT_BITS do
      local here = slot % SLOTS + 1
      first[here] = first[here] + 1
    end
  end
  -- Counts become ends, and ends beginnings as the rules are put before them.
  first[1] = first[1] + 1
  for slot = 2, SLOTS + 1 do first[slot] = first[slot] + first[slot - 1] end
  local rules, offsets = {}, {}
  for place = 1, first[SLOTS + 1] - 1 do rules[place], offsets[place] = 0, 0 end
  for rule = n - 1, 0, -1 do
    local offset = at[rule]
    for slot = offset >> SLOT_BITS, (offset + width - 1) >> SLOT_BITS do
      local here = slot % SLOTS + 1
      local place = first[here] - 1
      rules[place], offsets[place], first[here] = rule, offset, place
    end
  end
  return { width = width, rules = rules, offsets = offsets, first = first }
end

return { index = index, mask = MASK, slot_bits = SLOT_BITS }
