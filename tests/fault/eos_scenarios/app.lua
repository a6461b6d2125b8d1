-- What ../eos_scenarios.py runs; each scenario has topics of its own.

local topics, stages = {}, {}

local function rows(topic)
  return { key = "string", value = "Number", topic = topic }
end

-- Every record is counted, so none may be compacted away.
local function topic(name)
  topics[name] = { compact = false, retention = "forever" }
  return name
end

local function transform(name, from, to, handler)
  stages[name] = { kind = "transform", from = from, input = "Number", to = to, on = { Number = handler } }
end

local function project(name, from, to, handler)
  stages[name] = {
    kind = "project",
    from = from,
    input = "Number",
    versioned = false,
    stores = { rows = rows(to) },
    on = { Number = handler },
  }
end

local function add(number, meta, stores)
  local row = stores.rows:edit(meta.key)
  if row then
    row.Value = row.Value + number.Value
  else
    stores.rows:put(meta.key, number)
  end
end

-- The same numbers without and with state.
for _, name in ipairs { "fails", "fenced", "transactional" } do
  local from, copied = topic("scenarios." .. name .. ".in"), topic("scenarios." .. name .. ".copied")
  transform(name .. "_copy", from, copied, function(number, meta)
    send(copied, meta.key, number)
  end)
  project(name .. "_sums", from, topic("scenarios." .. name .. ".sums"), add)
end

-- Two stages, one after the other, with other keys between them.
local rekeyed = topic("scenarios.rekeyed")
transform("rekey", topic("scenarios.numbers"), rekeyed, function(number)
  send(rekeyed, "rest-" .. number.Value % 7, number)
end)
project("rekeyed_sums", rekeyed, topic("scenarios.rekeyed.sums"), add)

-- The last number of each key; null deletes it.
project("last", topic("scenarios.updates"), topic("scenarios.last"), function(number, meta, stores)
  if number then
    stores.rows:put(meta.key, number)
  else
    stores.rows:delete(meta.key)
  end
end)

topics["scenarios.numbers"].partitions = 4
topics["scenarios.rekeyed"].partitions = 3
topics["scenarios.rekeyed.sums"].partitions = 3

return { name = "scenarios", schemas = "schemas", partitions = 2, topics = topics, stages = stages }
