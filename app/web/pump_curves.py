"""What the drawing of a pump shows, as numbers: its three lines by the day, and the days that are marked. Pure."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from itertools import pairwise

from app.domain.pump import RefillDates

_TENTH, _NONE = Decimal("0.1"), Decimal(0)
HEADINGS = ("day", "runs fast, mL", "nominal, mL", "runs slow, mL", "what")


@dataclass(frozen=True)
class Curves:
    """Corners of the lines: a day, and what is in the reservoir then, in mL; straight in between."""

    fast: tuple[tuple[date, Decimal], ...]
    nominal: tuple[tuple[date, Decimal], ...]
    slow: tuple[tuple[date, Decimal], ...]


def curves_of(filled_on: date, volume_ml: Decimal, dates: RefillDates, bends: Sequence[tuple[date, Decimal]]) -> Curves:
    """`bends`: days on which the dose changed, with what was nominally left then, in mL."""
    band = _band(filled_on, dates)

    def line(factor: Decimal, empty_on: date) -> tuple[tuple[date, Decimal], ...]:
        between = [(on, volume_ml - (volume_ml - left) * factor) for on, left in bends if on < empty_on]
        return ((filled_on, volume_ml), *((on, max(left, _NONE)) for on, left in between), (empty_on, _NONE))

    return Curves(
        line(1 + band, dates.early_empty_on), line(Decimal(1), dates.empty_on), line(1 - band, dates.late_empty_on)
    )


def by_the_day(
    curves: Curves, dates: RefillDates, today: date, next_visit: date | None
) -> Iterator[tuple[str, Decimal, Decimal, Decimal, str]]:
    """Yield a row for each day from the refill until the pump is surely empty, and one for each marked day after it.

    The words are English for every reader: other programs read the file too.
    """
    first, last = curves.nominal[0][0], curves.slow[-1][0]
    marked = _marked(curves, dates, today, next_visit)
    days = [first + timedelta(days=n) for n in range((last - first).days + 1)]
    for on in [*days, *sorted(on for on in marked if on > last or on < first)]:
        left = [_at(line, on) for line in (curves.fast, curves.nominal, curves.slow)]
        yield on.isoformat(), left[0], left[1], left[2], "; ".join(marked.get(on, ()))


def _marked(curves: Curves, dates: RefillDates, today: date, next_visit: date | None) -> dict[date, list[str]]:
    said = [
        (curves.nominal[0][0], "filled"),
        *((on, "dose changed") for on, _left in curves.nominal[1:-1]),
        (dates.early_low_alarm_on, "low-reservoir alarm, runs fast"),
        (dates.low_alarm_on, "low-reservoir alarm, nominal"),
        (dates.late_low_alarm_on, "low-reservoir alarm, runs slow"),
        (dates.early_empty_on, "empty, runs fast"),
        (dates.empty_on, "empty, nominal"),
        (dates.late_empty_on, "empty, runs slow"),
        (dates.plan_by, "plan by"),
        (today, "today"),
    ]
    marked: dict[date, list[str]] = {}
    for on, words in [*said, *([(next_visit, "next visit")] if next_visit else [])]:
        marked.setdefault(on, []).append(words)
    return marked


def _at(line: Sequence[tuple[date, Decimal]], on: date) -> Decimal:
    """Return what the line says of a day, to a tenth of a millilitre."""
    for (start, before), (end, after) in pairwise(line):
        if start <= on < end:
            return (before - (before - after) * (on - start).days / (end - start).days).quantize(_TENTH)
    return line[0][1].quantize(_TENTH) if on < line[0][0] else _NONE.quantize(_TENTH)


def _band(filled_on: date, dates: RefillDates) -> Decimal:
    """Return by how much the pump may run fast, as the dates have it: a line bends by it, and ends at the date."""
    early, nominal = (dates.early_empty_on - filled_on).days, (dates.empty_on - filled_on).days
    return min(Decimal(nominal) / early - 1, Decimal("0.9")) if early > 0 else Decimal(0)
