-- Which concerts are at a venue, and what the venue is: half of the join of concerts and venues.
-- Whichever comes second brings the two together, and the row says the same either way.

local on = {}

function on.ConcertVenue(link, _, stores)
  if stores.concert_places:get(link.VenueId, link.ConcertId) then
    return
  end
  stores.concert_places:put(link.VenueId, link.ConcertId, {
    ConcertId = link.ConcertId,
    VenueId = link.VenueId,
    Venue = stores.known_venues:get(link.VenueId),
  })
end

function on.VenueRow(venue, _, stores)
  local known = stores.known_venues:get(venue.Id)
  if known and known.Version >= venue.Version then
    return
  end
  stores.known_venues:put(venue.Id, venue)
  for _, venue_id, concert_id in stores.concert_places:scan(venue.Id) do
    stores.concert_places:edit(venue_id, concert_id).Venue = venue
  end
end

return {
  kind = "project",
  from = "tickets.venue.facts",
  versioned = false,
  stores = {
    known_venues = { key = "string", value = "VenueRow" },
    concert_places = { key = { "string", "string" }, value = "ConcertPlace", topic = "tickets.concert.places" },
  },
  on = on,
}
