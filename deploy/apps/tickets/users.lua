-- View: users by ID.

local on = {}

function on.UserCreated(created, meta, stores)
  stores.users:put(meta.subject, {
    Id = meta.subject,
    FullName = created.FullName,
    Email = created.Email,
    Created = meta.time,
    Authentications = 0,
  })
end

function on.UserAuthenticated(authenticated, meta, stores)
  local user = stores.users:edit(meta.subject)
  user.LastAuthenticated = authenticated.At
  user.Authentications = user.Authentications + 1
end

return {
  kind = "project",
  from = "tickets.user.events",
  stores = { users = { key = "string", value = "UserRow", topic = "tickets.users" } },
  on = on,
}
