"""From the schedule: look at one visit, move it, book somebody. What changes is shown first, and then saved."""

from datetime import datetime

from flask import flash, redirect, request, url_for
from flask.typing import ResponseReturnValue

from app.actions.book_appointment import book_appointment
from app.actions.errors import Refused
from app.actions.move_appointment import move_appointment
from app.actions.preview_visit import preview_booking, preview_move
from app.db.care import AppointmentState
from app.db.pages import person_of
from app.db.patient_search import find_patients
from app.db.people import Patient
from app.db.pump_records import plan_by_of
from app.db.schedule_pages import LastChange, Scheduled, last_change, one_visit
from app.domain.permissions import Permission
from app.web import current
from app.web.console import bp
from app.web.console.entry import field_day, version_of
from app.web.console.gate import access_appointment, access_patient, staff
from app.web.console.permits import needs
from app.web.console.reading import listed
from app.web.console.schedule import Panel, Typed, period_of, period_today, schedule_page
from app.web.language import N_, tr
from app.web.language import gettext as _
from app.web.wording import moment, since

LONGEST_QUERY = 100


@bp.get("/schedule/visits/<int:visit_id>")
@needs(Permission.READ_PATIENTS)
def visit(visit_id: int) -> ResponseReturnValue:
    """One visit; with a day and a time, what moving it there would change."""
    access_appointment(staff(), visit_id)
    return schedule_page(_visit_panel(visit_id, Typed.of(request.args)))


@bp.post("/schedule/visits/<int:visit_id>/move")
@needs(Permission.WRITE_PATIENTS)
def move_visit(visit_id: int) -> ResponseReturnValue:
    signed, now = staff(), current.now()
    access_appointment(signed, visit_id)
    typed, version = Typed.of(request.form), version_of(request.form)
    starts_at = typed.start(period_today(now))
    if starts_at is None:
        return schedule_page(_visit_panel(visit_id, typed)), 422
    why = {"late_reason": typed.late_reason, "room_reason": typed.room_reason}
    try:
        move_appointment(current.line(), visit_id, starts_at, now, signed.actor, version=version, **why)
    except Refused as refusal:
        panel = _visit_panel(visit_id, typed)
        panel.error = _stale(panel.visit, now) if _is_stale(panel.visit, version) else tr(refusal)
        return schedule_page(panel), 409 if refusal.kind == "conflict" else 422
    at = moment(starts_at, signed.clinic.zone, name=True)
    flash(_("Moved to %(moment)s. The texts are planned as shown.", moment=at))
    return _to_day(starts_at)


@bp.get("/schedule/book")
@needs(Permission.WRITE_PATIENTS)
def choose_patient() -> ResponseReturnValue:
    """Find somebody to book."""
    return schedule_page(Panel("choose", _understood(Typed.of(request.args))))


@bp.post("/schedule/book")
@needs(Permission.WRITE_PATIENTS)
def find_to_book() -> ResponseReturnValue:
    """Search by POST: a name or number never stands in an address."""
    line, signed = current.line(), staff()
    query = request.form.get("query", "").replace("\0", "").strip()[:LONGEST_QUERY]
    panel = Panel("choose", _understood(Typed.of(request.form)), query=query)
    if query:
        with line.db.read() as session:
            today = current.now().astimezone(signed.clinic.zone).date()
            panel.found = find_patients(line.db, session, signed.clinic, query, today)
        listed(row.person.id for row in panel.found.patients)
    else:
        panel.error = _("Type a name, a phone or a record number.")
    return schedule_page(panel), 200 if query else 422


@bp.get("/schedule/book/<int:patient_id>")
@needs(Permission.WRITE_PATIENTS)
def book_form(patient_id: int) -> ResponseReturnValue:
    """One patient; with a day and a time, which texts a visit there would bring."""
    access_patient(staff(), patient_id)
    return schedule_page(_book_panel(patient_id, Typed.of(request.args)))


@bp.post("/schedule/book/<int:patient_id>")
@needs(Permission.WRITE_PATIENTS)
def book_visit(patient_id: int) -> ResponseReturnValue:
    signed, now = staff(), current.now()
    access_patient(signed, patient_id)
    typed = Typed.of(request.form)
    starts_at = typed.start(period_today(now))
    if starts_at is None:
        return schedule_page(_book_panel(patient_id, typed)), 422
    why = {"late_reason": typed.late_reason, "room_reason": typed.room_reason}
    try:
        book_appointment(current.line(), patient_id, starts_at, now, signed.actor, **why)
    except Refused as refusal:
        panel = _book_panel(patient_id, typed)
        panel.error = tr(refusal)
        return schedule_page(panel), 409 if refusal.kind == "conflict" else 422
    at = moment(starts_at, signed.clinic.zone, name=True)
    flash(_("Booked for %(moment)s. The texts are planned as shown.", moment=at))
    return _to_day(starts_at)


def _visit_panel(visit_id: int, typed: Typed) -> Panel:
    signed, now = staff(), current.now()
    zone = signed.clinic.zone
    with current.line().db.read() as session:
        found = one_visit(session, visit_id, zone, now)
    local = found.row.starts_at.astimezone(zone)
    asked = bool(typed.on or typed.at)
    if not typed.on and not typed.errors:
        typed.on = field_day(local.date())
    if not typed.at and not typed.errors:
        typed.at = f"{local:%H:%M}"
    panel = Panel("visit", typed, found.row.person, found)
    starts_at = typed.start(period_today(now)) if asked and not typed.errors else None
    if starts_at is not None and starts_at != found.row.starts_at:
        panel.preview = preview_move(current.line(), visit_id, starts_at, now)
    panel.offers = found.row.state in (AppointmentState.BOOKED, AppointmentState.MISSED)
    panel.plan_by = found.plan_by
    return panel


def _book_panel(patient_id: int, typed: Typed) -> Panel:
    now = current.now()
    with current.line().db.read() as session:
        person = person_of(session.get_one(Patient, patient_id))
        plan_by = plan_by_of(session, patient_id)
    panel = Panel("book", typed, person, offers=True, plan_by=plan_by)
    if (typed.on or typed.at) and not typed.errors:
        starts_at = typed.start(period_today(now))
        if starts_at is not None:
            panel.preview = preview_booking(current.line(), patient_id, starts_at, now)
    return panel


def _understood(typed: Typed) -> Typed:
    """Return the day and time as they are read; what cannot be read is told once somebody is chosen."""
    if typed.on or typed.at:
        typed.start(period_today(current.now()))
        typed.errors.clear()
    return typed


def _is_stale(found: Scheduled | None, version: int) -> bool:
    return found is not None and found.row.version != version


_STANDS = {
    AppointmentState.BOOKED: N_("It is booked for %(moment)s."),
    AppointmentState.ATTENDED: N_("It is attended: it was for %(moment)s."),
    AppointmentState.MISSED: N_("It is missed: it was for %(moment)s."),
    AppointmentState.CANCELLED: N_("It is cancelled: it was for %(moment)s."),
}
_NOBODY = {"system": "Pumpline", "command": N_("The command line")}


def _stale(found: Scheduled | None, now: datetime) -> str:
    """Say who was faster, and what is true now."""
    assert found is not None
    zone = staff().clinic.zone
    with current.line().db.read() as session:
        last = last_change(session, f"appointment:{found.row.id}")
    stands = _(_STANDS[found.row.state], moment=moment(found.row.starts_at, zone))
    return " ".join((_who(last, now), stands, _("Your day and time still stand below.")))


def _who(last: LastChange | None, now: datetime) -> str:
    if last is None:
        return _("Somebody changed this visit meanwhile, and nothing of yours was saved.")
    return _(
        "%(who)s changed this visit (%(verb)s, %(at)s) meanwhile, and nothing of yours was saved.",
        who=last.who or tr(_NOBODY.get(last.actor, N_("The patient, by text,"))),
        verb=tr(last.verb),
        at=since(last.at, now, staff().clinic.zone),
    )


def _to_day(starts_at: datetime) -> ResponseReturnValue:
    """Go back to the view, at the day where the visit now stands."""
    day = starts_at.astimezone(staff().clinic.zone).date()
    period = period_of(None, period_today(current.now()))
    if period.first <= day <= period.last and not period.seen:
        return redirect(period.link())
    return redirect(url_for("console.schedule", view=period.view, day=day.isoformat()))
