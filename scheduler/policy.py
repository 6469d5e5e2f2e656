"""What a clinic has chosen about the times of its texts."""

from dataclasses import dataclass, field
from datetime import time, timedelta

MOST_LADDER_DAYS = 365


@dataclass(frozen=True)
class Hours:
    """The local window [opens, closes) in which a text may leave; everything outside it is quiet."""

    opens: time
    closes: time

    def __post_init__(self) -> None:
        _require_wall_clock("opens", self.opens)
        _require_wall_clock("closes", self.closes)
        if self.opens >= self.closes:
            raise ValueError(
                f"allowed hours {self.opens:%H:%M}-{self.closes:%H:%M}: opening must come before closing on the "
                "same day, for example 08:00-21:00"
            )

    def contain(self, at: time) -> bool:
        return self.opens <= at < self.closes

    def __str__(self) -> str:
        return f"{self.opens:%H:%M}-{self.closes:%H:%M}"


@dataclass(frozen=True)
class ReminderPolicy:
    """One clinic's reminder times. All times of day are local to the patient.

    `latest_before`: a ladder reminder closer to the visit than this no longer helps.
    Raises ValueError, naming field and remedy, for a policy that could not be kept.
    """

    ladder_days: tuple[int, ...] = (14, 7, 2, 1)
    send_at: time = time(10)
    quiet: Hours = field(default_factory=lambda: Hours(opens=time(8), closes=time(21)))
    missed_after: timedelta = timedelta(minutes=60)
    missed_again_at: time = time(9)
    latest_before: timedelta = timedelta(hours=2)
    page_every: timedelta = timedelta(minutes=5)

    def __post_init__(self) -> None:
        _require_ladder(self.ladder_days)
        # Outside the window a reminder would slip to another day than the ladder names.
        for name, at in (("send_at", self.send_at), ("missed_again_at", self.missed_again_at)):
            _require_wall_clock(name, at)
            if not self.quiet.contain(at):
                raise ValueError(f"{name} {at:%H:%M} is outside the allowed hours {self.quiet}: choose a time inside")
        for name, span in (("missed_after", self.missed_after), ("latest_before", self.latest_before)):
            if span < timedelta(0):
                raise ValueError(f"{name} must not be negative: give 0 or more minutes")
        if self.page_every <= timedelta(0):
            raise ValueError("page_every must be longer than nothing: give it in minutes, for example 5")


def _require_ladder(days: tuple[int, ...]) -> None:
    example = "for example 14, 7, 2, 1"
    if not isinstance(days, tuple):  # a list would leave a frozen policy changeable
        raise ValueError(f"ladder_days must be a tuple, {example}")
    if not days:
        raise ValueError(f"ladder_days is empty, and a visit would come due in silence: give days before it, {example}")
    for day in days:
        if isinstance(day, bool) or not isinstance(day, int) or not 0 <= day <= MOST_LADDER_DAYS:
            raise ValueError(f"ladder_days has {day!r}: give whole days from 0 to {MOST_LADDER_DAYS}, {example}")
    if len(set(days)) != len(days):
        raise ValueError(f"ladder_days names a day twice: give each once, {example}")
    if list(days) != sorted(days, reverse=True):
        raise ValueError(f"ladder_days must run from the earliest reminder to the last: largest first, {example}")


def _require_wall_clock(name: str, at: time) -> None:
    if at.tzinfo is not None:
        raise ValueError(f"{name} must be a plain time of day: the patient's time zone is added later")
