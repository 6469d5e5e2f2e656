"""What every action needs: the database, the words, and how this installation speaks to the world."""

from dataclasses import dataclass, field
from datetime import time, timedelta
from decimal import Decimal
from functools import lru_cache

from app.db.engine import Database
from app.db.people import Clinic
from app.db.spool import Spool
from app.domain.rate import Rates
from app.domain.retention import Periods
from app.domain.strangers import Bounds
from app.domain.texts import ClinicVoice, Words
from scheduler.policy import Hours, ReminderPolicy


@dataclass(frozen=True)
class Line:
    """One running text line. Made once at start; safe to share between threads."""

    db: Database
    words: Words
    public_url: str = "http://127.0.0.1:8000"
    channel: str = "simulator"
    carrier_confirms_opt_out: bool = False  # the carrier answers STOP by itself
    send_drafts: bool = True
    day_ends: time = time(17)  # of the clinic: until then a nurse who writes has the conversation
    segment_price: Decimal = Decimal("0.01")  # about what one segment costs, in dollars
    sender: str = ""  # for clinics without one of their own
    second_sender: str = ""  # of the account that stands in when the first one fails; none where there is no such
    second_account: str = ""  # its id at the provider, where it is another account and not only another sender
    rates: Rates = field(default_factory=Rates)  # how fast each kind of sender may send
    check_phone: str | None = None  # the line's own test phone, E.164, which texts it every quarter of an hour
    check_number: str = ""  # the number it texts
    periods: Periods = field(default_factory=Periods)  # how long things are kept
    spool: Spool | None = None  # where webhooks wait while the database cannot be written
    strangers: Bounds = field(default_factory=Bounds)  # how much is said to phones that are nobody's
    answers_a_day: int = 0  # to one known phone, safety texts apart; 0 for any number
    urgent_apart: timedelta = field(default=timedelta(minutes=1))  # at most one page a minute for one alert


def staff_link(line: Line) -> str:
    """Return where a nurse finds alerts and tasks: an address that names nobody."""
    return f"{line.public_url}/staff/"


def voice_of(clinic: Clinic) -> ClinicVoice:
    return _voice(
        clinic.name, clinic.phone, clinic.after_hours_phone, clinic.emergency_number, clinic.time_zone, clinic.country
    )


@lru_cache(maxsize=256)
def _voice(name: str, phone: str, after_hours: str, emergency: str, time_zone: str, country: str) -> ClinicVoice:
    return ClinicVoice.of(name, phone, after_hours, emergency, time_zone, country)


def policy_of(clinic: Clinic) -> ReminderPolicy:
    """Return the clinic's reminder times. Raises ValueError, naming the field, for ones that cannot be kept."""
    hours = (clinic.remind_at, clinic.texts_from, clinic.texts_until)
    return _policy(tuple(clinic.ladder_days), *hours, clinic.missed_after_minutes)


@lru_cache(maxsize=256)
def _policy(ladder_days: tuple[int, ...], at: time, opens: time, closes: time, missed_after: int) -> ReminderPolicy:
    return ReminderPolicy(
        ladder_days=tuple(sorted(set(ladder_days), reverse=True)),
        send_at=at,
        quiet=Hours(opens, closes),
        missed_after=timedelta(minutes=missed_after),
    )
