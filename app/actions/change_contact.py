"""Change a contact: its name, its number, or what it may be told about the patient."""

from datetime import datetime

from app.actions.audit import audit
from app.actions.consent import opt_in
from app.actions.contact_entry import (
    ContactEntry,
    ask_for_evidence,
    checked,
    keep_scope,
    not_twice,
    take_back_beyond,
    the_contact,
)
from app.actions.line import Line
from app.actions.visits import the_patient
from app.db.directory import phone_named
from app.db.people import Phone
from app.domain.consent_scope import Scope

NOTHING = Scope(reminders=False, missed=False)


def change_contact(
    line: Line, contact_id: int, patient_id: int, entry: ContactEntry, now: datetime, staff_id: int, version: int
) -> None:
    """More than was agreed to, or another number, needs to be agreed to; less does not.

    Raises WrongField, and Refused for a contact that is gone or changed since `version`.
    """
    with line.db.begin() as session:
        patient = the_patient(session, patient_id)
        contact = the_contact(session, contact_id, version)
        number = checked(entry, patient.clinic.country)
        before, scope = Scope(contact.gets_reminders, contact.told_if_missed), entry.scope
        phone_id = phone_named(line.db, session, patient.clinic_id, number, now)
        moved = phone_id != contact.phone_id
        if moved or (scope.reminders > before.reminders) or (scope.missed > before.missed):
            ask_for_evidence(entry)
        if moved:
            not_twice(session, patient_id, phone_id)
            keep_scope(session, contact, None, "another number took its place", now, staff_id)
            take_back_beyond(session, contact.phone_id, patient_id, before, NOTHING, now)
            contact.phone_id = phone_id
            if session.get_one(Phone, phone_id).opted_out_at is None:
                opt_in(session, now, phone_id, "staff", words=entry.evidence, staff_id=staff_id)
        if moved or scope != before:
            keep_scope(session, contact, scope, entry.evidence, now, staff_id)
            take_back_beyond(session, phone_id, patient_id, before, scope, now)
        contact.kind, contact.name, contact.relation = entry.kind, entry.own_name, entry.own_relation
        contact.gets_reminders, contact.told_if_missed = scope.reminders, scope.missed
        contact.version += 1
        audit(
            session,
            now,
            f"staff:{staff_id}",
            "contact changed",
            f"patient:{patient_id}",
            contact=contact_id,
            phone=phone_id,
            kind=entry.kind,
            scope=scope.kept,
            before=before.kept,
        )
