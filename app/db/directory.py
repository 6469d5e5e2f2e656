"""Who is behind a phone. Read on every text, so in plain columns, not mapped objects."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from weakref import WeakKeyDictionary
from zoneinfo import ZoneInfo

from sqlalchemy import Engine, LargeBinary, and_, bindparam, case, func, literal_column, select, type_coerce, update
from sqlalchemy.orm import Session

from app.db.care import Appointment, AppointmentState
from app.db.engine import Database, connection_of
from app.db.inserts import insert_once
from app.db.messages import OutboundMessage
from app.db.people import Clinic, Contact, ContactKind, Patient, PatientState, Phone
from app.db.prepared import Prepared
from app.db.supply import Supply
from app.db.threads import PhoneThread
from app.db.work import Task, TaskKind, TaskState


@dataclass(frozen=True)
class Behind:
    """A patient whom a phone may speak for."""

    patient_id: int
    sealed_name: bytes  # the given name, opened only where it is said
    language: str
    is_carer: bool


@dataclass(frozen=True)
class KnownPhone:
    id: int
    opted_out_at: datetime | None
    language: str | None
    asked: dict[str, Any] | None
    people: tuple[Behind, ...]
    paused_until: datetime | None = None  # a nurse has the conversation
    number_gone: bool = False  # whoever had it was erased: `number_again`


_phone, _contact, _patient = Phone.__table__.c, Contact.__table__.c, Patient.__table__.c
_thread = PhoneThread.__table__.c
_PHONE = Prepared(
    lambda _: (
        select(
            _phone.id,
            _phone.opted_out_at,
            _phone.language,
            _phone.asked,
            _thread.paused_until,
            _phone.number_gone,
            _contact.kind,
            _patient.id.label("patient_id"),
            type_coerce(_patient.given_name, LargeBinary).label("sealed_name"),
            _patient.language.label("patient_language"),
            _patient.state,
        )
        .select_from(
            Phone.__table__.outerjoin(PhoneThread.__table__, _thread.phone_id == _phone.id)
            .outerjoin(Contact.__table__, _contact.phone_id == _phone.id)
            .outerjoin(Patient.__table__, _patient.id == _contact.patient_id)
        )
        .where(_phone.clinic_id == bindparam("clinic_id"), _phone.number_hash == bindparam("number_hash"))
        .order_by(_contact.id)
    )
)
_GONE = (PatientState.LEFT, PatientState.DECEASED)


def find_phone(session: Session, clinic_id: int, number_hash: str) -> KnownPhone | None:
    rows = _PHONE.run(session, clinic_id=clinic_id, number_hash=number_hash)
    if not rows:
        return None
    phone_id, opted_out_at, phone_language, asked, paused_until, number_gone = rows[0][:6]
    people = tuple(
        Behind(patient_id, bytes(sealed_name), language, kind is ContactKind.CARER)
        for _, _, _, _, _, _, kind, patient_id, sealed_name, language, state in rows
        if patient_id is not None and state not in _GONE
    )
    return KnownPhone(phone_id, opted_out_at, phone_language, asked, people, paused_until, bool(number_gone))


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
    known = select(Phone.id, Phone.number_gone).where(Phone.clinic_id == clinic_id, Phone.number_hash == number_hash)
    phone_id, number_gone = session.execute(known).one()
    if number_gone:
        number_again(session, phone_id, number)
    return phone_id


def number_again(session: Session, phone_id: int, number: str) -> None:
    """Write the number of a phone again, of which only the opt-out was kept. The opt-out stays."""
    session.execute(update(Phone.__table__).where(_phone.id == phone_id).values(number=number, number_gone=False))


_REMEMBER = Prepared(lambda _: update(Phone.__table__).where(_phone.id == bindparam("phone")), ("asked",))


def remember(session: Session, phone_id: int, asked: dict[str, Any] | None) -> None:
    """Keep what this phone may still answer."""
    _REMEMBER.run(session, phone=phone_id, asked=asked)


_clinic = Clinic.__table__.c
_CLINIC = Prepared(
    lambda _: (
        select(Clinic.__table__)
        .order_by(case((_clinic.sender == bindparam("sender"), 0), else_=1), _clinic.id)
        .limit(literal_column("1"))
    ),
    raw=True,
)
_clinics: WeakKeyDictionary[Engine, dict[Any, Clinic]] = WeakKeyDictionary()


def clinic_for(session: Session, recipient: str) -> Clinic | None:
    """Return the clinic that was texted: by its sender, else the first one. For reading only.

    The row is read each time, and made into an object only when it is not the row of last time.
    """
    rows = _CLINIC.run(session, sender=recipient)
    if not rows:
        return None
    row = repr(tuple(rows[0]))  # PostgreSQL's holds a list
    known = _clinics.setdefault(connection_of(session).engine, {})
    if (clinic := known.get(row)) is None:
        clinic = session.get_one(Clinic, rows[0][0], populate_existing=True)
        session.expunge(clinic)
        known.clear()
        known[row] = clinic
    return clinic


def clinic_that_texts(session: Session, number_hash: str) -> Clinic | None:
    """Return the clinic that last texted a phone, of those that know it; None where none does. For reading only."""
    newest = select(func.max(OutboundMessage.id)).where(OutboundMessage.phone_id == Phone.id).scalar_subquery()
    clinic = session.scalar(
        select(Clinic)
        .join(Phone, and_(Phone.clinic_id == Clinic.id, Phone.number_hash == number_hash))
        .order_by(func.coalesce(newest, 0).desc(), Clinic.id)
        .limit(1)
    )
    if clinic is not None:
        session.expunge(clinic)
    return clinic


@dataclass(frozen=True)
class ComingVisit:
    appointment_id: int
    patient_id: int
    starts_at: datetime


_visit = Appointment.__table__.c
_VISITS = Prepared(
    lambda _: (
        select(_visit.id, _visit.patient_id, _visit.starts_at)
        .select_from(Appointment.__table__.join(Contact.__table__, _contact.patient_id == _visit.patient_id))
        .where(
            _contact.phone_id == bindparam("phone_id"),
            _visit.state == AppointmentState.BOOKED,
            _visit.starts_at > bindparam("now", type_=_visit.starts_at.type),
        )
        .order_by(_visit.starts_at)
    )
)


def coming_visits(session: Session, phone_id: int, now: datetime) -> tuple[ComingVisit, ...]:
    """Return the booked visits to come of everybody this phone speaks for, soonest first."""
    return tuple(ComingVisit(*row) for row in _VISITS.run(session, phone_id=phone_id, now=now))


def visits_in_time(session: Session, coming: Sequence[ComingVisit], time_zone: str) -> dict[int, datetime]:
    """Return, by visit, the soonest other one of the same patient that lies on or before the day by which the refill
    must be planned: with it, the visit may be given up. Nothing is read where nobody has two visits."""
    served = [visit.patient_id for visit in coming]
    twice = {patient_id for patient_id in served if served.count(patient_id) > 1}
    if not twice:
        return {}
    rows = session.execute(select(Supply.patient_id, Supply.plan_by).where(Supply.patient_id.in_(twice)))
    plan_by = {patient_id: day for patient_id, day in rows if day is not None}
    zone, found = ZoneInfo(time_zone), dict[int, datetime]()
    for visit in coming:
        for other in coming:
            same = other.patient_id == visit.patient_id and other.appointment_id != visit.appointment_id
            day = plan_by.get(visit.patient_id)
            if same and day is not None and other.starts_at.astimezone(zone).date() <= day:
                found.setdefault(visit.appointment_id, other.starts_at)
    return found


_OPTED_OUT = Prepared(
    lambda _: select(_phone.opted_out_at).where(
        _phone.clinic_id == bindparam("clinic_id"), _phone.number_hash == bindparam("number_hash")
    )
)


def has_opted_out(session: Session, clinic_id: int, number_hash: str) -> bool:
    rows = _OPTED_OUT.run(session, clinic_id=clinic_id, number_hash=number_hash)
    return bool(rows) and rows[0][0] is not None


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
