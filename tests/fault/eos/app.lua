-- What ../eos.py runs, after the client of Kafka's own exactly-once test:
--
--   data --> echo            the same records
--     |----> simple          min and sum of each key so far, from one handler
--     '----> repartition --> max, cnt
--
-- Each record makes one record on each topic of a stage, whether or not it changes the row.

local function kept(topic)
  return { key = "string", value = "Number", topic = topic }
end

local function copy_to(topic)
  return {
    kind = "transform",
    from = "eos.data",
    input = "Number",
    to = topic,
    on = {
      Number = function(number, meta)
        send(topic, meta.key, number)
      end,
    },
  }
end

local function folded(topic, operator)
  return {
    kind = "project",
    from = "eos.repartition",
    input = "Number",
    versioned = false,
    stores = { numbers = kept(topic) },
    on = { Number = fold { into = "numbers", set = { Value = operator } } },
  }
end

local simple = {
  kind = "project",
  from = "eos.data",
  input = "Number",
  versioned = false,
  stores = { min = kept("eos.min"), sum = kept("eos.sum") },
  on = {
    Number = function(number, meta, stores)
      local least = stores.min:get(meta.key)
      local total = stores.sum:get(meta.key)
      stores.min:put(meta.key, { Value = least and math.min(least.Value, number.Value) or number.Value })
      stores.sum:put(meta.key, { Value = (total and total.Value or 0) + number.Value })
    end,
  },
}

-- Every record of an output is counted, so none may be compacted away.
local topics = {}
for _, name in ipairs { "data", "echo", "min", "sum", "repartition", "max", "cnt" } do
  topics["eos." .. name] = { compact = false, retention = "forever" }
end

return {
  name = "eos",
  schemas = "schemas",
  partitions = 5,
  topics = topics,
  stages = {
    echo = copy_to("eos.echo"),
    repartition = copy_to("eos.repartition"),
    simple = simple,
    max = folded("eos.max", max("Value")),
    cnt = folded("eos.cnt", count()),
  },
}
