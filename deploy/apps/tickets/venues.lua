-- View: venues by ID.

local on = {}

function on.VenueCreated(created, meta, stores)
  stores.venues:put(meta.subject, {
    Id = meta.subject,
    Version = meta.sequence,
    Name = created.Name,
    Description = created.Description,
    Capacity = created.Capacity,
    WebUrl = created.WebUrl,
    Address = created.Address,
    IsDeleted = false,
  })
end

function on.VenueDeleted(_, meta, stores)
  local venue = stores.venues:edit(meta.subject)
  venue.Version = meta.sequence
  venue.IsDeleted = true
end

return {
  kind = "project",
  from = "tickets.venue.events",
  stores = { venues = { key = "string", value = "VenueRow", topic = "tickets.venues" } },
  on = on,
}
