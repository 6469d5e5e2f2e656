"""When a clinic sees patients: places on each weekday, hours and slots, closed days; and which slots are still free.

All days and times of day are those of the clinic's own clock.
"""

import math
from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from functools import cached_property
from typing import Literal

MOST_PLACES = 200
SLOT_MINUTES = (10, 15, 20, 30, 40, 45, 60, 90, 120)
WEEKDAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")

# Why a visit on a day asks for a reason; never a refusal: a pump near empty beats a full day.
Room = Literal["", "closed", "no places", "full"]


@dataclass(frozen=True)
class VisitHours:
    """What a clinic has chosen. `places`: visits a day, Monday first; 0 where none are planned.

    Raises ValueError, naming field and remedy, for values that give no schedule.
    """

    places: tuple[int, ...] = (8, 8, 8, 8, 8, 0, 0)
    opens: time = time(8)
    closes: time = time(16)
    slot_minutes: int = 30

    def __post_init__(self) -> None:
        if len(self.places) != len(WEEKDAYS):
            raise ValueError("places: give seven numbers, Monday first, for example 8,8,8,8,8,0,0")
        for places in self.places:
            if isinstance(places, bool) or not 0 <= places <= MOST_PLACES:
                raise ValueError(f"places must be from 0 to {MOST_PLACES} a day")
        if self.slot_minutes not in SLOT_MINUTES:
            raise ValueError(f"slot minutes must be one of {', '.join(map(str, SLOT_MINUTES))}")
        if any(at.tzinfo is not None or at.second or at.microsecond for at in (self.opens, self.closes)):
            raise ValueError("hours are plain times of day, for example 08:00 and 16:00")
        if _minutes(self.closes) - _minutes(self.opens) < self.slot_minutes:
            raise ValueError("closing must come at least one slot after opening, for example 08:00 and 16:00")

    def places_on(self, day: date) -> int:
        return self.places[day.weekday()]

    @cached_property
    def slots(self) -> tuple[time, ...]:
        """Return when the day's slots begin: as many as fit whole between opening and closing."""
        first, last = _minutes(self.opens), _minutes(self.closes) - self.slot_minutes
        return tuple(time(*divmod(at, 60)) for at in range(first, last + 1, self.slot_minutes))

    def free(self, taken: Sequence[time], places: int = 1) -> tuple[time, ...]:
        """Return the slots with room on a day of so many places; each visit takes one slot's length from its start.

        A day with more places than slots sees several people at once, as many as its places ask for.
        """
        slots, long = self.slots, self.slot_minutes
        busy = sorted(_minutes(at) for at in taken)
        at_once = max(1, math.ceil(places / len(slots)))

        def overlapping(start: int) -> int:
            return bisect_left(busy, start + long) - bisect_right(busy, start - long)

        return tuple(slot for slot in slots if overlapping(_minutes(slot)) < at_once)


@dataclass(frozen=True)
class ClosedDays:
    """A time, both days included, in which the clinic sees nobody; alerts and texts go on."""

    first: date
    last: date
    reason: str

    def holds(self, day: date) -> bool:
        return self.first <= day <= self.last


@dataclass(frozen=True)
class ClinicDay:
    """One day at the clinic."""

    day: date
    places: int
    taken: int
    closed: str | None = None  # why
    free: tuple[time, ...] = ()  # slots to offer: the soonest, as many as there are places left

    @property
    def room(self) -> Room:
        """Return what asks for a reason before one more visit is planned here."""
        if self.closed is not None:
            return "closed"
        if not self.places:
            return "no places"
        return "full" if self.taken >= self.places else ""

    @property
    def left(self) -> int:
        return 0 if self.closed is not None else max(0, self.places - self.taken)


def clinic_days(
    hours: VisitHours,
    closed: Iterable[ClosedDays],
    taken: Mapping[date, Sequence[time]],
    first: date,
    count: int,
    now: datetime,
) -> tuple[ClinicDay, ...]:
    """Return so many days from `first` on. `taken`: starts of the visits on each day; `now`: the clinic's clock, naive.

    What has passed is offered to nobody.
    """
    closures = tuple(closed)
    found = []
    for n in range(count):
        day = first + timedelta(days=n)
        busy = taken.get(day, ())
        why = next((one.reason for one in closures if one.holds(day)), None)
        bare = ClinicDay(day, hours.places_on(day), len(busy), why)
        coming = (
            [slot for slot in hours.free(busy, bare.places) if datetime.combine(day, slot) > now] if bare.left else []
        )
        found.append(ClinicDay(day, bare.places, bare.taken, why, tuple(coming[: bare.left])))
    return tuple(found)


def fitting(days: Iterable[ClinicDay], until: date | None, most: int = 3) -> tuple[datetime, ...]:
    """Return slots to offer somebody, naive: the first of each of the soonest days with room, up to the last day that
    is in time; where none is, the soonest there are, for late is better than never."""
    open_days = [(day.day, day.free[0]) for day in days if day.free]
    in_time = [one for one in open_days if until is None or one[0] <= until]
    return tuple(datetime.combine(day, at) for day, at in (in_time or open_days)[:most])


def _minutes(at: time) -> int:
    return at.hour * 60 + at.minute
