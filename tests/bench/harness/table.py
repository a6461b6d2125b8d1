"""The table: one row a contender, median (min to max) of its rounds, and how it stands to the peer and the limit.

x Streams: median rate over the best median of any streams-* that made one output per input; x any: over that of any
streams-*, those too whose cache merged outputs; x raw: over that of raw; x at-least-once: over its own of the other
guarantee.
CPU s/M: CPU seconds per million records, the start included; running: from the first commit on; broker: the broker's
for the same records. others: the share of the machine that neither contender nor broker used.
"""

from harness import growth
from harness.results import cases, cost, fastest, is_one_to_one, spread

# Title, figure, its format.
COLUMNS = [
    ("CPU s/M", "cpu_per_million", "{:.2f}"),
    ("running", "cpu_per_million_running", "{:.2f}"),
    ("broker", "broker_cpu_per_million", "{:.2f}"),
    ("peak MiB", "peak_mib", "{:.0f}"),
    ("start s", "startup_seconds", "{:.2f}"),
    ("restore s", "restore_seconds", "{:.2f}"),
    ("restored/s", "restored_per_second", "{:,.0f}"),
    ("restart s", "restart_seconds", "{:.2f}"),
    ("idle MiB", "idle_mib", "{:.0f}"),
    ("p50 ms", "latency_p50_ms", "{:.0f}"),
    ("p95 ms", "latency_p95_ms", "{:.0f}"),
    ("p99 ms", "latency_p99_ms", "{:.0f}"),
    ("max ms", "latency_max_ms", "{:.0f}"),
    ("outputs", "outputs", "{:,.0f}"),
    ("others", "other_share", "{:.0%}"),
]
NONE = "-"


def form_of(share):
    return f"{share:.2f}" if share is not None else NONE


def ratio(value, other):
    return form_of(value / other if value is not None and other else None)


def cells(case, name, rows, other):
    """`other`: the rows of at-least-once, where these are of exactly-once."""
    rate = spread(rows, "records_per_second")
    median = rate[0] if rate else None
    failed = sum(row["failed"] is not None for row in rows)
    return [
        name,
        f"{median:,.0f}" if rate else NONE,
        f"{rate[1]:,.0f} to {rate[2]:,.0f}" if rate else NONE,
        ratio(median, fastest(case, "streams", is_one_to_one)),
        ratio(median, fastest(case, "streams")),
        ratio(median, fastest({"raw": case.get("raw", [])}, "raw")),
        form_of(cost(rows, other)),
        *[form.format(spread(rows, figure)[0]) if spread(rows, figure) else NONE for _, figure, form in COLUMNS],
        str(len({row["round"] for row in rows})) + (f", {failed} FAILED" if failed else ""),
    ]


def without_empty(lines):
    """Only the columns that have something below their head."""
    kept = [i for i in range(len(lines[0])) if any(line[i] != NONE for line in lines[1:])]
    return [[line[i] for i in kept] for line in lines]


def aligned(lines):
    widths = [max(len(line[i]) for line in lines) for i in range(len(lines[0]))]
    return [
        "  ".join([line[0].ljust(widths[0]), *[cell.rjust(width) for cell, width in zip(line[1:], widths[1:])]])
        for line in lines
    ]


def text(rows):
    """All cases, each with a heading."""
    ratios = ["x Streams", "x any", "x raw", "x at-least-once"]
    head = ["contender", "records/s", "min to max", *ratios, *[title for title, _, _ in COLUMNS], "rounds"]
    out = []
    found = cases(row for row in rows if row["workload"] != growth.WORKLOAD)
    for (workload, name, guarantee), case in found.items():
        least = found.get((workload, name, "at_least_once"), {}) if guarantee == "exactly_once" else {}
        lines = [cells(case, contender, turns, least.get(contender, [])) for contender, turns in case.items()]
        out += ["", f"{workload}, {name}, {guarantee}", *aligned(without_empty([head, *lines]))]
    for heading, lines in growth.tables(rows):
        out += ["", heading, *aligned(lines)]
    return "\n".join(out) + "\n"
