"""The contacts of a patient: who may be texted, within what consent, with its evidence."""

from dataclasses import dataclass, field, replace

from flask import flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from app.actions.add_contact import add_contact
from app.actions.change_contact import change_contact
from app.actions.contact_entry import ContactEntry, WrongField
from app.actions.errors import Refused
from app.actions.remove_contact import remove_contact
from app.db.patient_contacts import contacts_page, last_contact_change
from app.db.people import ContactKind
from app.domain.consent_scope import WAYS
from app.domain.permissions import Permission
from app.web import current
from app.web.console import bp
from app.web.console.entry import version_of
from app.web.console.gate import Signed, access_contact, access_patient, staff
from app.web.console.patient_head import head_of
from app.web.console.permits import needs
from app.web.console.reading import listed
from app.web.language import N_, tr
from app.web.language import gettext as _
from app.web.wording import moment

CARER = ContactKind.CARER
_REMOVED = (N_("removed: the patient's own phone"), N_("removed: a carer"))  # what app.actions writes
_OURS = (N_("another number took its place"), *_REMOVED, *WAYS.values())


@dataclass(frozen=True)
class Typed:
    """What somebody typed about a contact (0: a new one), and why it was not taken. Shown again rather than lost."""

    contact_id: int = -1  # no form
    entry: ContactEntry = field(default_factory=lambda: ContactEntry(CARER, ""))
    errors: dict[str, str] = field(default_factory=dict)
    refused: str = ""


@bp.get("/patients/<int:patient_id>/contacts")
@needs(Permission.READ_PATIENTS)
def contacts(patient_id: int) -> ResponseReturnValue:
    return _page(access_patient(staff(), patient_id))


@bp.post("/patients/<int:patient_id>/contacts")
@needs(Permission.WRITE_PATIENTS)
def add_contact_form(patient_id: int) -> ResponseReturnValue:
    signed = staff()
    access_patient(signed, patient_id)
    typed = Typed(0, contact_typed(CARER))
    try:
        add_contact(current.line(), patient_id, typed.entry, current.now(), signed.id)
    except Refused as refusal:
        return _again(signed, patient_id, typed, refusal)
    flash(_("The contact is added."))
    return _to_contacts(patient_id)


@bp.post("/patients/<int:patient_id>/contacts/<int:contact_id>")
@needs(Permission.WRITE_PATIENTS)
def change_contact_form(patient_id: int, contact_id: int) -> ResponseReturnValue:
    signed = staff()
    access_contact(signed, patient_id, contact_id)
    typed, now = Typed(contact_id, contact_typed(CARER)), current.now()
    try:
        change_contact(current.line(), contact_id, patient_id, typed.entry, now, signed.id, version_of(request.form))
    except Refused as refusal:
        return _again(signed, patient_id, typed, refusal)
    flash(_("The contact is changed."))
    return _to_contacts(patient_id)


@bp.post("/patients/<int:patient_id>/contacts/<int:contact_id>/remove")
@needs(Permission.WRITE_PATIENTS)
def remove_contact_form(patient_id: int, contact_id: int) -> ResponseReturnValue:
    signed = staff()
    access_contact(signed, patient_id, contact_id)
    version, now = version_of(request.form), current.now()
    try:
        remove_contact(current.line(), contact_id, patient_id, now, signed.id, version)
    except Refused as refusal:
        return _again(signed, patient_id, Typed(), refusal, contact_id)
    flash(_("The contact is removed. What was agreed before is kept under Earlier contacts."))
    return _to_contacts(patient_id)


@bp.app_template_filter("consent_words")
def consent_words(kept: str, source: str) -> str:
    """Return the evidence of a consent: our part of it in the reader's language, what somebody said as it was said."""
    if source != "staff":
        return kept
    for ours in _OURS:
        if kept == ours or kept.startswith((f"{ours}: ", f"{ours}, ")):
            return tr(ours) + kept[len(ours) :]
    name = kept.removeprefix("removed: ")
    return _("removed: %(name)s", name=name) if name != kept else kept


def contact_typed(otherwise: ContactKind) -> ContactEntry:
    """Return the contact that a form describes; `otherwise` is whose phone it is where it names neither kind."""

    def said(name: str) -> str:
        return request.form.get(name, "").replace("\0", "")

    kind = next((kind for kind in ContactKind if kind == said("kind")), otherwise)
    return ContactEntry(
        kind,
        said("number"),
        said("name"),
        said("relation"),
        said("gets_reminders") == "1",
        said("told_if_missed") == "1",
        said("way"),
        said("words"),
    )


def _again(signed: Signed, patient_id: int, typed: Typed, refusal: Refused, contact_id: int = 0) -> ResponseReturnValue:
    """Show the page with what was typed. Of a contact that is gone, it can be added anew."""
    about = contact_id or typed.contact_id
    if isinstance(refusal, WrongField):
        return _page(patient_id, replace(typed, errors={refusal.field: tr(refusal)})), 422
    said = tr(refusal)
    with current.line().db.read() as session:
        last = last_contact_change(session, patient_id, about)
    if last:
        when = moment(last[1], signed.clinic.zone)
        said = _("%(refusal)s. %(name)s did that at %(when)s", refusal=said, name=tr(last[0]), when=when)
    if refusal.kind == "missing" and typed.contact_id > 0:
        typed = replace(typed, contact_id=0)
    return _page(patient_id, replace(typed, refused=said)), 422 if refusal.kind == "invalid" else 409


def _page(patient_id: int, typed: Typed | None = None) -> str:
    with current.line().db.read() as session:
        head, page = head_of(session, patient_id), contacts_page(session, patient_id)
    listed(other.id for card in page.cards for other in card.shared_with)
    return render_template("console/contacts.html", **head, page=page, typed=typed or Typed(), ways=WAYS)


def _to_contacts(patient_id: int) -> ResponseReturnValue:
    return redirect(url_for("console.contacts", patient_id=patient_id))
