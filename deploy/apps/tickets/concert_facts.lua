-- Each concert as its own events tell it. The rows go on to the programme, which joins venues to
-- them. A deleted concert keeps its row, with its status: a tombstone could not be joined to anything.

local rules = require("rules")

local function edit(stores, meta)
  local concert = stores.concert_facts:edit(meta.subject)
  concert.Version = meta.sequence
  return concert
end

local on = {}

function on.ConcertCreated(created, meta, stores)
  stores.concert_facts:put(meta.subject, {
    Id = meta.subject,
    Version = meta.sequence,
    Name = created.Name,
    VenueId = created.VenueId,
    ImageUrl = created.ImageUrl,
    Created = created.Created,
    Status = "DRAFT",
    TicketTypes = {},
  })
end

function on.ConcertScheduled(scheduled, meta, stores)
  local concert = edit(stores, meta)
  concert.StartDate = scheduled.StartDate
  concert.EndDate = scheduled.EndDate
end

function on.ConcertPublished(_, meta, stores)
  edit(stores, meta).Status = "PUBLISHED"
end

function on.ConcertDeleted(_, meta, stores)
  edit(stores, meta).Status = "DELETED"
end

function on.ConcertTicketTypeAdded(added, meta, stores)
  local types = edit(stores, meta).TicketTypes
  types[#types + 1] = added.Type
end

function on.ConcertTicketTypeRemoved(removed, meta, stores)
  rules.remove(edit(stores, meta).TicketTypes, removed.TicketTypeId)
end

return {
  kind = "project",
  from = "tickets.concert.events",
  stores = { concert_facts = { key = "string", value = "ConcertFact", topic = "tickets.concert.facts" } },
  on = on,
}
