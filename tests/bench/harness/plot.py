"""Bar charts in SVG: the median as a bar, the range of the rounds as a line over it."""

import html
import os
import re

from harness import growth
from harness.results import cases, cost, spread

FIGURES = {
    "records_per_second": "records a second",
    "cpu_per_million": "CPU seconds per million records",
    "peak_mib": "peak resident memory, MiB",
    "startup_seconds": "seconds from launch to the first commit",
    "restore_seconds": "seconds from an empty disk to ready",
    "restart_seconds": "seconds from launch after SIGKILL to the next commit",
    "idle_mib": "resident memory when all is done, MiB",
    "latency_p50_ms": "milliseconds from input to committed output, half of the records",
    "latency_p99_ms": "milliseconds from input to committed output, 99 of 100 records",
}
COLOURS = {"raw": "#9aa0a6", "streams": "#d9822b"}
OURS = "#2b6cb0"
LEFT, WIDTH, RIGHT, TOP, BAR, GAP = 230, 480, 110, 56, 20, 10


def colour(contender):
    return COLOURS.get(contender.split("-")[0], OURS)


def number(value):
    return f"{value:,.0f}" if value >= 100 else f"{value:.2f}"


def bar(i, name, values, scale):
    """One contender's row of the chart."""
    median, low, high = values
    y = TOP + i * (BAR + GAP)
    middle = y + BAR / 2
    end = LEFT + high * scale
    return [
        f'<text x="{LEFT - 8}" y="{middle + 4:.1f}" text-anchor="end">{html.escape(name)}</text>',
        f'<rect x="{LEFT}" y="{y}" width="{median * scale:.1f}" height="{BAR}" fill="{colour(name)}"/>',
        f'<path d="M{LEFT + low * scale:.1f} {middle:.1f}H{end:.1f}" stroke="#202124" stroke-width="1.5"/>',
        f'<text x="{max(end, LEFT + median * scale) + 6:.1f}" y="{middle + 4:.1f}">{number(median)}</text>',
    ]


def chart(title, subtitle, bars):
    """An SVG document; `bars` is [(name, (median, min, max))]."""
    scale = WIDTH / (max(values[2] for _, values in bars) or 1)
    height = TOP + len(bars) * (BAR + GAP) + GAP
    lines = [
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{LEFT + WIDTH + RIGHT}" height="{height}" '
        'font-family="sans-serif" font-size="12" fill="#202124">',
        '<rect width="100%" height="100%" fill="#ffffff"/>',
        f'<text x="12" y="22" font-size="15" font-weight="bold">{html.escape(title)}</text>',
        f'<text x="12" y="40" fill="#5f6368">{html.escape(subtitle)}</text>',
    ]
    for i, (name, values) in enumerate(bars):
        lines += bar(i, name, values, scale)
    return "\n".join(lines + ["</svg>"]) + "\n"


def charts(rows):
    """[(figure, title, what it is of, [(contender, (median, min, max))])]"""
    found = cases(row for row in rows if row["workload"] != growth.WORKLOAD)
    result = []
    for key, case in found.items():
        for figure, title in FIGURES.items():
            bars = [(contender, spread(turns, figure)) for contender, turns in case.items() if spread(turns, figure)]
            result.append((figure, title, ", ".join(key), bars))
        least = found.get((*key[:2], "at_least_once"), {}) if key[2] == "exactly_once" else {}
        costs = [(contender, cost(turns, least.get(contender, []))) for contender, turns in case.items()]
        bars = [(contender, (share, share, share)) for contender, share in costs if share is not None]
        result.append(("eos", "rate of exactly-once, where at-least-once is 1", ", ".join(key[:2]), bars))
    return result + growth.charts(rows)


def write(directory, data):
    """One file a chart that has bars; returns their paths."""
    paths = []
    where = f"{data['date'][:10]}, {data['machine']['processors']} processors"
    for figure, title, what, bars in charts(data["rows"]):
        if bars:
            path = os.path.join(directory, re.sub(r"[^a-z0-9]+", "-", f"{what} {figure}".lower()) + ".svg")
            with open(path, "w", encoding="utf-8") as f:
                f.write(chart(title, f"{what}; {where}", bars))
            paths.append(path)
    return paths
