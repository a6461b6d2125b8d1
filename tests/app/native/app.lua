-- A stage of each kind whose handlers are in C (handlers/); meson puts the objects beside a copy of this folder.

local route = {
  kind = "transform",
  from = "measured",
  to = { "readings", "alarms" },
  native = "../route.so",
  settings = { alarm_from = 100 },
}

local totals = {
  kind = "project",
  from = "readings",
  versioned = false,
  stores = { totals = { key = "string", value = "Total", topic = "totals" } },
  native = "../totals.so",
}

local budget = {
  kind = "aggregate",
  from = "budget.commands",
  to = "budget.events",
  state = "Budget",
  native = "../budget.so",
  settings = { limit = 10 },
}

return { name = "native", schemas = "schemas", stages = { route = route, totals = totals, budget = budget } }
