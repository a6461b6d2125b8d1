-- What ../copier.py runs: for each way in which it disturbs them, copiers from two partitions to three, and one from
-- one partition to one, whose output must keep the order.

local disturbances = { "clients_killed", "clients_stopped", "brokers_killed", "brokers_stopped" }

local topics, stages = {}, {}

local function copy(name, inputs, outputs)
  local from, to = "copier." .. name .. ".in", "copier." .. name .. ".out"
  topics[from] = { partitions = inputs, retention = "forever" }
  topics[to] = { partitions = outputs, retention = "forever" }
  stages[name] = {
    kind = "transform",
    from = from,
    input = "Number",
    to = to,
    on = {
      Number = function(number, meta)
        send(to, meta.key, number)
      end,
    },
  }
end

for _, name in ipairs(disturbances) do
  copy(name, 2, 3)
  copy(name .. "_order", 1, 1)
end

return { name = "copier", schemas = "schemas", topics = topics, stages = stages }
