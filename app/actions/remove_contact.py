"""Remove a contact: this phone is told nothing more about the patient. What was agreed before stays on record."""

from datetime import datetime

from app.actions.audit import audit
from app.actions.contact_entry import keep_scope, take_back_beyond, the_contact
from app.actions.line import Line
from app.actions.visits import the_patient
from app.db.people import ContactKind
from app.domain.consent_scope import Scope


def remove_contact(line: Line, contact_id: int, patient_id: int, now: datetime, staff_id: int, version: int) -> None:
    """The phone, its texts and its consent stay. Raises Refused for a contact that is gone or changed."""
    with line.db.begin() as session:
        the_patient(session, patient_id)
        contact = the_contact(session, contact_id, version)
        before = Scope(contact.gets_reminders, contact.told_if_missed)
        who = "the patient's own phone" if contact.kind is ContactKind.PATIENT else contact.name or "a carer"
        relation = f", {contact.relation}" if contact.relation else ""
        keep_scope(session, contact, None, f"removed: {who}{relation}", now, staff_id)
        take_back_beyond(session, contact.phone_id, patient_id, before, Scope(reminders=False, missed=False), now)
        phone_id = contact.phone_id
        session.delete(contact)
        audit(
            session,
            now,
            f"staff:{staff_id}",
            "contact removed",
            f"patient:{patient_id}",
            contact=contact_id,
            phone=phone_id,
            before=before.kept,
        )
