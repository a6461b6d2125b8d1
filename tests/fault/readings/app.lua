-- A stateless and a stateful stage, each as small as can be: readings are keyed by their sensor, and summed up. Every
-- reading makes one record on the topic of totals, so that what is lost or doubled is seen there.

local route = {
  kind = "transform",
  from = "readings.measured",
  to = { "readings.keyed" },
  input = "Reading",
  on = {
    Reading = function(reading)
      send("readings.keyed", reading.Sensor, reading)
    end,
  },
}

local totals = {
  kind = "project",
  from = "readings.keyed",
  input = "Reading",
  versioned = false,
  stores = { totals = { key = "string", value = "Total", topic = "readings.totals" } },
  on = {
    Reading = function(reading, meta, stores)
      local row = stores.totals:edit(meta.key) or stores.totals:put(meta.key, { Count = 0, Sum = 0 })
      row.Count = row.Count + 1
      row.Sum = row.Sum + reading.Amount
    end,
  },
}

return {
  name = "readings",
  schemas = "schemas",
  partitions = 4,
  topics = { ["readings.totals"] = { compact = false, retention = "forever" } },
  stages = { route = route, totals = totals },
}
