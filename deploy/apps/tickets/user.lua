local rules = require("rules")

-- The state keeps the newest; the log keeps all.
local ACTIVITIES_MAX = 50

local decide = {}

function decide.CreateUser(user, command, meta)
  local wrong = rules.subject(meta, "Id", command.Id)
    or rules.subject(meta, "UserId", command.UserId)
    or rules.name("FullName", command.FullName)
    or rules.name("Email", command.Email)
  if wrong then
    return wrong
  end
  if user then
    return rules.already_exists("User", meta.subject)
  end
  return event.UserCreated { FullName = command.FullName, Email = command.Email }
end

function decide.AddUserActivityLog(user, command, meta)
  local wrong = rules.subject(meta, "UserId", command.UserId)
  if not wrong and command.ActivityType ~= "AUTHENTICATION" then
    wrong = rules.invalid("ActivityType must be AUTHENTICATION.")
  end
  if wrong then
    return wrong
  end
  if not user then
    return rules.not_found("User", meta.subject)
  end
  return event.UserAuthenticated { At = meta.time }
end

local evolve = {}

function evolve.UserCreated(_, created, meta)
  return record.User {
    Id = meta.subject,
    FullName = created.FullName,
    Email = created.Email,
    Activities = {},
    ActivityCount = 0,
  }
end

function evolve.UserAuthenticated(user, authenticated)
  if #user.Activities >= ACTIVITIES_MAX then
    table.remove(user.Activities, 1)
  end
  user.Activities[#user.Activities + 1] = { Type = "AUTHENTICATION", At = authenticated.At }
  user.ActivityCount = user.ActivityCount + 1
  return user
end

return {
  kind = "aggregate",
  from = "tickets.user.commands",
  to = "tickets.user.events",
  results = "tickets.user.results",
  state = "User",
  decide = decide,
  evolve = evolve,
}
