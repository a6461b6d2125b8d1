-- Each run of the benchmark has a copy of the app with names and sizes of its own here.
return {
  app = "shuffle-count",
  matches = "matches",
  output = "counts",
  partitions = 4,
  rate = 10,
  prefix = 0,
  schemas = "../../shuffle/schemas",
  object = "count.so",
}
