"""Local hours as instants, across clock changes.

A clock change makes two kinds of odd local times: those that never happen (a gap, at most a whole missing
day) and those that happen twice (a fold). Everything is computed on UTC instants, because arithmetic on
local datetimes ignores both.
"""

from datetime import UTC, date, datetime, time, timedelta
from functools import lru_cache
from zoneinfo import ZoneInfo

from scheduler.policy import Hours

_SECOND = timedelta(seconds=1)


def as_utc(at: datetime) -> datetime:
    """Return the same instant in UTC. Raises ValueError for a naive datetime, which names no instant."""
    if at.utcoffset() is None:
        raise ValueError("a datetime without a time zone names no instant: pass an aware one, in UTC")
    return at.astimezone(UTC)


@lru_cache(maxsize=8192)  # the days of one clinic are the same few hundred, and their patients thousands
def local_instant(day: date, at: time, zone: ZoneInfo) -> datetime:
    """Return the UTC instant when the wall clock in `zone` shows `at` on `day`.

    Shown twice: the first time. Never shown: the first instant after the gap, which is on a later
    day where the whole day is missing.
    """
    wall = datetime.combine(day, at)
    shown = wall.replace(tzinfo=zone, fold=0).astimezone(UTC)
    if _wall(shown, zone) == wall:
        return shown
    # In a gap, fold=0 counts with the offset before it and lands after it; fold=1 the other way round.
    return _clock_change(zone, wall.replace(tzinfo=zone, fold=1).astimezone(UTC), shown)


def next_allowed(at: datetime, zone: ZoneInfo, hours: Hours) -> datetime:
    """Return the first instant, `at` or later, when the wall clock in `zone` is inside `hours`; UTC."""
    return _next_allowed(as_utc(at), zone, hours)


@lru_cache(maxsize=8192)  # by UTC: of local times, the two of the hour that comes twice pass as equal
def _next_allowed(moment: datetime, zone: ZoneInfo, hours: Hours) -> datetime:
    while True:
        wall = _wall(moment, zone)
        if hours.contain(wall.time()):
            return moment
        opening = datetime.combine(wall.date(), hours.opens)
        if opening < wall:
            opening += timedelta(days=1)
        reached = moment + (opening - wall)
        if _offset(reached, zone) != _offset(moment, zone):
            reached = _clock_change(zone, moment, reached)  # may land inside the window: look again from there
        moment = reached


def _clock_change(zone: ZoneInfo, before: datetime, after: datetime) -> datetime:
    """Return the first instant whose UTC offset is no longer that of `before`; the offset of `after` must differ."""
    start = before.replace(microsecond=0)  # clocks change on whole seconds
    old = _offset(start, zone)
    unchanged, changed = 0, -((start - after) // _SECOND)  # rounds up
    while changed - unchanged > 1:
        middle = (unchanged + changed) // 2
        if _offset(start + middle * _SECOND, zone) == old:
            unchanged = middle
        else:
            changed = middle
    return start + changed * _SECOND


def _wall(at: datetime, zone: ZoneInfo) -> datetime:
    """Return what the wall clock shows, as a naive datetime."""
    return at.astimezone(zone).replace(tzinfo=None)


def _offset(at: datetime, zone: ZoneInfo) -> timedelta:
    """Return local time minus UTC at this instant."""
    return _wall(at, zone) - at.replace(tzinfo=None)
