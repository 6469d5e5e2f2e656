"""Who is behind a phone. Read on every text, so in plain columns, not mapped objects."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import bindparam, select, update
from sqlalchemy.orm import Session

from app.db.care import Appointment, AppointmentState
from app.db.engine import Database, connection_of
from app.db.inserts import insert_once
from app.db.people import Clinic, Contact, ContactKind, Patient, PatientState, Phone
from app.db.work import Task, TaskKind, TaskState


@dataclass(frozen=True)
class Behind:
    """A patient whom a phone may speak for."""

    patient_id: int
    given_name: str
    language: str
    is_carer: bool


@dataclass(frozen=True)
class KnownPhone:
    id: int
    opted_out_at: datetime | None
    language: str | None
    asked: dict[str, Any] | None
    people: tuple[Behind, ...]


# On tables, not classes: this runs for every text, and loading through the ORM costs more than the query.
_phone, _contact, _patient = Phone.__table__.c, Contact.__table__.c, Patient.__table__.c
_PHONE = (
    select(
        _phone.id,
        _phone.opted_out_at,
        _phone.language,
        _phone.asked,
        _contact.kind,
        _patient.id.label("patient_id"),
        _patient.given_name,
        _patient.language.label("patient_language"),
        _patient.state,
    )
    .select_from(
        Phone.__table__.outerjoin(Contact.__table__, _contact.phone_id == _phone.id).outerjoin(
            Patient.__table__, _patient.id == _contact.patient_id
        )
    )
    .where(_phone.clinic_id == bindparam("clinic_id"), _phone.number_hash == bindparam("number_hash"))
    .order_by(_contact.id)
)
_GONE = (PatientState.LEFT, PatientState.DECEASED)


def find_phone(session: Session, clinic_id: int, number_hash: str) -> KnownPhone | None:
    rows = connection_of(session).execute(_PHONE, {"clinic_id": clinic_id, "number_hash": number_hash}).all()
    if not rows:
        return None
    people = tuple(
        Behind(row.patient_id, row.given_name, row.patient_language, row.kind == ContactKind.CARER)
        for row in rows
        if row.patient_id is not None and row.state not in _GONE
    )
    first = rows[0]
    return KnownPhone(first.id, first.opted_out_at, first.language, first.asked, people)


def phone_named(db: Database, session: Session, clinic_id: int, number: str, now: datetime) -> int:
    """Return the id of this number's row at the clinic, making it where there is none yet."""
    number_hash = db.hash_of(number)
    made = insert_once(
        session,
        Phone,
        ("clinic_id", "number_hash"),
        clinic_id=clinic_id,
        number=number,
        number_hash=number_hash,
        created_at=now,
    )
    if made is not None:
        return made
    return session.execute(
        select(Phone.id).where(Phone.clinic_id == clinic_id, Phone.number_hash == number_hash)
    ).scalar_one()


_REMEMBER = update(Phone.__table__).where(_phone.id == bindparam("phone"))


def remember(session: Session, phone_id: int, asked: dict[str, Any] | None) -> None:
    """Keep what this phone may still answer."""
    connection_of(session).execute(_REMEMBER, {"phone": phone_id, "asked": asked})


_CLINIC = select(Clinic).where(Clinic.sender == bindparam("sender"))
_FIRST_CLINIC = select(Clinic).order_by(Clinic.id).limit(1)


def clinic_for(session: Session, recipient: str) -> Clinic | None:
    """Return the clinic that was texted: by its sender, else the first one."""
    clinic = session.execute(_CLINIC, {"sender": recipient}).scalars().first() if recipient else None
    return clinic or session.execute(_FIRST_CLINIC).scalars().first()


@dataclass(frozen=True)
class ComingVisit:
    appointment_id: int
    patient_id: int
    starts_at: datetime


_VISITS = (
    select(Appointment.id, Appointment.patient_id, Appointment.starts_at)
    .where(
        Appointment.patient_id.in_(bindparam("patients", expanding=True)),
        Appointment.state == AppointmentState.BOOKED,
        Appointment.starts_at > bindparam("now"),
    )
    .order_by(Appointment.starts_at)
)


def coming_visits(session: Session, patients: Sequence[int], now: datetime) -> tuple[ComingVisit, ...]:
    rows = session.execute(_VISITS, {"patients": list(patients), "now": now}).all()
    return tuple(ComingVisit(row.id, row.patient_id, row.starts_at) for row in rows)


def open_alert_codes(session: Session, clinic_id: int) -> tuple[str, ...]:
    """Return the codes of alerts that nobody has acknowledged."""
    rows = session.execute(
        select(Task.code).where(
            Task.clinic_id == clinic_id,
            Task.kind == TaskKind.ALERT,
            Task.state == TaskState.OPEN,
            Task.code.is_not(None),
        )
    )
    return tuple(code for (code,) in rows if code)
