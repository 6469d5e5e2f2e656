"""What changes the dates of a pump: a refill, a dose, and the second person's word. Checked first, then saved."""

from collections.abc import Callable
from datetime import date

from flask import abort, flash, request
from flask.typing import ResponseReturnValue

from app.actions.change_program import ProgramOutcome, change_program, preview_program
from app.actions.confirm_entry import confirm_program, confirm_refill, decline_program, decline_refill
from app.actions.errors import Refused
from app.actions.programs import Entry
from app.actions.record_refill import RefillEntry, RefillOutcome, preview_refill, record_refill
from app.db.care import Program, Refill
from app.db.pump_records import PumpRecord, pump_record
from app.domain.permissions import Permission
from app.web import current
from app.web.console import bp
from app.web.console.gate import Signed, access_entry, access_patient, staff
from app.web.console.permits import needs
from app.web.console.pump_forms import Form, mark_of, program_of, refill_of
from app.web.console.pumps import Checked, policy_of, pump_view, refused, to_pump
from app.web.language import N_, tr
from app.web.language import gettext as _
from app.web.wording import day, sentence

Outcome = RefillOutcome | ProgramOutcome


@bp.post("/patients/<int:patient_id>/pump/refill")
@needs(Permission.WRITE_PATIENTS)
def refill(patient_id: int) -> ResponseReturnValue:
    signed = staff()
    access_patient(signed, patient_id)
    form = Form.of("refill", request.form)
    concentrations, record = _clinic_and_pump(signed, patient_id)
    running = record.program_on(date.max) if record else None
    entry = refill_of(form, concentrations, running.drug if running else "baclofen")
    if entry is None:
        return pump_view(signed, patient_id, form), 422
    line, now = current.line(), current.now()
    return _check_or_save(
        signed,
        patient_id,
        form,
        entry,
        lambda: preview_refill(line, patient_id, entry, now),
        lambda: record_refill(line, patient_id, entry, now, signed.actor, signed.id),
    )


@bp.post("/patients/<int:patient_id>/pump/program")
@needs(Permission.WRITE_PATIENTS)
def program(patient_id: int) -> ResponseReturnValue:
    """Change the dose between refills; the concentration is the one that was filled."""
    signed = staff()
    access_patient(signed, patient_id)
    form = Form.of("program", request.form)
    _concentrations, record = _clinic_and_pump(signed, patient_id)
    effective_on = form.day("effective_on", _("Give the first day of the new dose, for example 2026-11-23."))
    running = record.program_on(effective_on or date.max) if record else None
    if running is None:
        missing = Refused("there is no program to change: record the pump and its refill first", "missing")
        return refused(signed, patient_id, form, missing)
    entry = program_of(form, running.concentration_mcg_per_ml, running.drug)
    if entry is None or effective_on is None:
        return pump_view(signed, patient_id, form), 422
    line, now = current.line(), current.now()
    return _check_or_save(
        signed,
        patient_id,
        form,
        entry,
        lambda: preview_program(line, patient_id, entry, effective_on, now),
        lambda: change_program(line, patient_id, entry, effective_on, now, signed.actor, signed.id),
    )


def _clinic_and_pump(signed: Signed, patient_id: int) -> tuple[tuple[str, ...], PumpRecord | None]:
    with current.line().db.read() as session:
        concentrations = tuple(policy_of(session, signed.clinic.id).concentrations)
        record = pump_record(session, patient_id)
        session.expunge_all()
        return concentrations, record


def _check_or_save(
    signed: Signed,
    patient_id: int,
    form: Form,
    entry: RefillEntry | Entry,
    preview: Callable[[], Outcome],
    save: Callable[[], Outcome],
) -> ResponseReturnValue:
    """Show what the entry leads to; save it only when just that was seen before. Saved twice, it is a correction."""
    try:
        outcome = preview()
        mark = mark_of(entry, form.text("effective_on"), outcome.new, outcome.second_person_because)
        wanted = form.text("do") == "save"
        if not wanted or form.text("mark") != mark:
            changed = wanted and bool(form.text("mark"))
            return pump_view(signed, patient_id, form, Checked(entry, outcome, mark, changed)), 409 if changed else 200
        saved = save()
    except Refused as refusal:
        return refused(signed, patient_id, form, refusal)
    flash(entry_said(form.name, saved))
    return to_pump(patient_id)


def entry_said(name: str, saved: Outcome) -> str:
    """Say what was saved, and what follows from it."""
    refilled = name == "refill"
    if saved.waits:
        why = tr(saved.second_person_because or "")
        if refilled:
            return _("The refill is recorded and waits for a second member of staff: %(why)s.", why=why)
        return _("The new dose is recorded and waits for a second member of staff: %(why)s.", why=why)
    if saved.new is None:
        if refilled:
            return _("The refill is recorded. There are no dates yet: record the last refill.")
        return _("The new dose is recorded. There are no dates yet: record the last refill.")
    by = day(saved.new.plan_by)
    if not refilled:
        return _("The new dose is recorded. Plan the next refill by %(day)s.", day=by)
    found = getattr(saved, "aspirate", None)
    check = f" {sentence(tr(found.finding))}." if found and found.beyond else ""
    return _("The refill is recorded. Plan the next refill by %(day)s.", day=by) + check


_SETTLE: dict[tuple[str, str], tuple[type[Refill] | type[Program], Callable[..., None], str]] = {
    ("refill", "confirm"): (Refill, confirm_refill, N_("Confirmed. The dates go on from this refill.")),
    ("refill", "decline"): (Refill, decline_refill, N_("Declined. What was before counts on.")),
    ("program", "confirm"): (Program, confirm_program, N_("Confirmed. The dates go on with this dose.")),
    ("program", "decline"): (Program, decline_program, N_("Declined. What was before counts on.")),
}


@bp.post("/patients/<int:patient_id>/pump/entries")
@needs(Permission.WRITE_PATIENTS)
def settle_entry(patient_id: int) -> ResponseReturnValue:
    """Confirm or decline an entry that waits for a second person."""
    signed = staff()
    access_patient(signed, patient_id)
    form = Form.of("entries", request.form)
    found = _SETTLE.get((form.text("kind"), form.text("answer")))
    if found is None:
        abort(404)
    table, settle, said = found
    entry_id = access_entry(signed, patient_id, table, form.row_id("entry"))
    try:
        settle(current.line(), entry_id, current.now(), signed.id)
    except Refused as refusal:
        return refused(signed, patient_id, form, refusal)
    flash(tr(said))
    return to_pump(patient_id)
