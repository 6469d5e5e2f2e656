"""What happened to one pump so far: fillings and the visits that led to them, when the demo's last day begins."""

from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from random import Random
from zoneinfo import ZoneInfo

from app.db.care import AppointmentState
from app.demo.people import Person, Standing
from app.domain.pump import Fill, Limits, refill_dates
from app.domain.pump_values import Program
from app.domain.why_missed import REASONS
from app.simulation.parameters import stream
from app.simulation.people import PumpSpec
from scheduler.quiet_hours import local_instant

ANY_DAY = date(2026, 1, 5)  # intervals do not hang on the day from which they are counted
BEHIND_DAYS = 14  # of drug that a visit in order leaves, at the least
OLDEST_PUMP_DAYS = 2_100  # younger than a year before its battery's end
BATTERY_DAYS = 84 * 365 // 12
_MISSED, _CANCELLED = 0.06, 0.04
OPENS, EVERY, STARTS = time(8, 30), timedelta(minutes=15), 31  # of visits: the last one at 16:00


@dataclass(slots=True)
class Visit:
    starts_at: datetime
    state: AppointmentState
    booked_at: datetime
    confirmed_at: datetime | None = None
    came_at: datetime | None = None
    missed_reason: str | None = None
    late_reason: str | None = None
    id: int = 0

    @property
    def settled_at(self) -> datetime:
        return self.came_at or self.starts_at + timedelta(minutes=60)


@dataclass(slots=True)
class Filling:
    on: date
    dose: Decimal
    changed: bool  # the dose, with this filling
    expected: Decimal | None = None
    aspirated: Decimal | None = None
    visit: Visit | None = None
    id: int = 0


@dataclass(slots=True)
class History:
    implanted_on: date
    visits: list[Visit] = field(default_factory=list)  # oldest first; the last one may be to come
    fillings: list[Filling] = field(default_factory=list)  # oldest first; one at the least


@dataclass(frozen=True, slots=True)
class Intervals:
    """Days from a filling to its plan-by date and to the early edge of empty, and to a visit in good time."""

    plan_by: int
    empty: int
    usual: int


def intervals_of(pump: PumpSpec) -> Intervals:
    fill = Fill(ANY_DAY, pump.size_ml, pump.alarm_ml)
    dates = refill_dates(fill, Program(pump.concentration, daily_dose_mcg=pump.dose), Limits())
    plan_by, empty = (dates.plan_by - ANY_DAY).days, (dates.early_empty_on - ANY_DAY).days
    return Intervals(plan_by, empty, max(8, min(plan_by - 4, empty - BEHIND_DAYS)))


def history_of(person: Person, visits: int, seed: int, now: datetime, zone: ZoneInfo) -> History:
    """Draw one person's fillings and visits, so many of them, one to come included where one is booked."""
    chance = stream(seed, "history", person.number)
    days, today = intervals_of(person.pump), now.astimezone(zone).date()
    usual = max(8, days.usual - chance.randint(0, 6))
    filled, coming = _filled_and_coming(person, days, usual, today, chance)
    if visits < 1:
        coming = None
    near_its_end = person.standing in (Standing.UNBOOKED, Standing.LOW, Standing.LATE)
    filled = _weekday(min(filled, today)) if near_its_end else _workday(min(filled, today), chance)
    came = _slot(filled, zone, chance, before=now - timedelta(minutes=45))
    while came is None:
        filled = _weekday(filled - timedelta(days=1))
        came = _slot(filled, zone, chance)
    past = visits - (coming is not None)
    history = _backwards(person, came, past, usual, chance, zone)
    if coming is not None:
        history.visits.append(_coming(person, coming, history, now, zone, chance))
    return history


def _filled_and_coming(
    person: Person, days: Intervals, usual: int, today: date, chance: Random
) -> tuple[date, date | None]:
    """Return when the pump was filled last and when the next visit is, None for no visit."""
    match person.standing:
        case Standing.UNBOOKED:
            return today - timedelta(days=max(1, days.plan_by - chance.randint(3, 24))), None
        case Standing.LOW:
            return today - timedelta(days=days.empty - chance.randint(3, 7)), None
        case Standing.LATE:
            filled = today - timedelta(days=chance.randint(usual // 2, usual))
            return filled, filled + timedelta(days=min(days.plan_by + chance.randint(2, 8), days.empty - 1))
        case Standing.LEFT | Standing.DECEASED:
            return today - timedelta(days=chance.randint(60, 400)), None
    filled = today - timedelta(days=chance.randrange(usual))
    return filled, filled + timedelta(days=usual)


def _coming(person: Person, day: date, history: History, now: datetime, zone: ZoneInfo, chance: Random) -> Visit:
    today = now.astimezone(zone).date()
    day = _workday(max(day, today), chance)
    if day < today:  # of a weekend that comes: early in the week after it
        day += timedelta(days=7 - day.weekday() + chance.randrange(3))
    starts = _slot(day, zone, chance, after=now + timedelta(minutes=15))
    while starts is None:
        day += timedelta(days=1)
        starts = _slot(day, zone, chance, after=now + timedelta(minutes=15)) if day.weekday() < 5 else None
    last = history.fillings[-1]
    came = last.visit.came_at if last.visit else None
    booked = (came or local_instant(last.on, time(12), zone)) + timedelta(minutes=20)
    why = "the patient is away until then" if person.standing is Standing.LATE and chance.random() < 0.4 else None
    return Visit(starts, AppointmentState.BOOKED, min(booked, now), late_reason=why)


def _backwards(person: Person, came: datetime, past: int, usual: int, chance: Random, zone: ZoneInfo) -> History:
    """Go back from the last filling, a visit at a time; what was missed or cancelled lies before the one attended."""
    pump = person.pump
    if past:
        usual = min(usual, (OLDEST_PUMP_DAYS - 100) // past)
    visits: list[Visit] = []
    fillings: list[Filling] = []
    dose, at = pump.dose, came
    while True:
        left = past - len(visits)
        on = at.astimezone(zone).date()
        filling = Filling(on, dose, changed=False)
        fillings.append(filling)
        if left <= 0:
            break
        earlier = _slot(_workday(on - timedelta(days=max(5, usual - chance.randint(0, 5))), chance), zone, chance)
        assert earlier is not None
        visit = Visit(at, AppointmentState.ATTENDED, earlier + timedelta(minutes=20))
        visit.came_at = at + timedelta(minutes=chance.randint(-10, 15))
        filling.visit = visit
        _measured(filling, pump, (on - earlier.astimezone(zone).date()).days, chance)
        visits.append(visit)
        if left > 2 and (lost := _lost(visit, earlier, chance, zone)) is not None:
            visits.append(lost)
        if chance.random() < 0.15:
            filling.changed = True
            dose = (dose / Decimal(str(1 + chance.randint(4, 10) / 100))).quantize(Decimal("0.1"))
        at = earlier
    fillings[-1].changed = True
    history = History(_implanted(person, fillings[-1].on, came, chance))
    history.visits, history.fillings = visits[::-1], fillings[::-1]
    return history


def _measured(filling: Filling, pump: PumpSpec, days: int, chance: Random) -> None:
    """Say what should have been left, and what was taken out, near enough that nobody need check the pump."""
    left = pump.size_ml - filling.dose * days / pump.concentration
    filling.expected = max(Decimal(0), left).quantize(Decimal("0.0001"))
    off = Decimal(str(round(max(-1.0, min(1.0, chance.gauss(0, 0.35))), 1)))
    filling.aspirated = max(Decimal(0), filling.expected + off).quantize(Decimal("0.1"))


def _lost(visit: Visit, earlier: datetime, chance: Random, zone: ZoneInfo) -> Visit | None:
    """Return a visit that was missed or cancelled some days before the attended one, which was booked in its place."""
    luck = chance.random()
    if luck >= _MISSED + _CANCELLED:
        return None
    day = _workday(visit.starts_at.astimezone(zone).date() - timedelta(days=chance.randint(3, 5)), chance)
    starts = _slot(day, zone, chance)
    assert starts is not None
    if starts < earlier + timedelta(days=2):
        return None
    booked, missed = visit.booked_at, luck < _MISSED
    visit.booked_at = starts + (timedelta(hours=3) if missed else -timedelta(days=1, hours=chance.randint(1, 20)))
    if not missed:
        return Visit(starts, AppointmentState.CANCELLED, min(booked, visit.booked_at))
    return Visit(starts, AppointmentState.MISSED, booked, missed_reason=chance.choice((None, *REASONS)))


def _implanted(person: Person, oldest: date, came: datetime, chance: Random) -> date:
    if person.standing is Standing.BATTERY:  # by its end less two to eleven months
        return min(oldest, came.date() - timedelta(days=BATTERY_DAYS - chance.randint(60, 330)))
    earliest = came.date() - timedelta(days=OLDEST_PUMP_DAYS)
    return oldest - timedelta(days=chance.randint(0, max(0, (oldest - earliest).days)))


def _weekday(day: date) -> date:
    """Return the day, or the Friday before a weekend."""
    return day - timedelta(days=max(0, day.weekday() - 4))


def _workday(day: date, chance: Random) -> date:
    """Return the day, or any workday of its week for one at the weekend, so that Fridays are days like the others."""
    return day if day.weekday() < 5 else day - timedelta(days=day.weekday() - chance.randrange(5))


def _slot(
    day: date, zone: ZoneInfo, chance: Random, *, after: datetime | None = None, before: datetime | None = None
) -> datetime | None:
    """Return a start among the day's, None where it has none in time."""
    first = local_instant(day, OPENS, zone)
    if after is None and before is None:
        return first + chance.randrange(STARTS) * EVERY
    starts = [first + place * EVERY for place in range(STARTS)]
    fitting = [at for at in starts if (after is None or at > after) and (before is None or at < before)]
    return chance.choice(fitting) if fitting else None
