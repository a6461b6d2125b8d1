-- Views: each concert with its venue and ticket types; the programme by date; the programme by any
-- part of the concert's or the venue's name.
--
-- The concert's own facts and its venue arrive in any order. Both are kept, and every row is made
-- from the newest of both, so the rows do not depend on the order.

local terms = require("terms")

-- Published concerts without a date stand before all dates.
local NO_DATE = -1

-- What the programme says of a concert; nothing unless it is published.
local function listing(part)
  local concert, venue = part.Concert, part.Venue
  if not concert or concert.Status ~= "PUBLISHED" then
    return nil
  end
  return {
    ConcertId = concert.Id,
    Name = concert.Name,
    VenueId = concert.VenueId,
    VenueName = venue and venue.Name,
    StartDate = concert.StartDate,
    EndDate = concert.EndDate,
  }
end

local function is_same(a, b)
  if not a or not b then
    return a == b
  end
  return a.Name == b.Name
    and a.VenueId == b.VenueId
    and a.VenueName == b.VenueName
    and a.StartDate == b.StartDate
    and a.EndDate == b.EndDate
end

local function unlist(stores, row)
  local date = row.StartDate or NO_DATE
  stores.programme:delete(date, row.ConcertId)
  for _, term in ipairs(terms(row.Name, row.VenueName)) do
    stores.programme_by_term:delete(term, date, row.ConcertId)
  end
end

local function list(stores, row)
  local date = row.StartDate or NO_DATE
  stores.programme:put(date, row.ConcertId, row)
  for _, term in ipairs(terms(row.Name, row.VenueName)) do
    stores.programme_by_term:put(term, date, row.ConcertId, row)
  end
end

local function relist(stores, before, after)
  if is_same(before, after) then
    return
  end
  if before then
    unlist(stores, before)
  end
  if after then
    list(stores, after)
  end
end

local function write_detail(stores, part)
  local concert = part.Concert
  if not concert then
    return
  end
  if concert.Status == "DELETED" then
    stores.concerts:delete(concert.Id)
    return
  end
  stores.concerts:put(concert.Id, {
    Id = concert.Id,
    Version = concert.Version,
    Name = concert.Name,
    Status = concert.Status,
    StartDate = concert.StartDate,
    EndDate = concert.EndDate,
    ImageUrl = concert.ImageUrl,
    Created = concert.Created,
    VenueId = concert.VenueId,
    Venue = part.Venue,
    TicketTypes = concert.TicketTypes,
  })
end

local function open_part(stores, concert_id)
  local part = stores.programme_parts:edit(concert_id)
  if not part then
    stores.programme_parts:put(concert_id, { ConcertId = concert_id })
    part = stores.programme_parts:edit(concert_id)
  end
  return part
end

-- Puts what has been heard into its half, unless the half is as new already.
local function hear(stores, concert_id, half, news)
  local part = open_part(stores, concert_id)
  if part[half] and part[half].Version >= news.Version then
    return
  end
  local before = listing(part)
  part[half] = news
  relist(stores, before, listing(part))
  write_detail(stores, part)
end

local on = {}

function on.ConcertFact(concert, _, stores)
  hear(stores, concert.Id, "Concert", concert)
end

function on.ConcertPlace(place, _, stores)
  hear(stores, place.ConcertId, "Venue", place.Venue)
end

return {
  kind = "project",
  from = "tickets.programme.facts",
  versioned = false,
  stores = {
    programme_parts = { key = "string", value = "ProgrammePart" },
    concerts = { key = "string", value = "ConcertRow", topic = "tickets.concerts" },
    programme = { key = { "long", "string" }, value = "ProgrammeRow" },
    programme_by_term = { key = { "string", "long", "string" }, value = "ProgrammeRow" },
  },
  on = on,
}
