-- ShuffleBench's consumer: each rule counts its lines. A state goes out and begins anew when it has counted `rate`.

local names = require("names")
local random = require("random")

local SEED, MASK = 0x1b873593cc9e2d51, 0x7fffffffffffffff

-- Not all rules make their first output at the same time.
local function first_count(key)
  local rule = math.tointeger(string.sub(key, 6))
  return (random.at(SEED, rule) & MASK) % names.rate
end

local on = {}

function on.Line(line, meta, stores)
  local data, key = line.Data, meta.key
  local row = stores.states:edit(key)
  if not row then
    stores.states:put(key, { Count = first_count(key), Sum = 0, Start = 0, End = 0, Prefix = "" })
    row = stores.states:edit(key)
  end
  row.Count = row.Count + 1
  row.Sum = row.Sum + string.unpack(">i8", data)
  if row.Count == 1 then row.Start = meta.timestamp end
  row.End = meta.timestamp
  row.Prefix = string.sub(data, 1, names.prefix)
  if row.Count == names.rate then
    stores.full:put(key, row)
    row.Count, row.Sum, row.Start, row.End, row.Prefix = 0, 0, 0, 0, ""
  end
end

return {
  name = names.app,
  schemas = "../schemas",
  partitions = names.partitions,
  -- Every record of the output is counted, so none may be compacted away.
  topics = {
    [names.matches] = { retention = "forever" },
    [names.output] = { compact = false, retention = "forever" },
  },
  stages = {
    count = {
      kind = "project",
      from = names.matches,
      versioned = false,
      -- A project stage does not send: what goes out is a row, of a store that keeps the last one of each rule.
      stores = {
        states = { key = "string", value = "State" },
        full = { key = "string", value = "State", topic = names.output },
      },
      on = on,
    },
  },
}
