"""How fast texts leave: a sender has its turn again only after the segments of the last text have had their time."""

import re
from dataclasses import dataclass
from datetime import datetime, timedelta

SLOWED_FIRST, SLOWED_AT_MOST = timedelta(seconds=1), timedelta(minutes=1)  # a safety text may be among what waits
SLOWED_AFRESH = timedelta(minutes=5)  # so long without a refusal, and the next one counts as the first
LATE = timedelta(milliseconds=250)  # a turn taken this late still counts from when it was due: the pace is kept
_TOLL_FREE = re.compile(r"\+18(00|33|44|55|66|77|88)\d{7}")
_SHORT_CODE = re.compile(r"\d{3,8}")


@dataclass(frozen=True)
class Rates:
    """Segments a second, by kind of sender; 0 for no limit. docs/messaging.md, "Encoding, length and pace"."""

    long_code: float = 0
    toll_free: float = 0
    short_code: float = 0
    service: float = 0

    def of(self, sender: str) -> float:
        if sender.startswith("MG"):
            return self.service
        if _SHORT_CODE.fullmatch(sender):
            return self.short_code
        return self.toll_free if _TOLL_FREE.fullmatch(sender) else self.long_code


def take_turn(free_at: datetime | None, now: datetime, segments: int, per_second: float) -> datetime | None:
    """Return from when the sender is free again after a text that leaves now; None where it is not free yet.

    Nothing is saved up while nothing is sent: after a pause the first text counts from now.
    """
    if free_at is not None and free_at > now:
        return None
    begins = free_at if free_at is not None and now - free_at <= LATE else now
    return begins + timedelta(seconds=segments / per_second)


def slowed_for(times: int, told: timedelta | None, jitter: float = 0) -> timedelta:
    """Return how long a sender leaves its provider alone after its `times`-th refusal in a row for being too fast.

    Doubling from a second, or as long as the provider says, at most a minute. `jitter`, from 0 to 1, adds up to a
    quarter, so that machines and clinics do not come back in step.
    """
    doubled = SLOWED_FIRST * (1 << min(max(times - 1, 0), 10))
    return min(max(doubled, told or timedelta(0)), SLOWED_AT_MOST) * (1 + jitter / 4)
