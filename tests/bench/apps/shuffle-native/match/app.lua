-- apps/shuffle/match with its handler in C: match.c.

local names = require("names")

return {
  name = names.app,
  schemas = names.schemas,
  partitions = names.partitions,
  topics = { [names.input] = { retention = "forever" }, [names.matches] = { retention = "forever" } },
  stages = {
    match = {
      kind = "transform",
      from = names.input,
      input = "Line",
      to = names.matches,
      native = names.object,
      settings = { rules = names.rules },
    },
  },
}
