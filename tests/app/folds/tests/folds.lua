local function reading(day, amount)
  return event.Reading { SensorId = "s", Day = day, Amount = amount }
end

local MAX = math.maxinteger

return {
  {
    "every operator, nulls passed over",
    stage = "sensors",
    subject = "s",
    given = { reading(1, 5), reading(2, 9), reading(3), reading(4, 5) },
    when = reading(5, 7),
    rows = {
      {
        "totals",
        "s",
        expect = {
          Count = 4,
          Sum = 26,
          Least = 5,
          Most = 9,
          Last = 7,
          Top = { { Day = 2, Amount = 9 }, { Day = 5, Amount = 7 } },
        },
      },
    },
  },
  {
    "nothing was there yet",
    stage = "sensors",
    subject = "s",
    when = reading(1),
    rows = { { "totals", "s", expect = { Count = 0, Sum = 0, Top = {} } } },
  },
  {
    "a function changes the same row",
    stage = "sensors",
    subject = "s",
    given = { reading(1, 5), event.Renamed { Name = "roof" } },
    when = reading(2, 4),
    rows = { { "totals", "s", expect = { Name = "roof", Count = 2, Sum = 9 } } },
  },
  {
    "more than a long holds is a dead letter, and no trace of it is left",
    stage = "sensors",
    subject = "s",
    given = { reading(1, MAX) },
    when = reading(2, 1),
    dead = { ["folds-sensors-dlq"] = 1 },
    rows = { { "totals", "s", expect = { Count = 1, Sum = MAX, Least = MAX, Last = MAX } } },
  },
  {
    "rows by fields of the event",
    stage = "days",
    given = { reading(-3, 5), reading(4, 5) },
    when = reading(-3),
    rows = { { "days", -3, "s", expect = { Count = 2, Sum = 0 } }, { "days", 4, "s", expect = { Count = 1 } } },
  },
}
