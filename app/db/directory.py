"""Who is behind a phone. Read on every text, so in plain columns, not mapped objects."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from weakref import WeakKeyDictionary
from zoneinfo import ZoneInfo

from sqlalchemy import (
    Engine,
    LargeBinary,
    and_,
    bindparam,
    case,
    func,
    literal_column,
    select,
    text,
    type_coerce,
    update,
)
from sqlalchemy.orm import Session

from app.db.care import Appointment, AppointmentState
from app.db.engine import Database, connection_of
from app.db.inserts import insert_once
from app.db.messages import InboundMessage, OutboundMessage
from app.db.people import Clinic, Contact, ContactKind, Patient, PatientState, Phone
from app.db.prepared import Prepared, Row
from app.db.supply import Supply
from app.db.threads import PhoneThread
from app.db.work import Task, TaskKind, TaskState
from app.domain.robots import SAME_WORDS


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
    lately: datetime | None = None  # when its third newest text came: who says the same again and again has three


_clinic, _phone, _contact, _patient = (t.__table__.c for t in (Clinic, Phone, Contact, Patient))
_thread, _text = PhoneThread.__table__.c, InboundMessage.__table__.c
_CLINIC_COLUMNS = len(Clinic.__table__.columns)


def _who() -> Any:
    meant = case((_clinic.id == bindparam("clinic_id"), 0), (_clinic.sender == bindparam("sender"), 1), else_=2)
    clinic = select(Clinic.__table__).order_by(meant, _clinic.id).limit(literal_column("1")).subquery("meant")
    lately = (
        select(_text.received_at)
        .where(_text.phone_id == _phone.id)
        .order_by(_text.id.desc())
        .limit(literal_column("1"))
        .offset(literal_column(str(SAME_WORDS - 1)))
        .scalar_subquery()
    )
    return (
        select(
            *clinic.c,
            _phone.id.label("known_id"),
            _phone.opted_out_at,
            _phone.language.label("spoken"),
            _phone.asked,
            _thread.paused_until,
            _phone.number_gone,
            type_coerce(lately, _text.received_at.type),
            _contact.kind,
            _patient.id.label("patient_id"),
            type_coerce(_patient.given_name, LargeBinary).label("sealed_name"),
            _patient.language.label("patient_language"),
            _patient.state,
        )
        .select_from(
            clinic.outerjoin(
                Phone.__table__,
                and_(_phone.clinic_id == clinic.c.id, _phone.number_hash == bindparam("number_hash")),
            )
            .outerjoin(PhoneThread.__table__, _thread.phone_id == _phone.id)
            .outerjoin(Contact.__table__, _contact.phone_id == _phone.id)
            .outerjoin(Patient.__table__, _patient.id == _contact.patient_id)
        )
        .order_by(_contact.id)
    )


_WHO = Prepared(lambda _: _who(), raw=_CLINIC_COLUMNS)
_GONE = (PatientState.LEFT, PatientState.DECEASED)


@dataclass(frozen=True)
class Who:
    """The clinic that was texted, for reading only, and the phone that texted, where the clinic knows it."""

    clinic: Clinic
    phone: KnownPhone | None


def find_who(session: Session, recipient: str, number_hash: str, *, clinic_id: int = 0) -> Who | None:
    """Return who was texted by whom: the clinic with this id, or with this sender, else the first one.

    None where there is no clinic.
    """
    rows = _WHO.run(session, sender=recipient, number_hash=number_hash, clinic_id=clinic_id)
    if not rows:
        return None
    clinic = _clinic_of(session, rows[0][:_CLINIC_COLUMNS])
    known = [row[_CLINIC_COLUMNS:] for row in rows]
    phone_id, opted_out_at, language, asked, paused_until, number_gone, lately = known[0][:7]
    if phone_id is None:
        return Who(clinic, None)
    people = tuple(
        Behind(patient_id, bytes(sealed_name), spoken, kind is ContactKind.CARER)
        for kind, patient_id, sealed_name, spoken, state in (row[7:] for row in known)
        if patient_id is not None and state not in _GONE
    )
    return Who(
        clinic, KnownPhone(phone_id, opted_out_at, language, asked, people, paused_until, bool(number_gone), lately)
    )


_clinics: WeakKeyDictionary[Engine, dict[str, Clinic]] = WeakKeyDictionary()


def _clinic_of(session: Session, row: Row) -> Clinic:
    """Return the clinic of a row as the driver gave it, made into an object only when it is another than last time."""
    held = repr(row)
    known = _clinics.setdefault(connection_of(session).engine, {})
    if (clinic := known.get(held)) is None:
        clinic = session.get_one(Clinic, row[0], populate_existing=True)
        session.expunge(clinic)
        known.clear()
        known[held] = clinic
    return clinic


def phone_named(db: Database, session: Session, clinic_id: int, number: str, now: datetime) -> int:
    """Return the id of this number's row at the clinic, making it where there is none yet, and its number readable."""
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
    known = select(Phone.id, Phone.number_gone, type_coerce(Phone.number, LargeBinary))
    known = known.where(Phone.clinic_id == clinic_id, Phone.number_hash == number_hash)
    phone_id, number_gone, sealed = session.execute(known).one()
    if number_gone or not db.keyring.opens(bytes(sealed)):
        number_again(session, phone_id, number)
    return phone_id


def number_again(session: Session, phone_id: int, number: str) -> None:
    """Write a phone's number again, of which only the opt-out was kept or which was damaged. The opt-out stays."""
    session.execute(update(Phone.__table__).where(_phone.id == phone_id).values(number=number, number_gone=False))


_REMEMBER = Prepared(lambda _: update(Phone.__table__).where(_phone.id == bindparam("phone")), ("asked",))


def remember(session: Session, phone_id: int, asked: dict[str, Any] | None) -> None:
    """Keep what this phone may still answer."""
    _REMEMBER.run_later(session, phone=phone_id, asked=asked)


def clinic_that_texts(session: Session, number_hash: str) -> int:
    """Return the id of the clinic that last texted a phone, of those that know it; 0 where none does."""
    newest = select(func.max(OutboundMessage.id)).where(OutboundMessage.phone_id == Phone.id).scalar_subquery()
    clinic_id = session.scalar(
        select(Clinic.id)
        .join(Phone, and_(Phone.clinic_id == Clinic.id, Phone.number_hash == number_hash))
        .order_by(func.coalesce(newest, 0).desc(), Clinic.id)
        .limit(1)
    )
    return clinic_id or 0


@dataclass(frozen=True)
class ComingVisit:
    appointment_id: int
    patient_id: int
    starts_at: datetime


_visit = Appointment.__table__.c
_VISITS = Prepared(
    lambda _: select(_visit.id, _visit.patient_id, _visit.starts_at).where(
        _visit.patient_id == bindparam("patient_id"),
        _visit.state == AppointmentState.BOOKED,
        _visit.starts_at > bindparam("now", type_=_visit.starts_at.type),
    )
)


def coming_visits(session: Session, patient_ids: Iterable[int], now: datetime) -> tuple[ComingVisit, ...]:
    """Return the booked visits to come of these patients, soonest first.

    One statement for each: asked for by the phone, PostgreSQL may read every visit of the clinic first.
    """
    found = [ComingVisit(*row) for one in patient_ids for row in _VISITS.run(session, patient_id=one, now=now)]
    return tuple(sorted(found, key=lambda visit: (visit.starts_at, visit.appointment_id)))


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
            text("task.state != 'resolved'"),  # as the index says it: tasks of years are resolved
            Task.state == TaskState.OPEN,
            Task.code.is_not(None),
        )
    )
    return tuple(code for (code,) in rows if code)
