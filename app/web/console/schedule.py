"""The schedule: week, month or list, with a panel beside it to book or move one visit. The calendar draws the feed."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta

from flask import abort, jsonify, render_template, request
from flask.typing import ResponseReturnValue

from app.actions.preview_visit import Preview
from app.db.pages import Person
from app.db.patient_search import PatientList
from app.db.schedule_pages import Scheduled, scheduled
from app.db.visit_hours import Span, days_from
from app.domain.permissions import Permission
from app.web import current
from app.web.console import bp
from app.web.console.entry import NotUnderstood, clinic_day, clinic_time, field_day, time_of_day
from app.web.console.gate import staff
from app.web.console.permits import needs
from app.web.console.reading import listed
from app.web.console.schedule_view import Board, Period, board, feed, state_of
from app.web.language import tr, twelve_hours
from app.web.wording import clock_time, weekday_name

LONGEST_ENTRY = 40
LONGEST_FEED_DAYS = 62
FED = 2000  # visits in one answer; it says from which day on some are left out


@dataclass
class Typed:
    """A day and a time as they stand in a form, the reasons beside them, and what is wrong with which field."""

    on: str = ""
    at: str = ""
    late_reason: str = ""
    room_reason: str = ""
    errors: dict[str, str] = field(default_factory=dict)

    @staticmethod
    def of(values: Mapping[str, str]) -> "Typed":
        def said(name: str, most: int) -> str:
            return values.get(name, "").replace("\0", "").strip()[:most]

        on, at = said("on", LONGEST_ENTRY), said("at", LONGEST_ENTRY)
        return Typed(on, at, said("late_reason", 200), said("room_reason", 200))

    def start(self, today: date) -> datetime | None:
        """Return the instant that was typed; None, with the reason under its field, for anything else."""
        day = at = None
        try:
            day = clinic_day(self.on, today)
        except NotUnderstood as refusal:
            self.errors["on"] = tr(refusal)
        try:
            at = time_of_day(self.at)
        except NotUnderstood as refusal:
            self.errors["at"] = tr(refusal)
        if day is None or at is None:
            return None
        self.on, self.at = field_day(day), f"{at:%H:%M}"
        try:
            return clinic_time(f"{day.isoformat()}T{at:%H:%M}", staff().clinic.zone)
        except NotUnderstood as refusal:
            self.errors["at"] = tr(refusal)
            return None


@dataclass
class Panel:
    """What stands beside the calendar: finding somebody to book, booking them, or one visit."""

    kind: str  # choose, book, visit
    typed: Typed
    person: Person | None = None
    visit: Scheduled | None = None
    preview: Preview | None = None
    offers: bool = False  # slots that fit
    plan_by: date | None = None
    fits: tuple[datetime, ...] = ()  # the clinic's clock
    query: str = ""
    found: PatientList | None = None
    error: str = ""


@bp.get("/schedule")
@needs(Permission.READ_PATIENTS)
def schedule() -> ResponseReturnValue:
    return schedule_page()


def schedule_page(panel: Panel | None = None) -> str:
    """Show the days that the address or form names, with a panel beside them."""
    signed, now = staff(), current.now()
    zone = signed.clinic.zone
    period = period_of(panel, now.astimezone(zone).date())
    with current.line().db.read() as session:
        found = board(session, signed.clinic.id, zone, period, now)
    if panel is not None and panel.offers:
        _offer(panel, found)
    shown = [visit.row.person.id for visit in found.visits] + [row.person.id for row in found.stranded]
    listed([*shown, *(wanted.row.patient_id for wanted in found.wanted)])
    return render_template(
        "console/schedule.html",
        board=found,
        period=period,
        panel=panel,
        state_of=state_of,
        today=period_today(now),
        clock_time=clock_time,
        weekday_name=weekday_name,
        twelve_hours=twelve_hours,
    )


def _offer(panel: Panel, found: Board) -> None:
    """Offer slots that fit; the first of them stands in the form of whoever is booked and has typed nothing."""
    panel.fits = found.fits(panel.plan_by)
    typed = panel.typed
    if panel.kind == "book" and panel.fits and not (typed.on or typed.at or typed.errors):
        typed.on, typed.at = field_day(panel.fits[0].date()), f"{panel.fits[0]:%H:%M}"


def period_of(panel: Panel | None, today: date) -> Period:
    """Return the days on the page: as the address says, else those of the visit in the panel."""
    entered = request.values.get("day", "").replace("\0", "")
    if not entered and panel is not None:
        at = panel.preview.starts_at if panel.preview else panel.visit.row.starts_at if panel.visit else None
        entered = at.astimezone(staff().clinic.zone).date().isoformat() if at else ""
    return Period.of(request.values.get("view", ""), entered, today, request.values.get("seen", ""))


def period_today(now: datetime) -> date:
    return now.astimezone(staff().clinic.zone).date()


@bp.get("/schedule/visits.json")
@needs(Permission.READ_PATIENTS)
def schedule_feed() -> ResponseReturnValue:
    """Return the visits and free slots of some days, of this week where none are named; with too many visits to draw
    them all, from which day on some are left out.

    Names stand in the answer, never in the address.
    """
    signed, now = staff(), current.now()
    zone = signed.clinic.zone
    week = Period.of("week", "", period_today(now))
    first = _day(request.args.get("start", week.first.isoformat()))
    end = _day(request.args.get("end", week.after.isoformat()))
    if first is None or end is None or not 0 < (end - first).days <= LONGEST_FEED_DAYS:
        abort(400)
    count = (end - first).days
    start, until = Span(first, count).instants(zone)
    with current.line().db.read() as session:
        visits = scheduled(session, signed.clinic.id, zone, start, until, now, FED + 1)
        days = days_from(session, signed.clinic.id, zone, first, count, now)
    listed(visit.row.person.id for visit in visits[:FED])
    return jsonify(feed(visits, days, zone, now, FED))


def _day(entered: str) -> date | None:
    try:
        found = date.fromisoformat(entered[:10])
    except ValueError:
        return None
    return found if date(1970, 1, 2) <= found <= date(2200, 12, 31) - timedelta(days=1) else None
