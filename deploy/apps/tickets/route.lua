-- Every command goes to its aggregate's own topic, keyed by the aggregate's ID, which is what puts all
-- commands of one aggregate into one partition and so into one order. The command keeps its ID.

local commands = {
  concert = {
    "CreateConcert", "ScheduleConcert", "PublishConcert", "DeleteConcert", "CreateTicketType", "RemoveTicketType",
  },
  venue = { "CreateVenue" },
  cart = { "CreateCart", "AddCartItem", "RemoveCartItem", "CheckOutCart" },
  user = { "CreateUser", "AddUserActivityLog" },
  inventory = {
    "CreateTicketAvailability", "WithdrawTicketAvailability", "ReserveTickets", "ReleaseTickets", "ConfirmTickets",
  },
}

local to, on = {}, {}

for aggregate, types in pairs(commands) do
  local topic = "tickets." .. aggregate .. ".commands"
  to[#to + 1] = topic
  for _, type_name in ipairs(types) do
    on[type_name] = function(command, meta)
      if not command then error(type_name .. " without a value", 0) end
      send(topic, meta.subject, command)
    end
  end
end

-- A type that has a schema but is no command: an event, a row.
on["*"] = function(_, meta)
  error(meta.type .. " is not a command of any aggregate", 0)
end

return { kind = "transform", from = "tickets.commands", to = to, on = on }
