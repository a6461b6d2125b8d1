-- A stage of each kind, one after the other: every value that a client has sent goes through all of them, once.
-- ../operations.py says who sends, who reads, and what is done to the stages meanwhile.

local move = {
  kind = "transform",
  from = { "oplog.sent" },
  to = { "oplog.commands" },
  on = {
    Sent = function(sent)
      send("oplog.commands", sent.Subject, command.Note { Value = sent.Value })
    end,
  },
}

local notes = {
  kind = "aggregate",
  from = "oplog.commands",
  to = "oplog.events",
  results = "oplog.results",
  state = "Notes",
  decide = {
    Note = function(_, command)
      return event.Noted { Value = command.Value }
    end,
  },
  evolve = {
    Noted = function(notes)
      notes = notes or record.Notes { Count = 0 }
      notes.Count = notes.Count + 1
      return notes
    end,
  },
}

local latest = {
  kind = "project",
  from = "oplog.events",
  stores = { latest = { key = "string", value = "Latest", topic = "oplog.latest" } },
  on = { Noted = fold { into = "latest", set = { Count = count(), Value = last("Value") } } },
}

return {
  name = "oplog",
  schemas = "schemas",
  partitions = 4,
  topics = {
    ["oplog.sent"] = { retention = "forever" },
    -- Every record of the output is counted, so none may be compacted away.
    ["oplog.latest"] = { compact = false, retention = "forever" },
  },
  stages = { move = move, notes = notes, latest = latest },
}
