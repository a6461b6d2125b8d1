local rules = require("rules")
local price = require("price")

-- Dates of the programme begin here: what has no date yet is listed at -1.
local FIRST_DATE = 0

local function is_taken(concert, ticket_type_id)
  if rules.find(concert.TicketTypes, ticket_type_id) then
    return true
  end
  for _, removed in ipairs(concert.RemovedTicketTypes) do
    if removed == ticket_type_id then
      return true
    end
  end
  return false
end

local decide = {}

function decide.CreateConcert(concert, command, meta)
  local wrong = rules.subject(meta, "ConcertId", command.ConcertId) or rules.name("Name", command.Name)
  if wrong then
    return wrong
  end
  if concert then
    return rules.already_exists("Concert", meta.subject)
  end
  return event.ConcertCreated {
    Name = command.Name,
    VenueId = rules.optional(command.VenueId),
    ImageUrl = rules.optional(command.ImageUrl),
    Created = meta.time,
  }
end

function decide.ScheduleConcert(concert, command, meta)
  local wrong = rules.subject(meta, "ConcertId", command.ConcertId)
    or rules.at_least(FIRST_DATE, "StartDate", command.StartDate)
  if wrong then
    return wrong
  end
  if command.EndDate <= command.StartDate then
    return rules.invalid("EndDate must be after StartDate.")
  end
  if not concert then
    return rules.not_found("Concert", meta.subject)
  end
  return event.ConcertScheduled { StartDate = command.StartDate, EndDate = command.EndDate }
end

function decide.PublishConcert(concert, command, meta)
  local wrong = rules.subject(meta, "Id", command.Id) or rules.subject(meta, "ConcertId", command.ConcertId)
  if wrong then
    return wrong
  end
  if not concert then
    return rules.not_found("Concert", meta.subject)
  end
  if concert.Status == "DRAFT" then
    return event.ConcertPublished {}
  end
end

function decide.DeleteConcert(concert, command, meta)
  local wrong = rules.subject(meta, "ConcertId", command.ConcertId)
  if wrong then
    return wrong
  end
  if not concert then
    return rules.not_found("Concert", meta.subject)
  end
  if concert.Status == "DELETED" then
    return
  end
  local on_offer = {}
  for i, ticket_type in ipairs(concert.TicketTypes) do
    on_offer[i] = ticket_type.Id
  end
  return event.ConcertDeleted { TicketTypeIds = on_offer }
end

function decide.CreateTicketType(concert, command, meta)
  local wrong = rules.subject(meta, "ConcertId", command.ConcertId)
    or rules.required("TicketTypeId", command.TicketTypeId)
    or rules.name("Name", command.Name)
    or rules.at_least(1, "Quantity", command.Quantity)
  if wrong then
    return wrong
  end
  local minor, wrong_price = price(command)
  if wrong_price then
    return wrong_price
  end
  if not concert then
    return rules.not_found("Concert", meta.subject)
  end
  if is_taken(concert, command.TicketTypeId) then
    return rules.already_exists("TicketType", command.TicketTypeId)
  end
  return event.ConcertTicketTypeAdded {
    Type = {
      Id = command.TicketTypeId,
      Name = command.Name,
      PriceMinor = minor,
      Currency = command.Currency,
      Quantity = command.Quantity,
    },
  }
end

function decide.RemoveTicketType(concert, command, meta)
  local wrong = rules.subject(meta, "ConcertId", command.ConcertId)
    or rules.required("TicketTypeId", command.TicketTypeId)
  if wrong then
    return wrong
  end
  if not concert then
    return rules.not_found("Concert", meta.subject)
  end
  if rules.find(concert.TicketTypes, command.TicketTypeId) then
    return event.ConcertTicketTypeRemoved { TicketTypeId = command.TicketTypeId }
  end
end

local evolve = {}

function evolve.ConcertCreated(_, created, meta)
  return record.Concert {
    Id = meta.subject,
    Name = created.Name,
    VenueId = created.VenueId,
    ImageUrl = created.ImageUrl,
    Status = "DRAFT",
    TicketTypes = {},
    RemovedTicketTypes = {},
    Created = created.Created,
  }
end

function evolve.ConcertScheduled(concert, scheduled)
  concert.StartDate = scheduled.StartDate
  concert.EndDate = scheduled.EndDate
  return concert
end

function evolve.ConcertPublished(concert)
  concert.Status = "PUBLISHED"
  return concert
end

function evolve.ConcertDeleted(concert)
  concert.Status = "DELETED"
  return concert
end

function evolve.ConcertTicketTypeAdded(concert, added)
  concert.TicketTypes[#concert.TicketTypes + 1] = added.Type
  return concert
end

function evolve.ConcertTicketTypeRemoved(concert, removed)
  rules.remove(concert.TicketTypes, removed.TicketTypeId)
  concert.RemovedTicketTypes[#concert.RemovedTicketTypes + 1] = removed.TicketTypeId
  return concert
end

return {
  kind = "aggregate",
  from = "tickets.concert.commands",
  to = "tickets.concert.events",
  results = "tickets.concert.results",
  state = "Concert",
  decide = decide,
  evolve = evolve,
}
