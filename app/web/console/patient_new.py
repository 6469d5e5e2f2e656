"""A patient added by hand, with a first phone and the evidence of consent to it."""

from flask import flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from app.actions.add_patient import add_patient
from app.actions.contact_entry import ContactEntry
from app.actions.patient_entry import MrnTaken, SameName, WrongFields
from app.db.people import ContactKind
from app.domain.consent_scope import WAYS
from app.domain.permissions import Permission
from app.web import current
from app.web.console import bp
from app.web.console.contacts import contact_typed
from app.web.console.details_form import DetailsForm, choices, person_taking, typed_details
from app.web.console.gate import staff
from app.web.console.permits import needs
from app.web.language import gettext as _
from faq.languages import languages

NO_PHONE = ContactEntry(ContactKind.PATIENT, "")


@bp.get("/patients/new")
@needs(Permission.WRITE_PATIENTS)
def new_patient() -> ResponseReturnValue:
    first = {"language": next(iter(languages())), "time_zone": staff().clinic.time_zone}
    return _page(DetailsForm(typed_details(first)), NO_PHONE)


@bp.post("/patients/new")
@needs(Permission.WRITE_PATIENTS)
def add_patient_form() -> ResponseReturnValue:
    signed, form, phone = staff(), DetailsForm(typed_details(request.form)), contact_typed(ContactKind.PATIENT)
    given = phone if phone.number.strip() or phone.words.strip() or phone.name.strip() or phone.way else None
    try:
        patient_id = add_patient(
            current.line(),
            signed.clinic.id,
            form.typed,
            given,
            current.now(),
            signed.id,
            is_another=request.form.get("is_another") == "1",
        )
    except WrongFields as wrong:
        return _page(form.wrong(wrong.errors), phone), 422
    except MrnTaken as taken:
        return _page(form.taken(taken), phone), 422
    except SameName as same:
        return _page(form.alike(same), phone), 422
    flash(_("The patient is added. Next: record the pump, so that the days of drug left are known."))
    if given is None:
        flash(_("No phone is on record: nobody is texted about this patient until one is added under Contacts."))
    return redirect(url_for("console.patient", patient_id=patient_id))


def _page(form: DetailsForm, phone: ContactEntry) -> str:
    with current.line().db.read() as session:
        taken_by = person_taking(session, form)
    return render_template(
        "console/patient_new.html",
        form=form,
        phone=phone,
        taken_by=taken_by,
        ways=WAYS,
        **choices(staff().clinic, form.typed["time_zone"]),
    )
