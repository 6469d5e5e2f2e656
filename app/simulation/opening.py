"""When the clinic is open: weekdays from 08:00 to 17:00 but for holidays, on its own wall clock."""

from bisect import bisect_right
from datetime import date, datetime, time, timedelta
from random import Random
from zoneinfo import ZoneInfo

from app.simulation.agenda import instant, minute_of
from app.simulation.parameters import START, ZONE

OPENS, CLOSES = time(8), time(17)
AHEAD_DAYS = 420  # visits are booked beyond the last day


def holidays(year: int) -> frozenset[date]:
    """Return the days on which a clinic in the US stays closed."""
    thanksgiving = _nth(year, 11, 3, 4)
    return frozenset(
        {
            date(year, 1, 1),
            _nth(year, 1, 0, 3),
            _nth(year, 6, 0, 1) - timedelta(days=7),
            date(year, 6, 19),
            date(year, 7, 3) if date(year, 7, 4).weekday() == 5 else date(year, 7, 4),
            _nth(year, 9, 0, 1),
            thanksgiving,
            thanksgiving + timedelta(days=1),
            date(year, 12, 24),
            date(year, 12, 25),
        }
    )


def _nth(year: int, month: int, weekday: int, number: int) -> date:
    first = date(year, month, 1)
    return first + timedelta(days=(weekday - first.weekday()) % 7 + 7 * (number - 1))


class Opening:
    """The days from the start on, by number; each open one with the minutes at which it opens and closes."""

    def __init__(self, days: int) -> None:
        self._zone = ZoneInfo(ZONE)
        self.first = START.astimezone(self._zone).date()
        self._midnights: list[int] = []
        self._hours: list[tuple[int, int] | None] = []
        closed: frozenset[date] = frozenset()
        for year in range(self.first.year, self.first.year + (days + AHEAD_DAYS) // 365 + 2):
            closed |= holidays(year)
        for number in range(days + AHEAD_DAYS):
            day = self.date_of(number)
            self._midnights.append(self._minute(day, time(0)))
            is_open = day.weekday() < 5 and day not in closed
            self._hours.append((self._minute(day, OPENS), self._minute(day, CLOSES)) if is_open else None)

    def _minute(self, day: date, at: time) -> int:
        return minute_of(datetime.combine(day, at, self._zone))

    def date_of(self, number: int) -> date:
        return self.first + timedelta(days=number)

    def number_of(self, day: date) -> int:
        return (day - self.first).days

    def day_at(self, minute: int) -> int:
        return bisect_right(self._midnights, minute) - 1

    def hours(self, number: int) -> tuple[int, int] | None:
        return self._hours[number] if 0 <= number < len(self._hours) else None

    def is_open(self, minute: int) -> bool:
        hours = self.hours(self.day_at(minute))
        return hours is not None and hours[0] <= minute < hours[1]

    def next_open(self, minute: int) -> int:
        """Return the first minute, this one or later, at which somebody is there."""
        day = self.day_at(minute)
        while True:
            hours = self.hours(day)
            if hours is not None and minute < hours[1]:
                return max(minute, hours[0])
            day += 1

    def open_day(self, number: int, *, back: bool = False) -> int:
        """Return the day itself where the clinic is open, else the next one, or the one before."""
        while self.hours(number) is None:
            number += -1 if back else 1
        return number

    def visit_on(self, number: int, chance: Random) -> int:
        """Return the minute of a visit on an open day: at 09:00, 11:00 or 14:00."""
        hours = self.hours(number)
        assert hours is not None
        return hours[0] + 60 * chance.choice((1, 3, 6))

    def at_hour(self, number: int, hour: int) -> int:
        return self._minute(self.date_of(number), time(hour))


def local_hour(minute: int, zone: ZoneInfo) -> int:
    return instant(minute).astimezone(zone).hour


def minute_in(zone: ZoneInfo, day: date, hour: int, minutes: int) -> int:
    return minute_of(datetime.combine(day, time(hour, minutes), zone))
