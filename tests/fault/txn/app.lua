-- The same running totals in one stage for each way in which ../txn_faults.py disturbs a transaction, and in one that
-- is left alone. Each reading makes one record on the stage's topic.

local names = {
  "init_producer_id", "add_partitions", "add_offsets", "txn_offset_commit", "end_txn", "undisturbed",
  "unheard", "unanswered", "late_commit", "late_offsets", "late_abort", "forgetful",
}

local topics = { ["txn.readings"] = { retention = "forever" } }
local stages = {}

for _, name in ipairs(names) do
  -- Every record of the output is counted, so none may be compacted away.
  topics["txn." .. name] = { compact = false, retention = "forever" }
  stages[name] = {
    kind = "project",
    from = "txn.readings",
    input = "Reading",
    versioned = false,
    stores = { totals = { key = "string", value = "Total", topic = "txn." .. name } },
    on = {
      Reading = fold { into = "totals", set = { Count = count(), Sum = sum("Amount"), Last = last("Amount") } },
    },
  }
end

return { name = "txn", schemas = "schemas", partitions = 4, topics = topics, stages = stages }
