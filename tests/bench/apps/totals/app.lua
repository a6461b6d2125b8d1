-- The benchmark's aggregate by key: how many readings a key has had, their sum, the last of them. Each
-- reading makes one record on the topic of totals.

local names = require("names")

local on = {}

function on.Reading(reading, meta, stores)
  local amount = reading.Amount
  local row = stores.totals:edit(meta.key)
  if row then
    row.Count = row.Count + 1
    row.Sum = row.Sum + amount
    row.Last = amount
  else
    stores.totals:put(meta.key, { Count = 1, Sum = amount, Last = amount })
  end
end

return {
  name = names.app,
  schemas = "schemas",
  partitions = names.partitions,
  -- Every record of the output is counted, so none may be compacted away.
  topics = { [names.input] = { retention = "forever" }, [names.output] = { compact = false, retention = "forever" } },
  stages = {
    totals = {
      kind = "project",
      from = names.input,
      input = "Reading",
      versioned = false,
      stores = { totals = { key = "string", value = "Total", topic = names.output } },
      on = on,
    },
  },
}
