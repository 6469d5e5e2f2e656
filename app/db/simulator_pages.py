"""What the simulator shows beside its phone: whom one may text as, the next visit, and what Pumpline did."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import and_, or_, select
from sqlalchemy.orm import Session

from app.db.care import Appointment, AppointmentState, Reminder, ReminderState
from app.db.pages import Person, VisitRow, person_of, visit_of
from app.db.people import Contact, ContactKind, Patient, Phone
from app.db.work import AuditEvent, Task, TaskKind, TaskState

SHOWN = 60


@dataclass(frozen=True)
class Pick:
    """One phone to text as, with the patients it speaks for."""

    phone_id: int
    number: str
    opted_out: bool
    carer: str | None
    relation: str | None
    people: tuple[Person, ...]
    next_visit: datetime | None


@dataclass(frozen=True)
class TaskDone:
    kind: TaskKind
    reason: str
    opened_at: datetime
    raised_at: datetime
    state: TaskState
    acknowledged_at: datetime | None
    by_phone: bool
    resolved_at: datetime | None
    outcome: str | None


@dataclass(frozen=True)
class Deed:
    """One line of the audit trail about this phone or its visits."""

    at: datetime
    actor: str
    verb: str
    subject: str
    detail: dict[str, Any]


@dataclass(frozen=True)
class NotSent:
    """A reminder that was skipped, with the reason."""

    step: str
    at: datetime
    reason: str


@dataclass(frozen=True)
class Planned:
    step: str
    due_at: datetime


@dataclass(frozen=True)
class BesidePhone:
    tasks: tuple[TaskDone, ...]
    deeds: tuple[Deed, ...]
    skipped: tuple[NotSent, ...]


def picks(session: Session, clinic_id: int, most: int) -> tuple[Pick, ...]:
    """Return the phones of the clinic's first contacts."""
    rows = session.execute(
        select(Contact, Phone, Patient)
        .join(Phone, Phone.id == Contact.phone_id)
        .join(Patient, Patient.id == Contact.patient_id)
        .where(Patient.clinic_id == clinic_id)
        .order_by(Contact.id)
        .limit(most * 3)
    ).all()
    by_phone: dict[int, list[tuple[Contact, Phone, Patient]]] = {}
    for contact, phone, patient in rows:
        by_phone.setdefault(phone.id, []).append((contact, phone, patient))
    chosen = list(by_phone.values())[:most]
    visits = _soonest(session, [patient.id for group in chosen for *_, patient in group])
    return tuple(_pick(group, visits) for group in chosen)


def pick_for(session: Session, clinic_id: int, phone_id: int) -> Pick | None:
    """Return one phone of the clinic, also one that nobody we know holds."""
    phone = session.scalar(select(Phone).where(Phone.id == phone_id, Phone.clinic_id == clinic_id))
    if phone is None:
        return None
    rows = session.execute(
        select(Contact, Phone, Patient)
        .join(Phone, Phone.id == Contact.phone_id)
        .join(Patient, Patient.id == Contact.patient_id)
        .where(Phone.id == phone_id)
        .order_by(Contact.id)
    ).all()
    if not rows:
        return Pick(phone.id, phone.number, phone.opted_out_at is not None, None, None, (), None)
    group = [(contact, held, patient) for contact, held, patient in rows]
    return _pick(group, _soonest(session, [patient.id for *_, patient in group]))


def phone_id_of(session: Session, clinic_id: int, number_hash: str) -> int | None:
    return session.scalar(select(Phone.id).where(Phone.clinic_id == clinic_id, Phone.number_hash == number_hash))


def _pick(group: Sequence[tuple[Contact, Phone, Patient]], visits: dict[int, datetime]) -> Pick:
    contact, phone, _ = group[0]
    carer = contact.kind is ContactKind.CARER
    booked = [visits[patient.id] for *_, patient in group if patient.id in visits]
    return Pick(
        phone.id,
        phone.number,
        phone.opted_out_at is not None,
        contact.name if carer else None,
        contact.relation if carer else None,
        tuple(person_of(patient) for *_, patient in group),
        min(booked, default=None),
    )


def _soonest(session: Session, patient_ids: Sequence[int]) -> dict[int, datetime]:
    rows = session.execute(
        select(Appointment.patient_id, Appointment.starts_at)
        .where(Appointment.patient_id.in_(patient_ids), Appointment.state == AppointmentState.BOOKED)
        .order_by(Appointment.starts_at.desc())
    )
    return {row.patient_id: row.starts_at for row in rows}


def visit_at_hand(session: Session, person: Person) -> tuple[VisitRow | None, tuple[Planned, ...]]:
    """Return the visit one would settle next (the soonest booked, else the last missed) and the texts it still owes."""
    of_patient = select(Appointment).where(Appointment.patient_id == person.id)
    visit = session.scalar(
        of_patient.where(Appointment.state == AppointmentState.BOOKED).order_by(Appointment.starts_at).limit(1)
    ) or session.scalar(
        of_patient.where(Appointment.state != AppointmentState.CANCELLED)
        .order_by(Appointment.starts_at.desc())
        .limit(1)
    )
    if visit is None or visit.state is AppointmentState.ATTENDED:
        return None, ()
    planned = session.execute(
        select(Reminder.step, Reminder.due_at)
        .where(Reminder.appointment_id == visit.id, Reminder.state == ReminderState.PLANNED)
        .order_by(Reminder.due_at)
    )
    return visit_of(visit, person), tuple(Planned(row.step, row.due_at) for row in planned)


def beside_phone(session: Session, phone_id: int, patient_ids: Sequence[int]) -> BesidePhone:
    visits = session.scalars(select(Appointment.id).where(Appointment.patient_id.in_(patient_ids))).all()
    subjects = [f"phone:{phone_id}", *(f"appointment:{visit_id}" for visit_id in visits)]
    tasks = session.scalars(
        select(Task)
        .where(or_(Task.phone_id == phone_id, and_(Task.phone_id.is_(None), Task.patient_id.in_(patient_ids))))
        .order_by(Task.id.desc())
        .limit(SHOWN)
    )
    deeds = session.scalars(
        select(AuditEvent).where(AuditEvent.subject.in_(subjects)).order_by(AuditEvent.id.desc()).limit(SHOWN)
    )
    skipped = session.scalars(
        select(Reminder)
        .where(Reminder.appointment_id.in_(visits), Reminder.state == ReminderState.SKIPPED)
        .order_by(Reminder.id.desc())
        .limit(SHOWN)
    )
    return BesidePhone(
        tuple(
            TaskDone(
                task.kind,
                task.reason,
                task.opened_at,
                task.raised_at,
                task.state,
                task.acknowledged_at,
                task.acknowledged_by is None,
                task.resolved_at,
                task.outcome,
            )
            for task in tasks
        ),
        tuple(Deed(deed.at, deed.actor, deed.verb, deed.subject, deed.detail or {}) for deed in deeds),
        tuple(NotSent(r.step, r.settled_at or r.due_at, r.reason or "no reason was kept") for r in skipped),
    )
