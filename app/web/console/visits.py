"""Visits: book, move, cancel, mark attended or missed. A form filled from an older state changes nothing."""

from collections.abc import Callable

from flask import flash, redirect, request, url_for
from flask.typing import ResponseReturnValue

from app.actions.book_appointment import book_appointment
from app.actions.cancel_appointment import cancel_appointment
from app.actions.errors import Refused
from app.actions.mark_attended import mark_attended
from app.actions.mark_missed import mark_missed
from app.actions.move_appointment import move_appointment
from app.domain.permissions import Permission
from app.web import current
from app.web.console import bp
from app.web.console.entry import NotUnderstood, clinic_time, version_of
from app.web.console.gate import access_appointment, access_patient, staff
from app.web.console.patients import Typed, patient_page
from app.web.console.permits import needs
from app.web.console.sign_in import own_page
from app.web.language import N_, tr
from app.web.language import gettext as _
from app.web.wording import moment

STALE = N_("Someone else changed this meanwhile. Nothing was changed: look at it again.")


@bp.post("/patients/<int:patient_id>/visits")
@needs(Permission.WRITE_PATIENTS)
def book(patient_id: int) -> ResponseReturnValue:
    signed = staff()
    access_patient(signed, patient_id)
    entered, why = request.form.get("starts_at", ""), _reason()
    try:
        starts_at = clinic_time(entered, signed.clinic.zone)
        book_appointment(current.line(), patient_id, starts_at, current.now(), signed.actor, late_reason=why)
    except (NotUnderstood, Refused) as refusal:
        return patient_page(signed, patient_id, _typed("book", entered, why, refusal)), 422
    when = moment(starts_at, signed.clinic.zone, name=True)
    flash(_("Booked for %(when)s. The reminders are planned.", when=when))
    return _to(patient_id)


@bp.post("/visits/<int:visit_id>/move")
@needs(Permission.WRITE_PATIENTS)
def move(visit_id: int) -> ResponseReturnValue:
    signed = staff()
    patient_id = access_appointment(signed, visit_id)
    entered, why, version = request.form.get("starts_at", ""), _reason(), version_of(request.form)
    try:
        starts_at = clinic_time(entered, signed.clinic.zone)
        move_appointment(
            current.line(), visit_id, starts_at, current.now(), signed.actor, version=version, late_reason=why
        )
    except (NotUnderstood, Refused) as refusal:
        return patient_page(signed, patient_id, _typed(f"move:{visit_id}", entered, why, refusal)), _status(refusal)
    when = moment(starts_at, signed.clinic.zone, name=True)
    flash(_("Moved to %(when)s. The reminders are planned anew.", when=when))
    return _to(patient_id)


@bp.post("/visits/<int:visit_id>/cancel")
@needs(Permission.WRITE_PATIENTS)
def cancel(visit_id: int) -> ResponseReturnValue:
    return _settle(visit_id, cancel_appointment, _("Cancelled. No reminder goes out for it."))


@bp.post("/visits/<int:visit_id>/attended")
@needs(Permission.WRITE_PATIENTS)
def attended(visit_id: int) -> ResponseReturnValue:
    return _settle(visit_id, mark_attended, _("Marked attended. Everything pending about it has stopped."))


@bp.post("/visits/<int:visit_id>/missed")
@needs(Permission.WRITE_PATIENTS)
def missed(visit_id: int) -> ResponseReturnValue:
    done = _("Marked missed. The missed-refill text goes out, and there is a task for it.")
    return _settle(visit_id, mark_missed, done)


def _settle(visit_id: int, act: Callable[..., None], done: str) -> ResponseReturnValue:
    signed = staff()
    patient_id = access_appointment(signed, visit_id)
    try:
        act(current.line(), visit_id, current.now(), signed.actor, version=version_of(request.form))
    except Refused as refusal:
        if back := request.form.get("back"):
            flash(_("Not saved: %(reason)s", reason=_say(refusal)), "failed")
            return redirect(own_page(back))
        return patient_page(signed, patient_id, Typed(f"visit:{visit_id}", {}, _say(refusal))), _status(refusal)
    flash(done)
    return redirect(own_page(request.form["back"])) if request.form.get("back") else _to(patient_id)


LONGEST_REASON = 200


def _reason() -> str:
    """Return why a visit may lie after the plan-by date, as typed."""
    return request.form.get("late_reason", "").replace("\0", "")[:LONGEST_REASON]


def _typed(form: str, entered: str, why: str, refusal: Exception) -> Typed:
    late = isinstance(refusal, Refused) and refusal.kind == "late"
    return Typed(form, {"starts_at": entered, "late_reason": why}, _say(refusal), late or bool(why))


def _say(refusal: Exception) -> str:
    return tr(STALE if _status(refusal) == 409 and "meanwhile" in str(refusal) else refusal)


def _status(refusal: Exception) -> int:
    return 409 if isinstance(refusal, Refused) and refusal.kind == "conflict" else 422


def _to(patient_id: int) -> ResponseReturnValue:
    return redirect(url_for("console.patient", patient_id=patient_id, _anchor="visits"))
