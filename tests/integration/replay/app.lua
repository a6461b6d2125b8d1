-- For ../test_replay.py: a view that also sends, the same once more for at_least_once, an aggregate, and a stage that
-- keeps nothing. STEP is what the test changes in a copy: today's logic.

local STEP = 1

local function view(alerts, rows)
  return {
    kind = "project",
    from = "again.readings",
    to = { alerts },
    input = "Reading",
    versioned = false,
    stores = { totals = { key = "string", value = "Total", topic = rows } },
    on = {
      Reading = function(reading, meta, stores)
        local old = stores.totals:get(meta.key)
        local total = { Count = (old and old.Count or 0) + STEP, Sum = (old and old.Sum or 0) + reading.Amount }
        stores.totals:put(meta.key, total)
        send(alerts, meta.key, record.Total(total))
      end,
    },
  }
end

local counter = {
  kind = "aggregate",
  from = "again.commands",
  to = "again.events",
  results = "again.results",
  state = "Sum",
  decide = {
    Add = function(_, command)
      if command.Amount == 0 then return reject("nothing") end
      return event.Added { Amount = command.Amount }
    end,
  },
  evolve = {
    Added = function(sum, added)
      sum = sum or { Value = 0 }
      sum.Value = sum.Value + STEP * added.Amount
      return sum
    end,
  },
}

local copies = {
  kind = "transform",
  from = "again.readings",
  to = { "again.copies" },
  input = "Reading",
  on = { Reading = function(reading, meta) send("again.copies", meta.key, reading) end },
}

local counted = { compact = false, retention = "forever" }

return {
  name = "again",
  schemas = "schemas",
  partitions = 2,
  topics = {
    ["again.readings"] = counted,
    ["again.commands"] = counted,
    ["again.alerts"] = counted,
    ["again.repeats"] = counted,
    ["again.copies"] = counted,
  },
  stages = {
    view = view("again.alerts", "again.totals"),
    twice = view("again.repeats", "again.twice"),
    counter = counter,
    copies = copies,
  },
}
