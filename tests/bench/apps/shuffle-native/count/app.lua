-- apps/shuffle/count with its handler in C: count.c.

local names = require("names")

return {
  name = names.app,
  schemas = names.schemas,
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
      stores = {
        states = { key = "string", value = "State" },
        full = { key = "string", value = "State", topic = names.output },
      },
      native = names.object,
      settings = { rate = names.rate, prefix = names.prefix },
    },
  },
}
