"""Charts as plain SVG, and the tables under them. Colours are classes: the page's style has them for light and dark."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from html import escape

WIDTH, HEIGHT = 720, 260
_LEFT, _RIGHT, _TOP, _BOTTOM = 54, 8, 14, 46
_TICKS = 4


@dataclass(frozen=True)
class _Scale:
    """Where a value stands between 0 and 1; `ticks` have a line."""

    top: float
    ticks: tuple[float, ...]
    decades: bool = False

    def height(self, value: float) -> float:
        if self.decades:
            return math.log10(1 + value) / math.log10(1 + self.top)
        return value / self.top


def columns(
    labels: Sequence[str],
    series: Mapping[str, Sequence[float]],
    *,
    unit: str,
    title: str,
    stacked: bool = False,
    decades: bool = False,
) -> str:
    """Draw columns for each label, side by side or stacked; a series has the class s0, s1 ... in its order.

    `decades`: each line is ten times the one below, so that 1 is seen beside 1,000.
    """
    totals = [sum(values) for values in zip(*series.values(), strict=True)] if stacked else []
    scale = _scale(max([*totals, *(v for values in series.values() for v in values)], default=0.0), decades=decades)
    plot_width, plot_height = WIDTH - _LEFT - _RIGHT, HEIGHT - _TOP - _BOTTOM
    slot = plot_width / max(1, len(labels))
    parts = [*_grid(scale, plot_height, unit)]
    for place, label in enumerate(labels):
        x = _LEFT + slot * place
        below = 0.0
        wide = slot * 0.72 / (1 if stacked else len(series))
        for number, (name, values) in enumerate(series.items()):
            value = values[place]
            height = plot_height * scale.height(value)
            left = x + slot * 0.14 + (0 if stacked else wide * number)
            y = _TOP + plot_height - height - below
            said = f"{label}: {name} {_figure(value)} {unit}"
            parts.append(
                f'<rect class="s{number}" x="{left:.1f}" y="{y:.1f}" width="{wide - 1:.1f}" height="{height:.1f}">'
                f"<title>{escape(said)}</title></rect>"
            )
            if not stacked and (value or decades) and len(labels) <= 12:
                parts.append(f'<text class="value" x="{left + wide / 2:.1f}" y="{y - 3:.1f}">{_figure(value)}</text>')
            below += height if stacked else 0
        parts.append(_label(label, x + slot / 2, HEIGHT - _BOTTOM + 16))
    return _svg(parts, title) + _key(list(series))


def _scale(highest: float, *, decades: bool) -> _Scale:
    if decades:
        powers = [0.0, *(10.0**power for power in range(max(1, math.ceil(math.log10(1 + highest))) + 1))]
        return _Scale(powers[-1], tuple(powers), decades=True)
    top = _round_up(highest)
    return _Scale(top, tuple(top * tick / _TICKS for tick in range(_TICKS + 1)))


def _grid(scale: _Scale, plot_height: float, unit: str) -> list[str]:
    parts = []
    for tick in scale.ticks:
        y = _TOP + plot_height * (1 - scale.height(tick))
        parts.append(f'<line class="grid" x1="{_LEFT}" x2="{WIDTH - _RIGHT}" y1="{y:.1f}" y2="{y:.1f}"/>')
        parts.append(f'<text class="tick" x="{_LEFT - 6}" y="{y + 4:.1f}">{_figure(tick)}</text>')
    parts.append(f'<text class="unit" x="{_LEFT}" y="{HEIGHT - 6}">{escape(unit)}</text>')
    return parts


def _label(label: str, x: float, y: float) -> str:
    return f'<text class="label" x="{x:.1f}" y="{y}">{escape(label)}</text>'


def _svg(parts: Sequence[str], title: str) -> str:
    return f'<svg viewBox="0 0 {WIDTH} {HEIGHT}" role="img" aria-label="{escape(title)}">{"".join(parts)}</svg>'


def _key(names: Sequence[str]) -> str:
    items = "".join(f'<li><span class="swatch s{n}"></span>{escape(name)}</li>' for n, name in enumerate(names))
    return f'<ul class="key">{items}</ul>' if len(names) > 1 else ""


def _round_up(value: float) -> float:
    """Return a round number not less than it, so that four equal steps are round too."""
    if value <= 0:
        return 1.0
    step = 1.0
    while step * 10 < value:
        step *= 10
    while step > value:
        step /= 10
    return next(step * times for times in (1, 2, 4, 6, 8, 10) if step * times >= value)


def _figure(value: float) -> str:
    return f"{value:,.0f}" if value == int(value) else f"{value:.3g}"


def table(headings: Sequence[str], rows: Sequence[Sequence[object]]) -> str:
    """Write a table; the first column names the row, the others are figures."""
    head = "".join(f'<th scope="col">{escape(heading)}</th>' for heading in headings)
    body = "".join(
        f'<tr><th scope="row">{escape(str(row[0]))}</th>'
        + "".join(f"<td>{escape(_cell(cell))}</td>" for cell in row[1:])
        + "</tr>"
        for row in rows
    )
    return f'<div class="wide"><table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table></div>'


def _cell(cell: object) -> str:
    if cell is None:
        return "-"
    return _figure(cell) if isinstance(cell, int | float) else str(cell)


def figure(title: str, chart: str, under: str, note: str = "") -> str:
    """Put a chart under a sentence that says what it shows, and its figures below it."""
    said = f"<p>{escape(note)}</p>" if note else ""
    return f"<section><h2>{escape(title)}</h2>{said}<figure>{chart}</figure>{under}</section>"
