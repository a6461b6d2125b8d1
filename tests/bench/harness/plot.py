"""Bar charts in SVG: the median as a bar, the range of the rounds as a line over it."""

import html
import os
import re

from harness.results import cases, spread

FIGURES = {
    "records_per_second": "records a second",
    "cpu_per_million": "CPU seconds per million records",
    "peak_mib": "peak resident memory, MiB",
    "startup_seconds": "seconds from launch to the first commit",
    "restore_seconds": "seconds from an empty disk to ready",
    "restart_seconds": "seconds from launch after SIGKILL to the next commit",
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


def write(directory, data):
    """One file a case and figure; returns their paths."""
    paths = []
    for (workload, name, guarantee), case in cases(data["rows"]).items():
        for figure, title in FIGURES.items():
            bars = [(contender, spread(rows, figure)) for contender, rows in case.items() if spread(rows, figure)]
            if not bars:
                continue
            file = re.sub(r"[^a-z0-9]+", "-", f"{workload} {name} {guarantee} {figure}".lower()) + ".svg"
            where = f"{data['date'][:10]}, {data['machine']['processors']} processors"
            subtitle = f"{workload}, {name}, {guarantee}; {where}"
            with open(os.path.join(directory, file), "w", encoding="utf-8") as f:
                f.write(chart(title, subtitle, bars))
            paths.append(os.path.join(directory, file))
    return paths
