"""The virtual clock: what happens when, in whole minutes since the start."""

import heapq
from collections.abc import Callable
from datetime import datetime, timedelta

from app.simulation.parameters import START

Act = Callable[[], None]


class Agenda:
    """A queue of acts. Those of one minute are done in the order in which they were put in."""

    def __init__(self) -> None:
        self.minute = 0
        self._count = 0
        self._acts: list[tuple[int, int, Act]] = []

    @property
    def now(self) -> datetime:
        return instant(self.minute)

    @property
    def first(self) -> int | None:
        return self._acts[0][0] if self._acts else None

    def at(self, minute: int, act: Act) -> None:
        """Have it done at this minute; what lies in the past, now."""
        self._count += 1
        heapq.heappush(self._acts, (max(minute, self.minute), self._count, act))

    def after(self, minutes: float, act: Act) -> None:
        self.at(self.minute + max(0, round(minutes)), act)

    def go_to(self, minute: int) -> None:
        """Set the clock, and do all that is to be done at this minute, what is added meanwhile too."""
        self.minute = minute
        while self._acts and self._acts[0][0] <= minute:
            heapq.heappop(self._acts)[2]()


def instant(minute: int) -> datetime:
    return START + timedelta(minutes=minute)


def minute_of(at: datetime) -> int:
    """Return the whole minute at or before an instant."""
    return int((at - START).total_seconds() // 60)
