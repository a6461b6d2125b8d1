-- Tickets: concerts, venues, carts, users and the stock of each ticket type.
-- README.md has the rules, the topics and how to query the views.

return {
  name = "tickets",
  schemas = "../../../schemas/tickets",
  partitions = 4,

  topics = {
    -- Where clients write. Everything else comes from here.
    ["tickets.commands"] = { retention = "7d" },
    -- Views are rebuilt from these, so they keep everything.
    ["tickets.programme.facts"] = { retention = "forever" },
    ["tickets.venue.facts"] = { retention = "forever" },
    ["tickets.customer.carts"] = { retention = "forever" },
  },

  stages = {
    -- The write side: each aggregate's commands, in order, become numbered events.
    route = require("route"),
    concert = require("concert"),
    venue = require("venue"),
    cart = require("cart"),
    user = require("user"),
    inventory = require("inventory"),
    -- "When this event, then that command."
    policies = require("policies"),

    -- The read side.
    venues = require("venues"),
    concert_facts = require("concert_facts"),
    concert_places = require("concert_places"),
    programme = require("programme"),
    cart_facts = require("cart_facts"),
    carts = require("carts"),
    availability = require("availability"),
    users = require("users"),
    -- Gives what a view joins the key that it joins by.
    rekey = require("rekey"),
  },
}
