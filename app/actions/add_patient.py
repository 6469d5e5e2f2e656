"""Add a patient by hand, with a first phone where the patient agreed to texts."""

from collections.abc import Mapping
from datetime import datetime

from app.actions.add_contact import keep_contact
from app.actions.audit import audit
from app.actions.contact_entry import ContactEntry, WrongField, ask_for_evidence, checked
from app.actions.import_journal import fresh_id
from app.actions.line import Line
from app.actions.patient_entry import WrongFields, columns_of, read_details, refuse_same_name, refuse_taken
from app.db.inserts import insert_once
from app.db.name_index import Named, index_names
from app.db.people import Clinic, Patient, PatientState
from app.domain.patient_details import Details


def add_patient(
    line: Line,
    clinic_id: int,
    typed: Mapping[str, str],
    contact: ContactEntry | None,
    now: datetime,
    staff_id: int,
    *,
    is_another: bool = False,
) -> int:
    """Return the patient's id. Without a contact nobody is texted about the patient.

    `is_another`: somebody looked, and this is not the patient who has the same name. Raises WrongFields with
    everything that is wrong, MrnTaken, and SameName.
    """
    with line.db.begin() as session:
        clinic = session.get_one(Clinic, clinic_id)
        details = _read(typed, contact, clinic, now)
        refuse_taken(line.db, session, clinic_id, details.mrn)
        if not is_another:
            refuse_same_name(line.db, session, clinic_id, details)
        patient_id = insert_once(
            session,
            Patient,
            ("clinic_id", "mrn_hash"),
            **fresh_id(session),
            clinic_id=clinic_id,
            **columns_of(line.db, details),
            names_indexed=False,
            state=PatientState.ACTIVE,
            version=1,
            created_at=now,
        )
        if patient_id is None:
            refuse_taken(line.db, session, clinic_id, details.mrn)
        assert patient_id is not None
        index_names(line.db, session, [Named(patient_id, clinic_id, details.given_name, details.family_name)])
        audit(session, now, f"staff:{staff_id}", "patient added", f"patient:{patient_id}")
        if contact is not None:
            keep_contact(line.db, session, patient_id, clinic, contact, now, staff_id)
        return patient_id


def _read(typed: Mapping[str, str], contact: ContactEntry | None, clinic: Clinic, now: datetime) -> Details:
    """Return the details as typed; of the contact, it is only looked whether it can be kept."""
    errors: dict[str, str] = {}
    details = None
    try:
        details = read_details(typed, clinic, now)
    except WrongFields as wrong:
        errors |= wrong.errors
    if contact is not None:
        try:
            checked(contact, clinic.country)
            ask_for_evidence(contact)
        except WrongField as wrong:
            errors[wrong.field] = str(wrong)
    if errors or details is None:
        raise WrongFields(errors)
    return details
