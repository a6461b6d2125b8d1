-- Each run of the benchmark has a copy of the app with names and sizes of its own here.
return {
  app = "shuffle-match",
  input = "lines",
  matches = "matches",
  partitions = 4,
  rules = 1000,
  schemas = "../../shuffle/schemas",
  object = "match.so",
}
