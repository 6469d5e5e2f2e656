"""How long what is said is kept, by kind, and at which hours what is older goes. Pure."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

NIGHT = range(1, 5)  # hours of the clinic's clock: after the evening's texts, before the morning's


@dataclass(frozen=True)
class Periods:
    """The defaults are those of app.settings; docs/privacy.md says why."""

    texts: timedelta = timedelta(days=3653)
    notes: timedelta = timedelta(days=3653)
    pictures: timedelta = timedelta(days=365)
    deliveries: timedelta = timedelta(days=365)
    sign_ins: timedelta = timedelta(days=90)


def is_night(now: datetime, time_zone: str) -> bool:
    return now.astimezone(ZoneInfo(time_zone)).hour in NIGHT
