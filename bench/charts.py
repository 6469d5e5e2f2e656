"""Charts of what was measured: `python -m bench` draws them at its end, `python -m bench.charts` from latest.json.

Plain SVG with a title, axes in words and a logarithmic scale where sizes grow by tens; it follows light and dark.
"""

import json
import math
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from html import escape
from pathlib import Path

from bench.results import LATEST

WIDTH, HEIGHT, LEFT, RIGHT, TOP, BOTTOM = 640, 320, 70, 150, 40, 50
_STYLE = (
    "text{font:12px system-ui,sans-serif;fill:#333}.t{font-size:14px;font-weight:600}.g{stroke:#ddd}.a{stroke:#888}"
    ".l{fill:none;stroke-width:2}.s0{stroke:#0b6170}.s1{stroke:#b45309}.s2{stroke:#6d28d9}.s3{stroke:#64748b}"
    ".f0{fill:#0b6170}.f1{fill:#b45309}.f2{fill:#6d28d9}.f3{fill:#64748b}"
    "@media(prefers-color-scheme:dark){text{fill:#ddd}.g{stroke:#444}.a{stroke:#999}.s0{stroke:#5ec4d3}.f0{fill:#5ec4d3}"
    ".s1{stroke:#f0a45d}.f1{fill:#f0a45d}.s2{stroke:#b79cf5}.f2{fill:#b79cf5}.s3{stroke:#a3b1c2}.f3{fill:#a3b1c2}}"
)
Points = Sequence[tuple[float, float]]


@dataclass(frozen=True)
class Chart:
    """One picture. `series`: a name and its points; `sizes`: what stands under the points, in words."""

    title: str
    across: str
    up: str
    sizes: Sequence[tuple[float, str]]
    series: Sequence[tuple[str, Points]]
    by_tens: bool = True


_STORED = (("0", 0), ("10k", 10_000), ("100k", 100_000), ("1m", 1_000_000), ("5m", 5_000_000))
_PLANNED = (("1k", 1_000), ("10k", 10_000), ("100k", 100_000), ("1m", 1_000_000))
_WORKERS = (("", 1), ("_w2", 2), ("_w4", 4))
_SIDES = (("SQLite", ""), ("PostgreSQL", "_postgres"))


def charts(figures: dict[str, float]) -> dict[str, Chart]:
    """Return what can be drawn from these figures (name to median), by file name."""

    def points(pattern: str, steps: Sequence[tuple[str, int]], side: str) -> Points:
        named = ((size or 1, pattern.format(step, side=side)) for step, size in steps)
        return [(size, figures[name]) for size, name in named if name in figures]

    def of(pattern: str, steps: Sequence[tuple[str, int]]) -> list[tuple[str, Points]]:
        return [(name, points(pattern, steps, side)) for name, side in _SIDES]

    stored = [(size or 1, step) for step, size in _STORED]
    planned = [(size, step) for step, size in _PLANNED]
    workers = [(float(count), str(count)) for _, count in _WORKERS]
    rates = [
        (f"{who}, {name}", points(f"{key}_per_s{{side}}{{}}", _WORKERS, side))
        for name, side in _SIDES
        for who, key in (("Pumpline", "pumpline"), ("bare echo", "echo"))
    ]
    drawn = {
        "text-in-by-stored": Chart(
            "One text in, by messages stored",
            "messages stored",
            "microseconds",
            stored,
            of("text_in_{}_stored_us{side}", _STORED),
        ),
        "sweep-by-stored": Chart(
            "A beat of all jobs, nothing due",
            "messages stored",
            "milliseconds",
            stored,
            of("sweep_{}_stored_ms{side}", _STORED),
        ),
        "sweep-by-planned": Chart(
            "A beat of all jobs, nothing due",
            "reminders planned",
            "milliseconds",
            planned,
            of("sweep_idle_{}_ms{side}", _PLANNED),
        ),
        "queue-by-planned": Chart(
            "Queueing 1,000 due reminders",
            "reminders planned",
            "milliseconds",
            planned,
            of("queue_due_{}_ms{side}", _PLANNED),
        ),
        "texts-by-workers": Chart(
            "Texts a second, 16 at once", "web processes", "texts a second", workers, rates, by_tens=False
        ),
    }
    return {name: chart for name, chart in drawn.items() if any(len(found) > 1 for _, found in chart.series)}


def svg(chart: Chart) -> str:
    """Return the picture."""
    everything = [value for _, found in chart.series for _, value in found]
    top = _round_up(max(everything))
    low, high = chart.sizes[0][0], chart.sizes[-1][0]

    def x(size: float) -> float:
        share = math.log(size / low) / math.log(high / low) if chart.by_tens else (size - low) / (high - low)
        return LEFT + share * (WIDTH - LEFT - RIGHT)

    def y(value: float) -> float:
        return HEIGHT - BOTTOM - value / top * (HEIGHT - TOP - BOTTOM)

    parts = [f'<text class="t" x="{LEFT}" y="20">{escape(chart.title)}</text>']
    for n in range(5):
        value = top * n / 4
        parts.append(f'<line class="g" x1="{LEFT}" x2="{WIDTH - RIGHT}" y1="{y(value):.1f}" y2="{y(value):.1f}"/>')
        parts.append(f'<text x="{LEFT - 8}" y="{y(value) + 4:.1f}" text-anchor="end">{value:g}</text>')
    for size, words in chart.sizes:
        parts.append(f'<text x="{x(size):.1f}" y="{HEIGHT - BOTTOM + 18}" text-anchor="middle">{escape(words)}</text>')
    parts.append(
        f'<text x="{(LEFT + WIDTH - RIGHT) / 2}" y="{HEIGHT - 10}" text-anchor="middle">{escape(chart.across)}</text>'
    )
    parts.append(
        f'<text transform="translate(16 {HEIGHT / 2}) rotate(-90)" text-anchor="middle">{escape(chart.up)}</text>'
    )
    for n, (name, found) in enumerate(chart.series):
        if not found:
            continue
        line = " ".join(f"{x(size):.1f},{y(value):.1f}" for size, value in found)
        parts.append(f'<polyline class="l s{n}" points="{line}"/>')
        parts += [f'<circle class="f{n}" cx="{x(size):.1f}" cy="{y(value):.1f}" r="3"/>' for size, value in found]
        parts.append(f'<text class="f{n}" x="{WIDTH - RIGHT + 12}" y="{TOP + 16 + 18 * n}">{escape(name)}</text>')
    said = escape(f"{chart.title}; {chart.up} by {chart.across}")
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" width="{WIDTH}" height="{HEIGHT}" '
        f'role="img" aria-label="{said}"><style>{_STYLE}</style>{"".join(parts)}</svg>\n'
    )


def draw(results: Path = LATEST) -> list[Path]:
    """Draw every chart for which there are figures, beside them; return the files."""
    rows = json.loads(results.read_text(encoding="utf-8"))
    made = []
    for name, chart in charts({key: row["value"] for key, row in rows.items()}).items():
        made.append(results.parent / f"{name}.svg")
        made[-1].write_text(svg(chart), encoding="utf-8")
    return made


def _round_up(value: float) -> float:
    step: float = 10 ** math.floor(math.log10(value))
    return next(step * share for share in (1, 2, 4, 6, 8, 10) if step * share >= value)


if __name__ == "__main__":
    for made in draw(Path(sys.argv[1]) if len(sys.argv) > 1 else LATEST):
        print(made)
