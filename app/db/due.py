"""What is due: read in batches, so that the sweep costs the same whatever else the tables hold."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from sqlalchemy import func, or_, select
from sqlalchemy.orm import Session, aliased

from app.db.among import among
from app.db.care import Appointment, AppointmentState, Reminder, ReminderState
from app.db.people import Contact, ContactKind, Patient, PatientState, Phone
from app.db.supply import Supply
from app.domain.reminders import Target


@dataclass(frozen=True)
class DueReminder:
    id: int
    step: str
    due_at: datetime
    failures: int
    appointment_id: int
    appointment_state: AppointmentState
    starts_at: datetime
    patient_id: int
    patient_state: PatientState
    given_name: str
    language: str
    time_zone: str
    clinic_id: int
    confirmed_at: datetime | None
    early_empty_on: date | None
    filled_on: date | None


_DUE = (
    select(
        Reminder.id,
        Reminder.step,
        Reminder.due_at,
        Reminder.failures,
        Appointment.id.label("appointment_id"),
        Appointment.state.label("appointment_state"),
        Appointment.starts_at,
        Patient.id.label("patient_id"),
        Patient.state.label("patient_state"),
        Patient.given_name,
        Patient.language,
        Patient.time_zone,
        Patient.clinic_id,
        Appointment.confirmed_at,
        Supply.early_empty_on,
        Supply.filled_on,
    )
    .join(Appointment, Appointment.id == Reminder.appointment_id)
    .join(Patient, Patient.id == Appointment.patient_id)
    .outerjoin(Supply, Supply.patient_id == Patient.id)
)


def due_ids(session: Session, now: datetime, limit: int) -> list[int]:
    """Return ids of planned reminders whose time has come, longest due first."""
    statement = (
        select(Reminder.id)
        .where(Reminder.state == ReminderState.PLANNED, Reminder.due_at <= now)
        .order_by(Reminder.due_at)
        .limit(limit)
    )
    return list(session.scalars(statement))


def claim_due(session: Session, ids: Sequence[int]) -> list[DueReminder]:
    """Re-read those still planned, each locked for this transaction and skipped where another machine has it."""
    statement = (
        _DUE.where(Reminder.id.in_(ids), Reminder.state == ReminderState.PLANNED)
        .order_by(Reminder.due_at, Reminder.id)
        .with_for_update(of=Reminder, skip_locked=True)
    )
    return [DueReminder(**row._mapping) for row in session.execute(statement)]


def newest_due(session: Session, appointments: Sequence[int], now: datetime) -> dict[tuple[int, str], datetime]:
    """Return, per visit and kind of step, when its newest due reminder was due."""
    rows = session.execute(
        select(Reminder.appointment_id, Reminder.step, func.max(Reminder.due_at))
        .where(
            Reminder.appointment_id.in_(appointments), Reminder.state == ReminderState.PLANNED, Reminder.due_at <= now
        )
        .group_by(Reminder.appointment_id, Reminder.step)
    )
    newest: dict[tuple[int, str], datetime] = {}
    for appointment_id, step, due_at in rows:
        key = (appointment_id, step.partition(":")[0])
        newest[key] = max(due_at, newest.get(key, due_at))
    return newest


def settled_misses(session: Session, appointments: Sequence[int]) -> set[int]:
    """Return which missed visits are made good: the patient came, or was booked again, after the miss was noticed."""
    later = aliased(Appointment)
    statement = (
        select(Appointment.id)
        .join(later, later.patient_id == Appointment.patient_id)
        .where(
            Appointment.id.in_(appointments),
            Appointment.state == AppointmentState.MISSED,
            later.id != Appointment.id,
            later.state != AppointmentState.CANCELLED,
            or_(later.created_at >= Appointment.missed_at, later.attended_at >= Appointment.missed_at),
        )
    )
    return set(session.scalars(statement))


def carers_told(session: Session, patient_id: int) -> list[tuple[Target, dict[str, Any] | None]]:
    """Return the phones of carers whom the patient lets us tell of a miss, each with what it was last asked."""
    rows = session.execute(
        select(Phone.id, Phone.opted_out_at, Phone.language, Phone.asked, Patient.language.label("patient_language"))
        .join(Contact, Contact.phone_id == Phone.id)
        .join(Patient, Patient.id == Contact.patient_id)
        .where(Contact.patient_id == patient_id, Contact.kind == ContactKind.CARER, Contact.told_if_missed.is_(True))
        .order_by(Contact.id)
    )
    return [
        (Target(row.id, row.opted_out_at is not None, row.language or row.patient_language, 1, carer=True), row.asked)
        for row in rows
    ]


_OF_THESE = among(Contact.patient_id, "patients")
_SERVES = (
    select(Contact.phone_id, func.count(func.distinct(Contact.patient_id)).label("serves"))
    .where(Contact.phone_id.in_(select(Contact.phone_id).where(_OF_THESE)))
    .group_by(Contact.phone_id)
    .subquery()
)
_TARGETS = (
    select(
        Contact.patient_id,
        Phone.id,
        Phone.opted_out_at,
        Phone.language,
        Phone.asked,
        Contact.kind,
        Patient.language.label("patient_language"),
        _SERVES.c.serves,
    )
    .join(Phone, Phone.id == Contact.phone_id)
    .join(Patient, Patient.id == Contact.patient_id)
    .join(_SERVES, _SERVES.c.phone_id == Phone.id)
    .where(_OF_THESE, Contact.gets_reminders.is_(True))
    .order_by(Contact.id)
)


def targets_of(session: Session, patients: Sequence[int]) -> dict[int, list[tuple[Target, dict[str, Any] | None]]]:
    """Return per patient the phones that get reminders, each with what it was last asked."""
    rows = session.execute(_TARGETS, {"patients": list(patients)})
    found: defaultdict[int, list[tuple[Target, dict[str, Any] | None]]] = defaultdict(list)
    for row in rows:
        target = Target(
            row.id,
            row.opted_out_at is not None,
            row.language or row.patient_language,
            row.serves,
            carer=row.kind is ContactKind.CARER,
        )
        found[row.patient_id].append((target, row.asked))
    return dict(found)
