-- The app of ../totals with its handler declared: the same topics, rows and records, and no Lua runs for a reading.

local names = require("names")

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
      on = {
        Reading = fold {
          into = "totals",
          set = { Count = count(), Sum = sum("Amount"), Last = last("Amount") },
        },
      },
    },
  },
}
