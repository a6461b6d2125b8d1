"""The table: one row a contender, median (min to max) of its rounds, and how it stands to the peer and the limit.

x Streams: median rate over the best median of any streams-* that made one output per input; x any: over that of any
streams-*, those too whose cache merged outputs; x raw: over that of raw.
CPU s/M: CPU seconds per million records, the start included; running: from the first commit on; broker: the broker's
for the same records. others: the share of the machine that neither contender nor broker used.
"""

from harness.results import cases, fastest, is_one_to_one, spread

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
    ("outputs", "outputs", "{:,.0f}"),
    ("others", "other_share", "{:.0%}"),
]
NONE = "-"


def ratio(value, other):
    return f"{value / other:.2f}" if value is not None and other else NONE


def cells(case, name, rows):
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
    ratios = ["x Streams", "x any", "x raw"]
    head = ["contender", "records/s", "min to max", *ratios, *[title for title, _, _ in COLUMNS], "rounds"]
    out = []
    for (workload, name, guarantee), case in cases(rows).items():
        out += ["", f"{workload}, {name}, {guarantee}"]
        out += aligned(without_empty([head] + [cells(case, contender, turns) for contender, turns in case.items()]))
    out += cost(rows)
    return "\n".join(out) + "\n"


def cost(rows):
    """What exactly-once costs: its rate beside that of at-least-once."""
    found, out = cases(rows), []
    for (workload, name, guarantee), case in found.items():
        other = found.get((workload, name, "at_least_once"), {})
        if guarantee != "exactly_once" or not other:
            continue
        out += ["", f"{workload}, {name}: records/s of exactly_once / at_least_once"]
        for contender, turns in case.items():
            once, least = spread(turns, "records_per_second"), spread(other.get(contender, []), "records_per_second")
            if once and least:
                out.append(f"{contender:28} {once[0] / least[0]:.2f}")
    return out
