"""How many routine texts a phone gets about one patient: at most one a day, and three in any seven days."""

from collections.abc import Iterable
from datetime import date, timedelta
from functools import lru_cache

A_DAY = 1
IN_A_WEEK = 3
A_WEEK = timedelta(days=7)


def fits(day: date, others: Iterable[date]) -> bool:
    """Whether one more text on `day` keeps the cap, beside texts on the other days."""
    days = [other for other in others if abs(other - day) < A_WEEK]
    if days.count(day) >= A_DAY:
        return False
    days.append(day)
    starts = (day - timedelta(days=back) for back in range(A_WEEK.days))
    return all(sum(start <= other < start + A_WEEK for other in days) <= IN_A_WEEK for start in starts)


def fitting(days_before: Iterable[int]) -> tuple[int, ...]:
    """Return which of a ladder's days before the visit keep the cap, the latest first in line; largest first."""
    return _fitting(tuple(days_before))


@lru_cache(maxsize=256)  # every visit of a clinic asks it of the same ladder
def _fitting(days_before: tuple[int, ...]) -> tuple[int, ...]:
    visit = date(2000, 1, 1)
    kept: list[int] = []
    for days in sorted(set(days_before)):
        if fits(visit - timedelta(days=days), [visit - timedelta(days=other) for other in kept]):
            kept.append(days)
    return tuple(sorted(kept, reverse=True))


def first_free_day(today: date, busy: Iterable[date]) -> date:
    """Return the first day, today or later, on which one more text keeps the cap."""
    days = tuple(busy)
    day = today
    while not fits(day, days):
        day += timedelta(days=1)
    return day
