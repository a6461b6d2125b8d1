"""What growth does: the median of each figure with 1, 2 and 4 times of one dimension, side by side."""

from harness.results import spread

WORKLOAD = "growth"
FACTORS = (1, 2, 4)
DIMENSIONS = {"keys": "keys", "partitions": "partitions", "bytes": "bytes a record"}
FIGURES = {
    "records_per_second": ("records/s", "{:,.0f}"),
    "cpu_per_million": ("CPU s/M", "{:.2f}"),
    "peak_mib": ("peak MiB", "{:.0f}"),
}
NONE = "-"


def steps(base):
    """(dimension, factor, sizes) of every case; with factor 1 once, as all dimensions share it."""
    yield "base", 1, base
    for dimension in DIMENSIONS:
        for factor in FACTORS[1:]:
            yield dimension, factor, {**base, dimension: base[dimension] * factor}


def at(rows, contender, dimension, factor):
    """The turns of one contender at one step that did not fail."""
    wanted = "base" if factor == 1 else dimension
    step = (contender, wanted, factor)
    return [r for r in rows if (r["contender"], r["dimension"], r["factor"]) == step and r["failed"] is None]


def by_guarantee(rows):
    """{guarantee: its rows}"""
    found = {}
    for row in rows:
        if row["workload"] == WORKLOAD:
            found.setdefault(row["guarantee"], []).append(row)
    return found


def tables(rows):
    """[(heading, lines)], one a guarantee: a line for each contender and dimension."""
    result = []
    for guarantee, turns in by_guarantee(rows).items():
        base = turns[0]
        sizes = ", ".join(f"{base[name]} {title}" for name, title in DIMENSIONS.items())
        head = ["contender", "more", *(f"{title} {f}x" for title, _ in FIGURES.values() for f in FACTORS)]
        lines = [
            [contender, dimension, *cells(turns, contender, dimension)]
            for contender in dict.fromkeys(row["contender"] for row in turns)
            for dimension in DIMENSIONS
        ]
        result.append((f"growth from {sizes}; {guarantee}", [head, *lines]))
    return result


def cells(rows, contender, dimension):
    found = [
        (spread(at(rows, contender, dimension, factor), figure), form)
        for figure, (_, form) in FIGURES.items()
        for factor in FACTORS
    ]
    return [form.format(values[0]) if values else NONE for values, form in found]


def charts(rows):
    """As plot.charts: one a guarantee, figure and dimension."""
    result = []
    for guarantee, turns in by_guarantee(rows).items():
        for figure, (title, _) in FIGURES.items():
            for dimension, name in DIMENSIONS.items():
                bars = [
                    (f"{contender}, {factor * turns[0][dimension]}", spread(found, figure))
                    for contender in dict.fromkeys(row["contender"] for row in turns)
                    for factor in FACTORS
                    if spread(found := at(turns, contender, dimension, factor), figure)
                ]
                result.append((figure, f"{title} by {name}", f"{WORKLOAD}, {dimension}, {guarantee}", bars))
    return result
