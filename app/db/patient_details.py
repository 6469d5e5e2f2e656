"""Who a patient is and in which state, as their form starts, and who changed that last."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from app.db.care import Appointment, AppointmentState, Reminder, ReminderState
from app.db.people import Patient, PatientState, Staff
from app.db.work import AuditEvent
from app.domain.audit_words import who
from app.domain.patient_details import Details

ADDED, CHANGED, STATE_SET = "patient added", "patient changed", "state set"


@dataclass(frozen=True)
class Deed:
    """Who did something, and when."""

    name: str
    at: datetime


@dataclass(frozen=True)
class StoredPatient:
    details: Details
    version: int
    state: PatientState
    state_set: Deed | None
    visits: tuple[datetime, ...]  # booked
    reminders: int  # still to come


def stored_patient(session: Session, patient_id: int) -> StoredPatient:
    patient = session.get_one(Patient, patient_id)
    booked = select(Appointment.starts_at).where(
        Appointment.patient_id == patient_id, Appointment.state == AppointmentState.BOOKED
    )
    planned = (
        select(func.count())
        .select_from(Reminder)
        .join(Appointment, Appointment.id == Reminder.appointment_id)
        .where(Appointment.patient_id == patient_id, Reminder.state == ReminderState.PLANNED)
    )
    return StoredPatient(
        Details(
            patient.family_name,
            patient.given_name,
            patient.mrn,
            patient.born_on,
            patient.language,
            patient.time_zone,
        ),
        patient.version,
        patient.state,
        last_deed(session, patient_id, STATE_SET),
        tuple(session.scalars(booked.order_by(Appointment.starts_at))),
        session.scalar(planned) or 0,
    )


def last_deed(session: Session, patient_id: int, *verbs: str) -> Deed | None:
    """Return who did one of these to the patient last; None where nothing of it is on record, as after an import."""
    found = session.execute(
        select(AuditEvent.at, AuditEvent.actor)
        .where(AuditEvent.subject == f"patient:{patient_id}", AuditEvent.verb.in_(verbs))
        .order_by(AuditEvent.id.desc())
        .limit(1)
    ).first()
    if found is None:
        return None
    kind, _, row_id = found.actor.partition(":")
    name = session.scalar(select(Staff.name).where(Staff.id == int(row_id))) if kind == "staff" else None
    return Deed(who(found.actor, name), found.at)
