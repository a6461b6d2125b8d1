-- Each run of the benchmark has a copy of the app with names of its own here.
return { app = "totals", input = "totals.readings", output = "totals.totals", partitions = 4 }
