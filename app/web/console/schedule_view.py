"""What the schedule is made of: the days an address asks for, what stands on them, and whom to book."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Any, Literal
from zoneinfo import ZoneInfo

from babel.dates import get_month_names
from flask import url_for
from sqlalchemy.orm import Session

from app.db.care import AppointmentState
from app.db.pages import VisitRow
from app.db.schedule_pages import Scheduled, VisitKey, scheduled, to_book
from app.db.visit_hours import ClosureRow, Span, closures, days_of, on_closed_days, visit_hours
from app.db.worklist import DueRow, refills_due
from app.domain.day_words import FIRST_YEAR, LAST_YEAR
from app.domain.visit_hours import WEEKDAYS, ClinicDay, VisitHours, fitting
from app.web.console.entry import NotUnderstood, clinic_day
from app.web.console.today import ASK_TO_BOOK_DAYS
from app.web.language import gettext as _
from app.web.language import language, ngettext, tr
from app.web.wording import day as say_day
from app.web.wording import hour as say_hour
from app.web.wording import plural, sentence

View = Literal["week", "month", "list"]
VIEWS: tuple[View, ...] = ("week", "month", "list")
LISTED = 100  # visits on one page
TO_BOOK = 8
SLOT_REM, HEAD_REM, MONTH_REM = 2.3125, 2.6875, 41.5  # heights in the calendar, as calendar.js and its styles have them
FIT_DAYS = 42  # how far ahead slots are looked for
SLOTS_SHOWN = 3


@dataclass(frozen=True)
class Period:
    """The days on a page; `day` is the one that its address names. `seen`: the visit that a further page follows."""

    view: View
    day: date
    first: date
    count: int
    seen: VisitKey | None = None

    @staticmethod
    def of(view: str, entered: str, today: date, seen: str = "") -> "Period":
        """Return what an address asks for; the week of today for anything that names no day."""
        shown: View = next((one for one in VIEWS if one == view), "week")
        try:
            day = clinic_day(entered, today) if entered else today
        except NotUnderstood:
            day = today
        day = min(max(day, date(FIRST_YEAR, 2, 1)), date(LAST_YEAR, 10, 1))
        if shown == "month":
            first = day.replace(day=1)
            return Period(shown, day, first, (_next_month(first) - first).days)
        first = day - timedelta(days=day.weekday()) if shown == "week" else day
        return Period(shown, day, first, 7, _visit_key(seen) if shown == "list" else None)

    @property
    def last(self) -> date:
        return self.first + timedelta(days=self.count - 1)

    @property
    def before(self) -> date:
        if self.view == "month":
            return (self.first - timedelta(days=1)).replace(day=1)
        return self.day - timedelta(days=7)

    @property
    def after(self) -> date:
        return _next_month(self.first) if self.view == "month" else self.day + timedelta(days=7)

    @property
    def said(self) -> str:
        """Return "23 to 29-Nov-2026", "November 2026"."""
        if self.view == "month":
            month = get_month_names("wide", locale=language())[self.first.month]
            return sentence(_("%(month)s %(year)d", month=month, year=self.first.year))
        same_month = (self.first.year, self.first.month) == (self.last.year, self.last.month)
        begins = str(self.first.day) if same_month else say_day(self.first, weekday=False, year=self._two_years)
        return _("%(first)s to %(last)s", first=begins, last=say_day(self.last, weekday=False))

    @property
    def _two_years(self) -> bool:
        return self.first.year != self.last.year

    def link(self, view: str = "", day: date | None = None, *, anchor: str | None = None) -> str:
        """Return the address of these days, or of others, which begin with their first visit."""
        where = self.where
        if view or day:
            where = {"view": view or self.view, "day": (day or self.day).isoformat()}
        return url_for("console.schedule", _anchor=anchor, **where)

    @property
    def where(self) -> dict[str, Any]:
        """Return what every address on the page carries along."""
        return {"view": self.view, "day": self.day.isoformat()} | ({"seen": _written(self.seen)} if self.seen else {})


_KEY_TIME = "%Y%m%dT%H%M%S%f"


def _written(key: VisitKey) -> str:
    return f"{key.at.astimezone(UTC):{_KEY_TIME}}-{key.id}"


def _visit_key(entered: str) -> VisitKey | None:
    """Return the place that an address names; None, the first visit, for anything else."""
    at, _dash, number = entered.partition("-")
    if not (entered.isascii() and number.isdecimal() and len(number) < 19):
        return None
    try:
        return VisitKey(datetime.strptime(at, _KEY_TIME).replace(tzinfo=UTC), int(number))
    except ValueError:
        return None


def _next_month(first: date) -> date:
    return (first + timedelta(days=32)).replace(day=1)


@dataclass(frozen=True)
class StateWords:
    """The state of a visit: what to say, with which icon, and how its block looks."""

    say: str
    icon: str
    look: str = ""


def state_of(row: VisitRow, now: datetime) -> StateWords:
    match row.state:
        case AppointmentState.ATTENDED:
            return StateWords(_("Attended"), "checks", "done")
        case AppointmentState.MISSED:
            return StateWords(_("Missed"), "x", "missed")
        case AppointmentState.CANCELLED:
            return StateWords(_("Cancelled"), "ban", "done")
    confirmed = row.confirmed_at is not None
    if row.starts_at < now:
        return StateWords(_("Not marked yet"), "clock" if confirmed else "question", "ask")
    return StateWords(_("Confirmed"), "check") if confirmed else StateWords(_("Not confirmed"), "question", "ask")


@dataclass(frozen=True)
class ListedDay:
    """One day of the list: what it is called, its places, its visits."""

    called: str
    clinic_day: ClinicDay
    visits: tuple[Scheduled, ...]


@dataclass(frozen=True)
class Wanted:
    """Somebody to book, with slots that fit, as the clinic's clock shows them."""

    row: DueRow
    fits: tuple[datetime, ...]


@dataclass(frozen=True)
class Further:
    """Where the list goes on: on a day; within one that is longer than a page, after the visit that was `seen`."""

    day: date
    seen: VisitKey | None = None

    @property
    def link(self) -> str:
        return url_for("console.schedule", **Period("list", self.day, self.day, 7, self.seen).where)


@dataclass(frozen=True)
class Board:
    """Everything on the page but the panel."""

    period: Period
    zone: ZoneInfo
    hours: VisitHours
    days: tuple[ClinicDay, ...]
    listed: tuple[ListedDay, ...]
    visits: tuple[Scheduled, ...]
    further: Further | None
    wanted: tuple[Wanted, ...]
    wanted_count: int
    stranded: tuple[VisitRow, ...]
    stranded_count: int
    ahead: tuple[ClinicDay, ...]  # the next weeks, for slots that fit somebody

    def fits(self, plan_by: date | None) -> tuple[datetime, ...]:
        """Return slots to offer, before the plan-by date where there is room, as the clinic's clock shows them."""
        return fitting(self.ahead, plan_by, SLOTS_SHOWN)

    @property
    def calendar_hours(self) -> tuple[str, str]:
        """Return from when to when the grid shows the days, with every visit in it."""
        opens, closes = self.hours.opens.hour, self.hours.closes.hour + (self.hours.closes.minute > 0)
        hours = [row.row.starts_at.astimezone(self.zone).hour for row in self.visits]
        return f"{min([opens, *hours]):02}:00:00", f"{max([closes, *(hour + 1 for hour in hours)]):02}:00:00"

    def calendar_rem(self, by_month: bool) -> float:
        """Return how high the grid will stand, so that the list under it need not move once it is drawn."""
        if by_month:
            return MONTH_REM
        opens, closes = (int(hour[:2]) for hour in self.calendar_hours)
        return round(HEAD_REM + SLOT_REM * ((closes - opens) * 60 / self.hours.slot_minutes), 2)

    @property
    def hidden_weekdays(self) -> str:
        """Return weekdays on which nothing is planned and nobody comes, as the grid counts them: Sunday is 0."""
        shown = {day.day.weekday() for day in self.days if day.places or day.taken}
        return " ".join(str((n + 1) % 7) for n in range(7) if n not in shown) if shown else ""


def board(
    session: Session, clinic_id: int, zone: ZoneInfo, period: Period, now: datetime, shown: int = LISTED
) -> Board:
    """Read the page: the same few queries whatever the tables hold."""
    today = now.astimezone(zone).date()
    start, end = Span(period.first, period.count).instants(zone)
    found = scheduled(session, clinic_id, zone, start, end, now, shown + 1, period.seen)
    hours, _version = visit_hours(session, clinic_id)
    closed = closures(session, clinic_id, min(period.first, today))
    due = to_book(refills_due(session, clinic_id, now, zone, ASK_TO_BOOK_DAYS, booked=False))
    spans = (Span(period.first, period.count), Span(today, FIT_DAYS))
    days, ahead = days_of(session, clinic_id, zone, spans, hours, closed, now)
    stranded, stranded_count = on_closed_days(session, clinic_id, zone, _from(closed, today), now)
    visits, further = _page_of(found, shown, zone)
    return Board(
        period=period,
        zone=zone,
        hours=hours,
        days=days,
        listed=_listed(period, days, visits, further, today, zone),
        visits=visits,
        further=further,
        wanted=tuple(Wanted(row, fitting(ahead, row.plan_by, SLOTS_SHOWN)) for row in due[:TO_BOOK]),
        wanted_count=len(due),
        stranded=stranded,
        stranded_count=stranded_count,
        ahead=tuple(ahead),
    )


def _from(closed: Sequence[ClosureRow], today: date) -> tuple[ClosureRow, ...]:
    return tuple(row for row in closed if row.days.last >= today)


def _page_of(found: Sequence[Scheduled], most: int, zone: ZoneInfo) -> tuple[tuple[Scheduled, ...], Further | None]:
    """Return as many whole days as a page holds, of a day that is longer than a page its beginning, and where the next
    page begins."""
    if len(found) <= most:
        return tuple(found), None
    days = [visit.row.starts_at.astimezone(zone).date() for visit in found]
    whole = tuple(visit for visit, day in zip(found, days, strict=True) if day < days[-1])
    if whole:
        return whole, Further(days[-1])
    last = found[most - 1].row
    return tuple(found[:most]), Further(days[-1], VisitKey(last.starts_at, last.id))


def _listed(
    period: Period,
    days: Sequence[ClinicDay],
    visits: Sequence[Scheduled],
    further: Further | None,
    today: date,
    zone: ZoneInfo,
) -> tuple[ListedDay, ...]:
    every = period.view != "month"
    by_day: dict[date, list[Scheduled]] = {}
    for visit in visits:
        by_day.setdefault(visit.row.starts_at.astimezone(zone).date(), []).append(visit)
    shown = [
        day
        for day in days
        if (further is None or day.day < further.day or day.day in by_day)
        and (period.seen is None or day.day > period.first or day.day in by_day)
        and (day.closed is not None or day.taken or (every and (day.places or day.day == today)))
    ]
    upcoming = next((day.day for day in shown if day.day > today and day.day in by_day), None)
    called = {today: _("Today"), upcoming: _("Next")}
    return tuple(ListedDay(called.get(day.day, weekday(day.day)), day, tuple(by_day.get(day.day, ()))) for day in shown)


def weekday(day: date) -> str:
    """Return "Thursday"."""
    return sentence(tr(WEEKDAYS[day.weekday()]))


def feed(
    visits: Sequence[Scheduled], days: Sequence[ClinicDay], zone: ZoneInfo, now: datetime, most: int
) -> dict[str, Any]:
    """Return what the calendar draws. Times are the clinic's own clock, without an offset."""
    left_out = visits[most].row.starts_at.astimezone(zone).date() if len(visits) > most else None
    return {
        "now": _wall(now, zone),
        "visits": [_block(visit, zone, now) for visit in visits[:most]],
        "left_out": {"from": left_out.isoformat(), "said": say_day(left_out, year=False)} if left_out else None,
        "days": [
            {
                "day": day.day.isoformat(),
                "taken": day.taken,
                "places": day.places,
                "closed": day.closed,
                "shut": _("Closed: %(reason)s", reason=day.closed) if day.closed is not None else "",
                "said": _taken(day),
                "free": [f"{day.day.isoformat()}T{slot:%H:%M}" for slot in day.free],
            }
            for day in days
        ],
    }


def _taken(day: ClinicDay) -> str:
    """Return "5 of 8", "5 booked" where none are planned, "closed"."""
    if day.closed is not None:
        return _("closed")
    if day.places:
        return _("%(taken)d of %(places)d", taken=day.taken, places=day.places)
    return _("%(count)d booked", count=day.taken) if day.taken else ""


def _block(visit: Scheduled, zone: ZoneInfo, now: datetime) -> dict[str, Any]:
    row, words = visit.row, state_of(visit.row, now)
    person = row.person
    full = f"{person.family_name.upper()}, {person.given_name}"
    return {
        "id": row.id,
        "start": _wall(row.starts_at, zone),
        "name": f"{person.family_name}, {person.given_name[:1]}.",
        "full": full,
        "say": words.say,
        "icon": words.icon,
        "look": words.look,
        "left": visit.left if row.state is AppointmentState.BOOKED else None,
        "late": visit.days_late,
        "dry": visit.runs_dry,
        "about": "; ".join([f"{say_hour(row.starts_at, zone)} {full}: {words.say}", *_more_about(visit, zone)]),
        "url": url_for("console.visit", visit_id=row.id),
        "movable": row.state in (AppointmentState.BOOKED, AppointmentState.MISSED),
    }


def _more_about(visit: Scheduled, zone: ZoneInfo) -> Iterator[str]:
    at, there = visit.row.starts_at, visit.row.person.zone
    if say_hour(at, there) != say_hour(at, zone):
        yield _("%(hour)s for the patient", hour=say_hour(at, there, name=True))
    if visit.left is not None and visit.row.state is AppointmentState.BOOKED:
        yield ngettext(
            "%(num)d day of drug left today, at the earliest",
            "%(num)d days of drug left today, at the earliest",
            visit.left,
        )
    if visit.days_late:
        late = plural(visit.days_late, "day")
        yield (
            _("%(days)s after plan-by, the drug may be gone", days=late)
            if visit.runs_dry
            else _("%(days)s after plan-by", days=late)
        )


def _wall(at: datetime, zone: ZoneInfo) -> str:
    return f"{at.astimezone(zone):%Y-%m-%dT%H:%M:%S}"
