local rules = require("rules")

local decide = {}

function decide.CreateVenue(venue, command, meta)
  local wrong = rules.subject(meta, "VenueId", command.VenueId)
    or rules.name("Name", command.Name)
    or rules.required("Address", command.Address)
    or rules.at_least(0, "Capacity", command.Capacity)
  if wrong then
    return wrong
  end
  if venue then
    return rules.already_exists("Venue", meta.subject)
  end
  return event.VenueCreated {
    Name = command.Name,
    Description = rules.optional(command.Description),
    Capacity = command.Capacity,
    WebUrl = rules.optional(command.WebUrl),
    Address = command.Address,
  }
end

local evolve = {}

function evolve.VenueCreated(_, created, meta)
  return record.Venue {
    Id = meta.subject,
    Name = created.Name,
    Description = created.Description,
    Capacity = created.Capacity,
    WebUrl = created.WebUrl,
    Address = created.Address,
    IsDeleted = false,
  }
end

-- No command leads here, but a log that was brought from elsewhere may hold the event.
function evolve.VenueDeleted(venue)
  venue.IsDeleted = true
  return venue
end

return {
  kind = "aggregate",
  from = "tickets.venue.commands",
  to = "tickets.venue.events",
  results = "tickets.venue.results",
  state = "Venue",
  decide = decide,
  evolve = evolve,
}
