local created = event.VenueCreated { Name = "Paradiso", Capacity = 1500, Address = "Amsterdam" }

local specs = {
  {
    "CreateVenue: all fields",
    stage = "venue",
    subject = "v-1",
    when = command.CreateVenue {
      VenueId = "v-1",
      Name = "Paradiso",
      Description = "A church once",
      Capacity = 1500,
      WebUrl = "http://x/p",
      Address = "Amsterdam",
    },
    expect = {
      event.VenueCreated {
        Name = "Paradiso",
        Description = "A church once",
        Capacity = 1500,
        WebUrl = "http://x/p",
        Address = "Amsterdam",
      },
    },
    state = { Id = "v-1", Description = "A church once", WebUrl = "http://x/p" },
  },
  {
    "CreateVenue: capacity is 0 where it is not stated, and empty texts are none",
    stage = "venue",
    subject = "v-1",
    when = command.CreateVenue { Name = "Paradiso", Address = "Amsterdam", Description = "", WebUrl = "" },
    expect = { event.VenueCreated { Name = "Paradiso", Capacity = 0, Address = "Amsterdam" } },
  },
  {
    "CreateVenue: a venue that is there",
    stage = "venue",
    subject = "v-1",
    given = { created },
    when = command.CreateVenue { Name = "Paradiso", Address = "Amsterdam" },
    rejected = "already_exists",
  },
  {
    "VenueDeleted: no command causes it, but it can be folded",
    stage = "venue",
    subject = "v-1",
    given = { created, event.VenueDeleted {} },
    when = command.CreateVenue { Name = "Paradiso", Address = "Amsterdam" },
    rejected = "already_exists",
    state = { IsDeleted = true },
  },
}

for text, wrong in pairs {
  ["another ID"] = command.CreateVenue { VenueId = "v-2", Name = "Paradiso", Address = "Amsterdam" },
  ["no name"] = command.CreateVenue { Name = "", Address = "Amsterdam" },
  ["a name of 256 characters"] = command.CreateVenue { Name = ("x"):rep(256), Address = "Amsterdam" },
  ["no address"] = command.CreateVenue { Name = "Paradiso", Address = "" },
  ["a negative capacity"] = command.CreateVenue { Name = "Paradiso", Address = "Amsterdam", Capacity = -1 },
} do
  specs[#specs + 1] = {
    "CreateVenue, invalid: " .. text,
    stage = "venue",
    subject = "v-1",
    when = wrong,
    rejected = "invalid",
  }
end

return specs
