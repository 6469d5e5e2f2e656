"""The drug in one pump on a line of time, from the last refill until it is surely empty: as a drawing, and in words.

Pure. The drawing is worked out here, so that the page needs no script and no style of its own.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal

from app.domain.pump import RefillDates
from app.web.language import gettext as _
from app.web.language import ngettext
from app.web.pump_curves import curves_of
from app.web.wording import amount, day

WIDTH, HEIGHT = 860, 268
LEFT, RIGHT, TOP, BOTTOM = 44, 844, 52, 234
_ROWS = (16, 32, 48)  # for words about days, above the drawing
_APART = 10  # the least between two of a row


@dataclass(frozen=True)
class Tick:
    at: str
    words: str
    look: str = "mid"


@dataclass(frozen=True)
class Mark:
    """An upright line for one day, with its words in a row of their own where they would lie on others."""

    x: str
    words: str
    kind: str  # today, plan, visit
    label_x: str
    label_y: int
    ends: bool  # the words end at the line, else they begin there


@dataclass(frozen=True)
class Chart:
    title: str
    said: str  # the whole drawing, for who does not see it
    fan: str
    fast: str
    nominal: str
    slow: str
    alarm_y: str
    alarm_x: str  # of its words, clear of the upright lines
    alarm_words: str
    empty_x: str
    days: tuple[Tick, ...]
    volumes: tuple[Tick, ...]
    marks: tuple[Mark, ...]


def pump_chart(
    filled_on: date,
    volume_ml: Decimal,
    alarm_ml: Decimal,
    dates: RefillDates,
    bends: Sequence[tuple[date, Decimal]],
    today: date,
    next_visit: date | None,
) -> Chart:
    """`bends`: days on which the dose changed, with what was nominally left then, in mL."""
    shown = [dates.late_empty_on, today, dates.plan_by, *([next_visit] if next_visit else [])]
    limit = filled_on + timedelta(days=max(3 * (dates.late_empty_on - filled_on).days, 30))
    last = min(max(shown), limit)
    span = max((last - filled_on).days, 1)

    def x(on: date) -> str:
        share = Decimal(min(max((on - filled_on).days, 0), span)) / span
        return f"{LEFT + share * (RIGHT - LEFT):.1f}"

    def y(volume: Decimal) -> str:
        return f"{BOTTOM - volume / volume_ml * (BOTTOM - TOP):.1f}"

    def points(line: Sequence[tuple[date, Decimal]]) -> list[str]:
        return [f"{x(on)},{y(left)}" for on, left in line]

    curves = curves_of(filled_on, volume_ml, dates, bends)
    fast, slow = points(curves.fast), points(curves.slow)
    marks = [(today, _("today"), "today"), (dates.plan_by, _plan_words(dates.plan_by, today), "plan")]
    if next_visit and next_visit <= last:
        marks.append((next_visit, _("visit %(day)s", day=day(next_visit, year=False, weekday=False)), "visit"))
    alarm_words = _("low-reservoir alarm, %(volume)s mL", volume=amount(alarm_ml))
    return Chart(
        title=title_of(dates, today, next_visit),
        said=_said(filled_on, dates, today, next_visit),
        fan=" ".join([*fast, *reversed(slow)]),
        fast=" ".join(fast),
        nominal=" ".join(points(curves.nominal)),
        slow=" ".join(slow),
        alarm_y=y(alarm_ml),
        alarm_x=_clear_of([float(x(on)) for on, *_words in sorted(marks)], max(150, 6 * len(alarm_words))),
        alarm_words=alarm_words,
        empty_x=x(dates.early_empty_on),
        days=_days(filled_on, last, x),
        volumes=tuple(Tick(y(part), amount(part)) for part in (volume_ml * n / 4 for n in range(5))),
        marks=_placed([(float(x(on)), words, kind) for on, words, kind in sorted(marks)]),
    )


def title_of(dates: RefillDates, today: date, next_visit: date | None) -> str:
    """Say what counts: when the drug may be gone, and how the next visit lies to it."""
    early = day(dates.early_empty_on, year=dates.early_empty_on.year != today.year)
    gone = dates.early_empty_on < today
    if next_visit == dates.early_empty_on:
        if gone:
            return _("If the pump runs fast it has been empty since %(day)s, the day of the next visit.", day=early)
        return _("If the pump runs fast it is empty on %(day)s, the day of the next visit.", day=early)
    if gone:
        first = _("If the pump runs fast it has been empty since %(day)s.", day=early)
    else:
        first = _("If the pump runs fast it is empty on %(day)s.", day=early)
    return f"{first} {_apart(dates.early_empty_on, next_visit, today)}"


def _apart(early: date, visit: date | None, today: date) -> str:
    if visit is None:
        return _("No visit is booked.")
    shown, days = day(visit, year=visit.year != today.year), (early - visit).days
    if days > 0:
        return ngettext(
            "The next visit is %(num)d day before that day: %(day)s.",
            "The next visit is %(num)d days before that day: %(day)s.",
            days,
            day=shown,
        )
    return ngettext(
        "The next visit is %(num)d day after that day: %(day)s.",
        "The next visit is %(num)d days after that day: %(day)s.",
        -days,
        day=shown,
    )


def _said(filled_on: date, dates: RefillDates, today: date, next_visit: date | None) -> str:
    def on(one: date) -> str:
        return day(one, weekday=False)

    flow = _(
        "Millilitres in the pump from %(filled)s. At nominal flow empty on %(nominal)s, running fast on %(early)s, "
        "running slow on %(late)s.",
        filled=on(filled_on),
        nominal=on(dates.empty_on),
        early=on(dates.early_empty_on),
        late=on(dates.late_empty_on),
    )
    by = on(dates.plan_by)
    plan = _("Plan-by was %(day)s.", day=by) if dates.plan_by < today else _("Plan-by is %(day)s.", day=by)
    visit = _("The next visit is on %(day)s.", day=on(next_visit)) if next_visit else _("No visit is booked.")
    return f"{flow} {plan} {visit}"


def _plan_words(plan_by: date, today: date) -> str:
    shown = day(plan_by, year=False, weekday=False)
    return _("plan-by %(day)s, passed", day=shown) if plan_by < today else _("plan-by %(day)s", day=shown)


def _days(filled_on: date, last: date, x: Callable[[date], str]) -> tuple[Tick, ...]:
    """Return the first days of months, as many as fit, and the day of the refill."""
    ticks = [Tick(x(filled_on), _("filled %(day)s", day=day(filled_on, year=False, weekday=False)), "start")]
    months, month = [], filled_on.replace(day=1)
    while (month := (month + timedelta(days=32)).replace(day=1)) <= last:
        months.append(month)
    every = max(1, -(-len(months) // 8))
    for one in months[every - 1 :: every]:
        place = x(one)
        if float(place) - LEFT > 110 and RIGHT - float(place) > 12:
            ticks.append(Tick(place, day(one, year=one.month == 1, weekday=False)))
    return tuple(ticks)


def _clear_of(lines: Sequence[float], wide: int) -> str:
    at = LEFT + 6.0
    for line in lines:
        at = line + 6 if at - 6 < line < at + wide else at
    return f"{at:.1f}"


def _placed(marks: Sequence[tuple[float, str, str]]) -> tuple[Mark, ...]:
    """Give each mark's words a row above the drawing in which they lie on no others, nor close to them."""
    taken: list[tuple[int, float, float]] = []
    placed = []
    for x, words, kind in marks:
        ends = x > (LEFT + RIGHT) / 2
        wide = len(words) * 6.6 + 8
        start, stop = (x - wide, x) if ends else (x, x + wide)
        row = next(
            (row for row in _ROWS if all(row != r or stop + _APART < a or start - _APART > b for r, a, b in taken)),
            _ROWS[-1],
        )
        taken.append((row, start, stop))
        placed.append(Mark(f"{x:.1f}", words, kind, f"{x - 6 if ends else x + 6:.1f}", row, ends))
    return tuple(placed)
