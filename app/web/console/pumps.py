"""The pump page: until when the drug lasts and why, and everything that is recorded of a pump. Dates are for staff."""

from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any

from flask import flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from sqlalchemy.orm import Session

from app.actions.change_program import ProgramOutcome
from app.actions.errors import Refused
from app.actions.programs import Entry
from app.actions.pumps import record_pump, record_replacement_indicator
from app.actions.record_refill import RefillEntry, RefillOutcome
from app.actions.record_scan import check_after_scan, record_scan
from app.actions.referrals import move_referral, open_referral
from app.actions.supply import care_policy, dates_of
from app.db.care import Program, Pump, Refill
from app.db.pages import TaskRow, colleagues, open_tasks, person_of
from app.db.patient_pages import PumpPage, pump_page
from app.db.people import Patient
from app.db.pump_records import PumpRecord
from app.db.supply import CarePolicy, Referral, ReferralState, Scan
from app.db.work import TaskKind
from app.domain.battery import replace_by
from app.domain.permissions import Permission
from app.web import current
from app.web.console import bp
from app.web.console.entry import field_time
from app.web.console.gate import Signed, access_about, access_patient, staff
from app.web.console.patient_head import head_of
from app.web.console.permits import needs
from app.web.console.pump_forms import OTHER, Form, plain, pump_of, scan_of, typed_program, weekdays
from app.web.console.pump_words import Compared, Side, compare, dose, flow, was_volume
from app.web.drug_left import drug_left
from app.web.language import gettext as _
from app.web.language import tr
from app.web.wording import amount

PUMP_TASKS = (
    TaskKind.SUPPLY,
    TaskKind.MISSED_REFILL,
    TaskKind.LATE_BOOKING,
    TaskKind.CHECK_PUMP,
    TaskKind.RECORD_REFILL,
    TaskKind.BATTERY,
)


@dataclass(frozen=True)
class Checked:
    """What an entry would lead to, as the form shows it before it is saved."""

    entry: RefillEntry | Entry
    outcome: RefillOutcome | ProgramOutcome
    mark: str
    changed: bool = False  # since it was checked: it is shown again instead of saved


@bp.get("/patients/<int:patient_id>/pump")
@needs(Permission.READ_PATIENTS)
def pump(patient_id: int) -> ResponseReturnValue:
    signed = staff()
    access_patient(signed, patient_id)
    return pump_view(signed, patient_id)


@bp.post("/patients/<int:patient_id>/pump/record")
@needs(Permission.WRITE_PATIENTS)
def record_pump_form(patient_id: int) -> ResponseReturnValue:
    signed = staff()
    access_patient(signed, patient_id)
    form = Form.of("pump", request.form)
    entry = pump_of(form)
    if entry is None:
        return pump_view(signed, patient_id, form), 422
    if entry.replaces and form.row_id("pump") != _present_pump(patient_id):
        form.refused = _("somebody recorded a pump meanwhile: look at it again, nothing was changed")
        return pump_view(signed, patient_id, form), 409
    try:
        record_pump(current.line(), patient_id, entry, current.now(), signed.actor)
    except Refused as refusal:
        return refused(signed, patient_id, form, refusal)
    flash(_("The new pump is recorded. Record its first refill.") if entry.replaces else _("The pump is recorded."))
    return to_pump(patient_id)


@bp.post("/patients/<int:patient_id>/pump/indicator")
@needs(Permission.WRITE_PATIENTS)
def record_indicator(patient_id: int) -> ResponseReturnValue:
    signed = staff()
    access_patient(signed, patient_id)
    form = Form.of("indicator", request.form)
    seen_on = form.day("seen_on", _("Give the day on which it was seen, for example 2026-11-23."))
    if seen_on is None:
        return pump_view(signed, patient_id, form), 422
    try:
        record_replacement_indicator(current.line(), patient_id, seen_on, current.now(), signed.actor)
    except Refused as refusal:
        return refused(signed, patient_id, form, refusal)
    flash(_("Recorded: the replacement indicator shows. Its 90 days are followed from now on."))
    return to_pump(patient_id)


@bp.post("/patients/<int:patient_id>/pump/referral")
@needs(Permission.WRITE_PATIENTS)
def referral(patient_id: int) -> ResponseReturnValue:
    """Open a referral, or give the open one another owner or its next state."""
    signed = staff()
    access_patient(signed, patient_id)
    form = Form.of("referral", request.form)
    owner_id, line, now = form.row_id("owner"), current.line(), current.now()
    states = {state.value: state for state in ReferralState}
    try:
        if not form.text("referral"):
            open_referral(line, patient_id, owner_id, now, signed.actor)
            flash(_("Recorded: the referral is sent."))
            return to_pump(patient_id)
        row_id = access_about(signed, patient_id, Referral, form.row_id("referral"))
        state = states.get(form.text("state"))
        move_referral(line, row_id, now, signed.actor, state=state, owner_id=owner_id)
    except Refused as refusal:
        return refused(signed, patient_id, form, refusal)
    flash(_("The referral is up to date."))
    return to_pump(patient_id)


@bp.post("/patients/<int:patient_id>/pump/scan")
@needs(Permission.WRITE_PATIENTS)
def scan(patient_id: int) -> ResponseReturnValue:
    """Record an MRI, or that the pump was checked after one."""
    signed = staff()
    access_patient(signed, patient_id)
    form = Form.of("scan", request.form)
    line, now = current.line(), current.now()
    try:
        if form.text("scan"):
            check_after_scan(line, access_about(signed, patient_id, Scan, form.row_id("scan")), now, signed.actor)
            flash(_("Recorded: the pump was checked after the MRI."))
            return to_pump(patient_id)
        scanned_at = scan_of(form, signed.clinic.zone)
        if scanned_at is None:
            return pump_view(signed, patient_id, form), 422
        with line.db.read() as session:
            known = any(row.scanned_at == scanned_at for row in pump_page(session, patient_id).scans)
        if not known:  # pressed twice, it is one scan
            record_scan(line, patient_id, scanned_at, now, signed.actor, signed.id)
    except Refused as refusal:
        return refused(signed, patient_id, form, refusal)
    flash(_("The MRI is recorded. The patient is asked whether the pump was checked."))
    return to_pump(patient_id)


def refused(signed: Signed, patient_id: int, form: Form, refusal: Refused) -> ResponseReturnValue:
    """Show the form again with what was typed and what the action said."""
    form.refused = tr(refusal)
    return pump_view(signed, patient_id, form), 409 if refusal.kind == "conflict" else 422


def to_pump(patient_id: int) -> ResponseReturnValue:
    return redirect(url_for("console.pump", patient_id=patient_id))


def _present_pump(patient_id: int) -> int:
    with current.line().db.read() as session:
        record = pump_page(session, patient_id).record
        return record.pump.id if record else 0


def policy_of(session: Session, clinic_id: int) -> CarePolicy:
    """Return what the clinic has chosen about pumps; a clinic that never chose gets its row of defaults first."""
    found = session.get(CarePolicy, clinic_id)
    if found is not None:
        return found
    with current.line().db.begin() as writing:  # a reading snapshot writes nothing
        return care_policy(writing, clinic_id)


def pump_view(signed: Signed, patient_id: int, form: Form | None = None, checked: Checked | None = None) -> str:
    now, clinic = current.now(), signed.clinic
    today = now.astimezone(clinic.zone).date()
    with current.line().db.read() as session:
        policy = policy_of(session, clinic.id)
        page = pump_page(session, patient_id)
        forms = _forms(page, policy, today, field_time(now, clinic.zone))
        if form is not None:
            forms[form.name] = form
        return render_template(  # while the session is open: the page shows rows
            "console/pump.html",
            person=person_of(session.get_one(Patient, patient_id)),
            **head_of(session, patient_id),
            page=page,
            policy=policy,
            today=today,
            forms=forms,
            shown=form.name if form else "",
            checked=checked,
            compared=_compared(page, checked, policy, today) if checked else (),
            history_rows=_history(page),
            tasks=_about_pump(open_tasks(session, clinic.id, patient_id=patient_id)),
            colleagues=colleagues(session, clinic.id),
            referral_states=tuple(ReferralState),
            concentrations=[(each, amount(Decimal(each))) for each in policy.concentrations],
            weekdays=weekdays(),
            dose=dose,
            was_volume=was_volume,
            flow=flow,
            **_dates(page.record, policy, today),
        )


def _dates(record: PumpRecord | None, policy: CarePolicy, today: date) -> dict[str, Any]:
    """Return what the record says of today: dates, drug left, the program that runs, and until when the pump does."""
    if record is None:
        return {"dates": None, "problem": None, "left": None, "refill": None, "program": None, "replace_by": None}
    dates, problem = dates_of(record, policy)
    pump, refill, left = record.pump, record.refill, None
    if dates is not None and refill is not None:
        empty = (dates.early_empty_on, dates.empty_on)
        left = drug_left(today, refill.filled_on, *empty, dates.plan_by, dates.late_empty_on)
    return {
        "dates": dates,
        "problem": problem,
        "left": left,
        "refill": refill,
        "program": record.program_on(today),
        "replace_by": replace_by(pump.model, pump.implanted_on, pump.replace_by),
    }


def _history(page: PumpPage) -> list[Refill | Program]:
    """Return refills and programs together, newest first; of one day, the refill before what came with it."""
    refills = [((row.filled_on, 1, row.id), row) for row in page.refills]
    programs = [((row.effective_on, 0, row.id), row) for row in page.programs]
    dated: list[tuple[tuple[date, int, int], Refill | Program]] = [*refills, *programs]
    return [row for _when, row in sorted(dated, key=lambda each: each[0], reverse=True)]


def _about_pump(tasks: tuple[TaskRow, ...]) -> list[TaskRow]:
    return [task for task in tasks if task.kind in PUMP_TASKS]


def _forms(page: PumpPage, policy: CarePolicy, today: date, now_field: str) -> dict[str, Form]:
    """Return every form of the page as it stands before anybody types."""
    record = page.record
    running = record.program_on(today) if record else None
    program = typed_program(Entry.of(running) if running else None, policy.alarm_volume_ml)
    concentration = plain(running.concentration_mcg_per_ml) if running else ""
    other = bool(concentration) and concentration not in policy.concentrations
    filled = {"concentration": OTHER if other else concentration, "other_concentration": concentration if other else ""}
    pump = record.pump if record else None
    moving = page.referral if page.referral and page.referral.state is not ReferralState.DONE else None
    typed = {
        "refill": {"filled_on": today.isoformat()} | program | filled,
        "program": {"effective_on": today.isoformat()} | program,
        "pump": _typed_pump(pump) if pump else {},
        "indicator": {"seen_on": today.isoformat()},
        "referral": {"owner": str(moving.owner_id), "state": moving.state.value} if moving else {},
        "scan": {"scanned_at": now_field},
        "entries": {},
    }
    return {name: Form(name, values) for name, values in typed.items()}


def _typed_pump(pump: Pump) -> dict[str, str]:
    return {
        "model": pump.model,
        "reservoir_size_ml": plain(pump.reservoir_size_ml),
        "implanted_on": pump.implanted_on.isoformat() if pump.implanted_on else "",
        "replace_by": pump.replace_by.isoformat() if pump.replace_by else "",
    }


def _compared(page: PumpPage, checked: Checked, policy: CarePolicy, today: date) -> tuple[Compared, ...]:
    record, entry, outcome = page.record, checked.entry, checked.outcome
    refill = record.refill if record else None
    was = (refill.filled_on, refill.reservoir_volume_ml) if refill else (None, None)
    old = Side(outcome.old, record.program_on(today) if record else None, *was)
    if isinstance(entry, RefillEntry):
        new = Side(outcome.new, entry.program, entry.filled_on, entry.reservoir_volume_ml)
    else:
        new = Side(outcome.new, entry, *was)
    return compare(old, new, policy.flow_band)
