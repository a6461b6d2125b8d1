-- Sends what a view joins to where it is joined. A stage reads one topic by one key, so what belongs
-- together is first given the same key:
--
--   concert ------------------------------> programme  (by concert)
--      \-- by venue --> concert_places --by concert--^
--   venue --- by venue ------^
--   cart ---- by customer --> carts

local PROGRAMME = "tickets.programme.facts"
local VENUE = "tickets.venue.facts"
local CUSTOMER = "tickets.customer.carts"

local on = {}

function on.ConcertFact(concert)
  send(PROGRAMME, concert.Id, concert)
  if concert.VenueId then
    send(VENUE, concert.VenueId, record.ConcertVenue { ConcertId = concert.Id, VenueId = concert.VenueId })
  end
end

function on.VenueRow(venue)
  send(VENUE, venue.Id, venue)
end

function on.ConcertPlace(place)
  if place.Venue then
    send(PROGRAMME, place.ConcertId, place)
  end
end

function on.CartFact(cart)
  send(CUSTOMER, cart.CustomerId, cart)
end

return {
  kind = "transform",
  from = { "tickets.concert.facts", "tickets.venues", "tickets.concert.places", "tickets.cart.facts" },
  to = { PROGRAMME, VENUE, CUSTOMER },
  on = on,
}
