local function reading(sensor, amount)
  return record.Reading { Sensor = sensor, Amount = amount }
end

local function measured(id, amount)
  return { "measured", subject = "s-1", id = id, record = reading("roof", amount) }
end

return {
  {
    "a transform stage sends its input on, and records of its own",
    feed = { measured("1", 99), measured("2", 100) },
    sent = {
      readings = { reading("roof", 99), reading("roof", 100) },
      alarms = { record.Alarm { Amount = 100 } },
    },
    rows = { { "totals", "roof", expect = { Count = 2, Sum = 199 } } },
  },
  {
    "a project stage that fails leaves no trace",
    stage = "totals",
    subject = "roof",
    given = { reading("roof", 5), reading("cellar", 7) },
    when = reading("roof", -1),
    rows = {
      { "totals", "roof", expect = { Count = 1, Sum = 5 } },
      { "totals", "cellar", expect = { Count = 1, Sum = 7 } },
    },
    dead = { ["native-totals-dlq"] = 1 },
  },
  {
    "an aggregate stage decides",
    stage = "budget",
    subject = "b-1",
    given = { event.Spent { Amount = 4 } },
    when = command.Spend { Amount = 6 },
    expect = { event.Spent { Amount = 6 } },
    state = { Used = 10 },
  },
  {
    "an aggregate stage rejects",
    stage = "budget",
    subject = "b-1",
    given = { event.Spent { Amount = 4 } },
    when = command.Spend { Amount = 7 },
    rejected = "too_much",
    state = { Used = 4 },
  },
}
