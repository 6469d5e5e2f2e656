"""Instants that matter to a time zone: anywhere in it, and close to its clock changes."""

from datetime import UTC, datetime, timedelta
from functools import lru_cache
from zoneinfo import ZoneInfo, available_timezones

from hypothesis import strategies as st

FIRST_YEAR, LAST_YEAR = 1970, 2045  # before 1970 the database itself is a guess; past 2037 a rule takes over
SECOND = timedelta(seconds=1)

zones = st.sampled_from(sorted(available_timezones())).map(ZoneInfo)


@lru_cache(maxsize=4096)
def clock_changes(name: str, year: int) -> tuple[datetime, ...]:
    """Every instant of the year at which the zone's offset changes, found by asking it, to the second."""
    zone = ZoneInfo(name)
    start = datetime(year, 1, 1, tzinfo=UTC)
    found = []
    for day in range(366):
        low, high = start + timedelta(days=day), start + timedelta(days=day + 1)
        if low.astimezone(zone).utcoffset() == high.astimezone(zone).utcoffset():
            continue
        before = low.astimezone(zone).utcoffset()
        while high - low > SECOND:
            middle = low + (high - low) // SECOND // 2 * SECOND
            if middle.astimezone(zone).utcoffset() == before:
                low = middle
            else:
                high = middle
        found.append(high)
    return tuple(found)


@st.composite
def zones_and_instants(draw: st.DrawFn) -> tuple[ZoneInfo, datetime]:
    """A zone, and an instant that half of the time lies within three days of one of its clock changes."""
    zone = draw(zones)
    year = draw(st.integers(FIRST_YEAR, LAST_YEAR))
    if draw(st.booleans()) and (changes := clock_changes(zone.key, year)):
        near = timedelta(minutes=draw(st.integers(-3 * 24 * 60, 3 * 24 * 60)))
        return zone, draw(st.sampled_from(changes)) + near
    minute = draw(st.integers(0, 365 * 24 * 60))
    return zone, datetime(year, 1, 1, tzinfo=UTC) + timedelta(minutes=minute)
