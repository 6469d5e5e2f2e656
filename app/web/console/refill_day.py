"""Refill day: the visits of a day, and the form at the bedside: five numbers, old and new dates, a second person."""

from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from flask import flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from sqlalchemy import select

from app.actions.errors import Refused
from app.actions.programs import Entry
from app.actions.record_refill import expected_ml, preview_refill, record_refill
from app.actions.supply import dates_of
from app.actions.vouch_for_entry import Colleague, Reading, vouch_for_refill
from app.db.care import EntryState, Pump, Refill
from app.db.pages import VisitRow, colleagues, person_of, visits_between
from app.db.patient_pages import PumpPage, pump_page
from app.db.people import Patient
from app.db.supply import CarePolicy
from app.domain.permissions import Permission
from app.web import current
from app.web.console import bp
from app.web.console.browser import this_browser
from app.web.console.gate import Signed, access_entry, access_patient, session_now, staff
from app.web.console.patient_head import head_of
from app.web.console.permits import needs
from app.web.console.pump_entries import entry_said
from app.web.console.pump_forms import OTHER, Form, mark_of, plain, refill_of, typed_program, weekdays
from app.web.console.pump_words import Compared, Side, compare, dose, was_volume
from app.web.console.pumps import Checked, policy_of
from app.web.console.reading import listed
from app.web.console.today import days
from app.web.language import gettext as _
from app.web.language import tr
from app.web.wording import amount


@bp.get("/refill-day")
@needs(Permission.READ_PATIENTS)
def refill_list() -> ResponseReturnValue:
    """Show today's visits, each with its way to the form, and whose refill is recorded."""
    signed, now = staff(), current.now()
    start, end, _later = days(now, signed.clinic.zone)
    with current.line().db.read() as session:
        visits = visits_between(session, signed.clinic.id, start, end)
        filled = select(Pump.patient_id, Refill.state).join(Pump, Pump.id == Refill.pump_id)
        today = now.astimezone(signed.clinic.zone).date()
        who = [visit.person.id for visit in visits]
        rows = session.execute(
            filled.where(Pump.patient_id.in_(who), Refill.filled_on == today, Refill.state != EntryState.DECLINED)
        )
        recorded = {patient_id: state.value for patient_id, state in rows}
    listed(who)
    return render_template(
        "console/refill_list.html", visits=visits, recorded=recorded, open_count=_open(visits, recorded)
    )


def _open(visits: tuple[VisitRow, ...], recorded: dict[int, str]) -> int:
    return sum(visit.person.id not in recorded for visit in visits)


@bp.get("/patients/<int:patient_id>/refill")
@needs(Permission.WRITE_PATIENTS)
def refill_day(patient_id: int) -> ResponseReturnValue:
    signed = staff()
    access_patient(signed, patient_id)
    return _view(signed, patient_id, None)


@bp.post("/patients/<int:patient_id>/refill")
@needs(Permission.WRITE_PATIENTS)
def refill_day_form(patient_id: int) -> ResponseReturnValue:
    """Check shows what the numbers lead to; save keeps just what was shown."""
    signed = staff()
    access_patient(signed, patient_id)
    form = Form.of("refill", request.form)
    with current.line().db.read() as session:
        concentrations = tuple(policy_of(session, signed.clinic.id).concentrations)
        record = pump_page(session, patient_id).record
        running = record.program_on(date.max) if record else None
        drug = running.drug if running else "baclofen"
    entry = refill_of(form, concentrations, drug)
    if entry is None:
        return _view(signed, patient_id, form), 422
    line, now = current.line(), current.now()
    try:
        outcome = preview_refill(line, patient_id, entry, now)
        mark = mark_of(entry, "", outcome.new, outcome.second_person_because)
        wanted = form.text("do") == "save"
        if not wanted or form.text("mark") != mark:
            changed = wanted and bool(form.text("mark"))
            return _view(signed, patient_id, form, Checked(entry, outcome, mark, changed)), 409 if changed else 200
        saved = record_refill(line, patient_id, entry, now, signed.actor, signed.id)
    except Refused as refusal:
        form.refused = tr(refusal)
        return _view(signed, patient_id, form), 409 if refusal.kind == "conflict" else 422
    # whoever confirms it looks at this page next, and is not to read the amounts here
    flash(_("Recorded. It waits for a second person, below.") if saved.waits else entry_said("refill", saved))
    return redirect(url_for("console.refill_day", patient_id=patient_id, _anchor="second" if saved.waits else None))


@bp.post("/patients/<int:patient_id>/refill/second")
@needs(Permission.WRITE_PATIENTS)
def refill_second(patient_id: int) -> ResponseReturnValue:
    """The colleague at the bedside types what they read, without seeing what was entered."""
    signed = staff()
    access_patient(signed, patient_id)
    form = Form.of("second", request.form)
    entry_id = access_entry(signed, patient_id, Refill, form.row_id("entry"))
    concentration = form.amount("read_concentration", _("Give the concentration that you read on the vial."))
    read_dose = form.amount("read_dose", _("Give the dose that you read in the programmer."))
    who = form.row_id("who")
    form.typed.pop("password", None)
    if not who:
        form.errors["who"] = _("Choose who you are.")
    if form.errors or concentration is None or read_dose is None:
        return _view(signed, patient_id, form), 422
    colleague = Colleague(who, request.form.get("password", ""), this_browser(), session_now())
    try:
        vouch_for_refill(current.line(), entry_id, Reading(concentration, read_dose), colleague, current.now())
    except Refused as refusal:
        form.refused = tr(refusal)
        return _view(signed, patient_id, form), 409 if refusal.kind == "conflict" else 422
    flash(_("Confirmed by a second person. The dates go on from this refill."))
    return redirect(url_for("console.refill_day", patient_id=patient_id))


@dataclass(frozen=True)
class Was:
    """What each field was until now, as it stands under it."""

    volume: str = ""
    concentration: str = ""
    program: str = ""


def _view(signed: Signed, patient_id: int, form: Form | None, checked: Checked | None = None) -> str:
    now, clinic = current.now(), signed.clinic
    today = now.astimezone(clinic.zone).date()
    start, end, _later = days(now, clinic.zone)
    with current.line().db.read() as session:
        policy = policy_of(session, clinic.id)
        page = pump_page(session, patient_id)
        visits = visits_between(session, clinic.id, start, end)
        fresh = _fresh(page, policy, today)
        return render_template(  # while the session is open: the page shows rows
            "console/refill_day.html",
            person=person_of(session.get_one(Patient, patient_id)),
            **head_of(session, patient_id),
            page=page,
            today=today,
            visit=next((visit for visit in visits if visit.person.id == patient_id), None),
            form=form if form is not None and form.name == "refill" else fresh,
            second=form if form is not None and form.name == "second" else Form("second"),
            waiting=[row for row in page.waiting if isinstance(row, Refill)],
            checked=checked,
            compared=_compared(page, checked, policy, today),
            expected=expected_ml(page.record, today) if page.record else None,
            was=_was(page, today),
            policy=policy,
            concentrations=[(each, amount(Decimal(each))) for each in policy.concentrations],
            colleagues=[(who, name) for who, name in colleagues(session, clinic.id)],
            weekdays=weekdays(),
            dose=dose,
        )


def _fresh(page: PumpPage, policy: CarePolicy, today: date) -> Form:
    """Return the form as it stands before anybody types: everything as it was, but for the two volumes."""
    running = page.record.program_on(today) if page.record else None
    concentration = plain(running.concentration_mcg_per_ml) if running else ""
    other = bool(concentration) and concentration not in policy.concentrations
    typed = {
        "filled_on": today.isoformat(),
        "concentration": OTHER if other else concentration,
        "other_concentration": concentration if other else "",
    }
    refill = page.record.refill if page.record else None
    if refill is not None:
        typed["reservoir_volume_ml"] = plain(refill.reservoir_volume_ml)
    return Form("refill", typed | typed_program(Entry.of(running) if running else None, policy.alarm_volume_ml))


def _was(page: PumpPage, today: date) -> Was:
    record = page.record
    running = record.program_on(today) if record else None
    if record is None or running is None:
        return Was()
    alarm = amount(running.alarm_volume_ml)
    return Was(
        was_volume(record.refill.reservoir_volume_ml if record.refill else None, record.pump.reservoir_size_ml),
        _("was %(amount)s", amount=amount(running.concentration_mcg_per_ml)),
        _("was %(dose)s; alarm was %(volume)s mL", dose=dose(running), volume=alarm),
    )


def _compared(page: PumpPage, checked: Checked | None, policy: CarePolicy, today: date) -> tuple[Compared, ...]:
    """Return old beside new; before anything is checked, what is in force alone."""
    record = page.record
    if record is None:
        return ()
    refill, running = record.refill, record.program_on(today)
    was = (refill.filled_on, refill.reservoir_volume_ml) if refill else (None, None)
    old, _problem = dates_of(record, policy)
    entry = checked.entry if checked else None
    if checked is None or entry is None or isinstance(entry, Entry):
        return compare(Side(old, running, *was), Side(None, None), policy.flow_band)
    new = Side(checked.outcome.new, entry.program, entry.filled_on, entry.reservoir_volume_ml)
    return compare(Side(checked.outcome.old, running, *was), new, policy.flow_band)
