"""Add somebody whom we may text about a patient: the patient's own phone, or a carer."""

from datetime import datetime

from sqlalchemy.orm import Session

from app.actions.audit import audit
from app.actions.consent import opt_in
from app.actions.contact_entry import ContactEntry, ask_for_evidence, checked, keep_scope, not_twice
from app.actions.line import Line
from app.actions.visits import the_patient
from app.db.directory import phone_named
from app.db.engine import Database
from app.db.people import Clinic, Contact, Phone


def add_contact(line: Line, patient_id: int, entry: ContactEntry, now: datetime, staff_id: int) -> int:
    """Return the contact's id. The consent is kept with it, as it was given.

    A phone that has opted out stays so: only a text from it can take that back. Raises WrongField.
    """
    with line.db.begin() as session:
        patient = the_patient(session, patient_id)
        return keep_contact(line.db, session, patient.id, patient.clinic, entry, now, staff_id)


def keep_contact(
    db: Database, session: Session, patient_id: int, clinic: Clinic, entry: ContactEntry, now: datetime, staff_id: int
) -> int:
    """Do it within the caller's transaction."""
    number = checked(entry, clinic.country)
    ask_for_evidence(entry)
    phone_id = phone_named(db, session, clinic.id, number, now)
    not_twice(session, patient_id, phone_id)
    contact = Contact(
        patient_id=patient_id,
        phone_id=phone_id,
        kind=entry.kind,
        name=entry.own_name,
        relation=entry.own_relation,
        gets_reminders=entry.scope.reminders,
        told_if_missed=entry.scope.missed,
        created_at=now,
    )
    session.add(contact)
    session.flush()
    if session.get_one(Phone, phone_id).opted_out_at is None:
        opt_in(session, now, phone_id, "staff", words=entry.evidence, staff_id=staff_id)
    keep_scope(session, contact, entry.scope, entry.evidence, now, staff_id)
    audit(
        session,
        now,
        f"staff:{staff_id}",
        "contact added",
        f"patient:{patient_id}",
        contact=contact.id,
        phone=phone_id,
        kind=entry.kind,
        scope=entry.scope.kept,
    )
    return contact.id
