-- Built-in operators of a project stage, beside a function and without one.

local sensors = {
  kind = "project",
  from = "readings",
  stores = { totals = { key = "string", value = "Total", topic = "totals" } },
  on = {
    Reading = fold {
      into = "totals",
      set = {
        Count = count("Amount"),
        Sum = sum("Amount"),
        Least = min("Amount"),
        Most = max("Amount"),
        Last = last("Amount"),
        Top = top(2, "Amount"),
      },
    },
    Renamed = function(event, meta, stores)
      local row = stores.totals:edit(meta.key) or stores.totals:put(meta.key, {})
      row.Name = event.Name
    end,
  },
}

local days = {
  kind = "project",
  from = "readings",
  versioned = false,
  stores = { days = { key = { "long", "string" }, value = "Total" } },
  on = {
    Reading = fold { into = "days", key = { "Day", "SensorId" }, set = { Count = count() } },
  },
}

return { name = "folds", schemas = "schemas", stages = { sensors = sensors, days = days } }
