"""Who a patient is, and in which state: seen and changed by staff."""

from flask import flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from app.actions.change_patient import change_patient
from app.actions.errors import Refused
from app.actions.patient_entry import MrnTaken, SameName, WrongFields
from app.actions.set_patient_state import set_patient_state
from app.db.patient_details import ADDED, CHANGED, STATE_SET, last_deed, stored_patient
from app.db.people import PatientState
from app.db.retention import holds_on
from app.domain.permissions import Permission
from app.web import current
from app.web.console import bp
from app.web.console.details_form import DetailsForm, after_conflict, as_typed, choices, person_taking, typed_details
from app.web.console.entry import version_of
from app.web.console.gate import Signed, access_patient, staff
from app.web.console.patient_head import head_of
from app.web.console.permits import may, needs
from app.web.language import N_, tr
from app.web.language import gettext as _
from app.web.wording import moment


@bp.get("/patients/<int:patient_id>/details")
@needs(Permission.WRITE_PATIENTS)
def details(patient_id: int) -> ResponseReturnValue:
    return _page(access_patient(staff(), patient_id))


@bp.post("/patients/<int:patient_id>/details")
@needs(Permission.WRITE_PATIENTS)
def change_details(patient_id: int) -> ResponseReturnValue:
    signed = staff()
    access_patient(signed, patient_id)
    version, now = version_of(request.form), current.now()
    typed, was = typed_details(request.form), typed_details(request.form, "was_")
    form = DetailsForm(typed, version, was)
    try:
        is_another = request.form.get("is_another") == "1"
        changed = change_patient(current.line(), patient_id, typed, now, signed.id, version, is_another=is_another)
    except WrongFields as wrong:
        return _page(patient_id, form.wrong(wrong.errors)), 422
    except MrnTaken as taken:
        return _page(patient_id, form.taken(taken)), 422
    except SameName as same:
        return _page(patient_id, form.alike(same)), 422
    except Refused as refusal:
        said = _with_name(refusal, patient_id, signed)
        with current.line().db.read() as session:
            stored = stored_patient(session, patient_id)
        saved = as_typed(stored.details)
        meanwhile = {name: value for name, value in saved.items() if value != was[name]}
        kept = after_conflict(typed, was, saved)
        return _page(patient_id, DetailsForm(kept, stored.version, saved, meanwhile, refused=said)), 409
    flash(_said_after(changed))
    return redirect(url_for("console.patient" if changed else "console.details", patient_id=patient_id))


@bp.post("/patients/<int:patient_id>/state")
@needs(Permission.WRITE_PATIENTS)
def set_state(patient_id: int) -> ResponseReturnValue:
    signed = staff()
    access_patient(signed, patient_id)
    chosen = request.form.get("state", "")
    if chosen not in set(PatientState):
        return _page(patient_id, refused=_("choose a state")), 422
    state = PatientState(chosen)
    try:
        set_patient_state(current.line(), patient_id, state, current.now(), signed.actor, version_of(request.form))
    except Refused as refusal:
        return _page(patient_id, refused=_with_name(refusal, patient_id, signed)), 409
    flash(tr(_SET[state]))
    return redirect(url_for("console.patient", patient_id=patient_id))


_SET = {
    PatientState.ACTIVE: N_("The patient is active. Reminders of booked visits are planned again."),
    PatientState.PAUSED: N_("The patient is paused. No reminder is sent until the state is active again."),
    PatientState.LEFT: N_("The patient has left the clinic. Booked visits are cancelled, and no text is planned."),
    PatientState.DECEASED: N_("The patient is deceased. Booked visits are cancelled, and no text is planned."),
}


def _said_after(changed: tuple[str, ...]) -> str:
    if not changed:
        return _("Nothing was changed: it already stood so.")
    more = [
        words
        for name, words in (
            ("time_zone", _("Reminders are planned anew, for the hours of the new time zone.")),
            ("language", _("The next text is in the new language.")),
        )
        if name in changed
    ]
    return " ".join([_("The details are saved."), *more])


def _with_name(refusal: Refused, patient_id: int, signed: Signed) -> str:
    """Return a refusal with who was first, and when."""
    with current.line().db.read() as session:
        last = last_deed(session, patient_id, ADDED, CHANGED, STATE_SET)
    if refusal.kind != "conflict" or last is None:
        return tr(refusal)
    when = moment(last.at, signed.clinic.zone)
    return _("%(refusal)s. %(name)s did that at %(when)s", refusal=tr(refusal), name=tr(last.name), when=when)


def _page(patient_id: int, form: DetailsForm | None = None, refused: str = "") -> str:
    clinic = staff().clinic
    with current.line().db.read() as session:
        head, stored = head_of(session, patient_id), stored_patient(session, patient_id)
        holds = holds_on(session, clinic.id, patient_id) if may("hold_records") else []
        session.expunge_all()
        taken_by = person_taking(session, form)
    if form is None:
        held = as_typed(stored.details)
        form = DetailsForm(held, stored.version, held)
    return render_template(
        "console/patient_details.html",
        **head,
        form=form,
        taken_by=taken_by,
        stored=stored,
        refused=refused,
        holds=holds,
        **choices(clinic, stored.details.time_zone, form.typed["time_zone"]),
    )
