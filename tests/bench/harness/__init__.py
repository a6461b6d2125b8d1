"""The side-by-side benchmark: contenders, what is measured of them, and how it is shown."""
