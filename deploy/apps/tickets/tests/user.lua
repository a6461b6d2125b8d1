local created = event.UserCreated { FullName = "Ada Lovelace", Email = "ada@example.org" }

-- A user who has come in so many times, at 1, 2, 3, ...
local function history(authentications)
  local events = { created }
  for i = 1, authentications do
    events[#events + 1] = event.UserAuthenticated { At = i }
  end
  return events
end

local specs = {
  {
    "CreateUser: from the identity provider",
    stage = "user",
    subject = "u-1",
    when = command.CreateUser { Id = "u-1", FullName = "Ada Lovelace", Email = "ada@example.org" },
    expect = { created },
    state = { Id = "u-1", FullName = "Ada Lovelace", Email = "ada@example.org", Activities = {}, ActivityCount = 0 },
  },
  {
    "CreateUser: a user who is there",
    stage = "user",
    subject = "u-1",
    given = { created },
    when = command.CreateUser { FullName = "Ada Lovelace", Email = "ada@example.org" },
    rejected = "already_exists",
  },
  {
    "AddUserActivityLog: an authentication",
    stage = "user",
    subject = "u-1",
    given = { created },
    when = command.AddUserActivityLog { UserId = "u-1", ActivityType = "AUTHENTICATION" },
    as = { time = 1234 },
    expect = { event.UserAuthenticated { At = 1234 } },
    state = { Activities = { { Type = "AUTHENTICATION", At = 1234 } }, ActivityCount = 1 },
  },
  {
    "AddUserActivityLog: a user who is not there",
    stage = "user",
    subject = "u-1",
    when = command.AddUserActivityLog { ActivityType = "AUTHENTICATION" },
    rejected = "not_found",
  },
}

local last_fifty = {}
for i = 1, 50 do
  last_fifty[i] = { At = i + 1 }
end
specs[#specs + 1] = {
  "AddUserActivityLog: the state keeps the last fifty",
  stage = "user",
  subject = "u-1",
  given = history(50),
  when = command.AddUserActivityLog { ActivityType = "AUTHENTICATION" },
  as = { time = 51 },
  expect = { event.UserAuthenticated { At = 51 } },
  state = { Activities = last_fifty, ActivityCount = 51 },
}

for text, wrong in pairs {
  ["another ID"] = command.CreateUser { Id = "u-2", FullName = "Ada", Email = "a@b" },
  ["another ID, said the other way"] = command.CreateUser { UserId = "u-2", FullName = "Ada", Email = "a@b" },
  ["no name"] = command.CreateUser { FullName = "", Email = "a@b" },
  ["no address"] = command.CreateUser { FullName = "Ada", Email = " " },
  ["another user's activity"] = command.AddUserActivityLog { UserId = "u-2", ActivityType = "AUTHENTICATION" },
  ["an activity that nobody knows"] = command.AddUserActivityLog { ActivityType = "DANCING" },
} do
  specs[#specs + 1] = {
    "invalid for a user: " .. text,
    stage = "user",
    subject = "u-1",
    given = { created },
    when = wrong,
    rejected = "invalid",
  }
end

return specs
