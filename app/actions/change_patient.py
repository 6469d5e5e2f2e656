"""Change who a patient is: names, record number, birth date, language, time zone."""

from collections.abc import Mapping
from datetime import datetime

from sqlalchemy import select, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from app.actions.audit import audit
from app.actions.errors import Refused
from app.actions.line import Line
from app.actions.patient_entry import read_details, refuse_same_name, refuse_taken
from app.actions.replan_zone import replan_zone
from app.actions.supply import refresh_supply
from app.actions.threads import language_of
from app.actions.visits import the_patient
from app.db.name_index import Named, index_names
from app.db.people import Contact, ContactKind, Patient, Phone
from app.db.threads import PhoneThread
from app.domain.patient_details import DETAILS

_WHO = {"given_name", "family_name", "born_on"}


def change_patient(
    line: Line,
    patient_id: int,
    typed: Mapping[str, str],
    now: datetime,
    staff_id: int,
    version: int,
    *,
    is_another: bool = False,
) -> tuple[str, ...]:
    """Return which details changed; reminders, search and the language of texts follow in the same transaction.

    `is_another`: somebody looked, and this is not the patient who is called the same from now on. Raises WrongFields,
    MrnTaken, SameName, and Refused for a patient whom someone changed since `version`.
    """
    mrn = ""
    try:
        with line.db.begin() as session:
            patient = the_patient(session, patient_id)
            if patient.version != version:
                raise Refused("someone changed this patient meanwhile: nothing of yours is saved yet", "conflict")
            details = read_details(typed, patient.clinic, now)
            changed = tuple(name for name in DETAILS if getattr(patient, name) != getattr(details, name))
            if not changed:
                return ()
            if _WHO & set(changed) and not is_another:
                refuse_same_name(line.db, session, patient.clinic_id, details, patient_id=patient_id)
            if "mrn" in changed:
                mrn = details.mrn
                refuse_taken(line.db, session, patient.clinic_id, mrn)
                patient.mrn_hash = line.db.hash_of(mrn)
            for name in changed:
                setattr(patient, name, getattr(details, name))
            patient.version += 1
            session.flush()
            _follow(line, session, patient, changed, now)
            audit(session, now, f"staff:{staff_id}", "patient changed", f"patient:{patient_id}", fields=list(changed))
            return changed
    except IntegrityError:  # somebody gave the number to another patient at the same instant
        if mrn:
            with line.db.read() as session:
                refuse_taken(line.db, session, session.get_one(Patient, patient_id).clinic_id, mrn)
        raise


def _follow(line: Line, session: Session, patient: Patient, changed: tuple[str, ...], now: datetime) -> None:
    if {"given_name", "family_name"} & set(changed):
        index_names(line.db, session, [Named(patient.id, patient.clinic_id, patient.given_name, patient.family_name)])
    if "time_zone" in changed:
        replan_zone(session, patient, now)
        refresh_supply(session, patient, patient.clinic, now, "time zone changed")
    if "language" in changed:
        _speak(session, patient)


def _speak(session: Session, patient: Patient) -> None:
    """Have the patient's own phones texted in the patient's language, whatever was last texted from them."""
    own = select(Contact.phone_id).where(Contact.patient_id == patient.id, Contact.kind == ContactKind.PATIENT)
    for phone_id in session.scalars(own).all():
        session.execute(update(Phone).where(Phone.id == phone_id).values(language=None))
        spoken = language_of(session, phone_id)
        session.execute(update(PhoneThread).where(PhoneThread.phone_id == phone_id).values(language=spoken))
