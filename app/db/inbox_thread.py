"""One open thread: its state, what staff wrote and did beside it, and about whom it is."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, time
from decimal import Decimal

from sqlalchemy import and_, cast, func, literal, null, or_, select, union_all
from sqlalchemy.orm import Session

from app.db.care import Appointment, AppointmentState, Pump
from app.db.people import Clinic, Contact, Patient, Phone
from app.db.threads import PhoneThread, ThreadChange, ThreadNote, ThreadSeen, ThreadState
from app.db.work import Task, TaskKind, TaskState

BESIDE = 80  # notes and changes that a page shows
TASKS = 12


@dataclass(frozen=True)
class Head:
    """A thread as its head and its forms need it."""

    phone_id: int
    number: str
    opted_out_at: datetime | None
    state: ThreadState
    assignee_id: int | None
    snoozed_until: datetime | None
    last_in_id: int | None
    last_in_at: datetime | None
    urgent_since: datetime | None
    failed_at: datetime | None
    waiting_since: datetime | None
    language: str
    paused_until: datetime | None
    paused_by: int | None
    version: int
    seen_id: int
    texts_from: time
    texts_until: time


@dataclass(frozen=True)
class Beside:
    """Between the texts: a note, or what somebody did to the thread."""

    id: int
    at: datetime
    staff_id: int | None
    did: str  # note, or as in ThreadChange
    body: str | None = None
    to_id: int | None = None
    until: datetime | None = None
    incoming: bool = False
    note: bool = False
    beside: bool = True


@dataclass(frozen=True)
class PumpLine:
    patient_id: int
    model: str | None
    reservoir_size_ml: Decimal | None
    implanted_on: date | None
    next_visit: datetime | None


@dataclass(frozen=True)
class OtherPhone:
    """Another phone of the same patient."""

    patient_id: int
    phone_id: int
    number: str
    name: str | None
    relation: str | None
    opted_out_at: datetime | None
    failed_at: datetime | None


@dataclass(frozen=True)
class ToDo:
    id: int
    kind: TaskKind
    reason: str
    state: TaskState
    due_at: datetime | None
    version: int
    patient_id: int | None


def head(session: Session, phone_id: int, staff_id: int) -> Head:
    """Return the state of a phone's thread; of one that nobody ever texted, a closed one."""
    row = session.execute(
        select(Phone, PhoneThread, ThreadSeen.seen_id, Clinic.texts_from, Clinic.texts_until)
        .join(Clinic, Clinic.id == Phone.clinic_id)
        .outerjoin(PhoneThread, PhoneThread.phone_id == Phone.id)
        .outerjoin(ThreadSeen, and_(ThreadSeen.phone_id == Phone.id, ThreadSeen.staff_id == staff_id))
        .where(Phone.id == phone_id)
    ).one()
    phone, thread = row.Phone, row.PhoneThread
    return Head(
        phone.id,
        phone.number,
        phone.opted_out_at,
        thread.state if thread else ThreadState.CLOSED,
        thread.assignee_id if thread else None,
        thread.snoozed_until if thread else None,
        thread.last_in_id if thread else None,
        thread.last_in_at if thread else None,
        thread.urgent_since if thread else None,
        thread.failed_at if thread else None,
        thread.waiting_since if thread else None,
        (thread.language if thread else None) or phone.language or "en",
        thread.paused_until if thread else None,
        thread.paused_by if thread else None,
        thread.version if thread else 1,
        row.seen_id or 0,
        row.texts_from,
        row.texts_until,
    )


def beside(session: Session, phone_id: int) -> tuple[Beside, ...]:
    """Return the newest notes and changes, oldest first."""
    note, change = ThreadNote, ThreadChange
    nobody, never = cast(null(), change.to_id.type), cast(null(), change.until.type)
    words = cast(null(), note.body.type)
    of_notes = (
        select(
            note.id,
            note.at,
            note.staff_id,
            literal("note").label("did"),
            note.body,
            nobody.label("to_id"),
            never.label("until"),
        )
        .where(note.phone_id == phone_id)
        .order_by(note.id.desc())
        .limit(BESIDE)
    )
    of_changes = (
        select(
            change.id,
            change.at,
            change.staff_id,
            change.did,
            words.label("body"),
            change.to_id,
            change.until,
        )
        .where(change.phone_id == phone_id)
        .order_by(change.id.desc())
        .limit(BESIDE)
    )
    both = union_all(select(of_notes.subquery()), select(of_changes.subquery()))
    found = [Beside(*row) for row in session.execute(both)]
    return tuple(sorted(found, key=lambda entry: (entry.at, entry.did == "note", entry.id)))[-BESIDE:]


def last_change(session: Session, phone_id: int) -> Beside | None:
    """Return what was done to a thread last, for whoever was too late."""
    row = session.scalars(
        select(ThreadChange).where(ThreadChange.phone_id == phone_id).order_by(ThreadChange.id.desc()).limit(1)
    ).first()
    return Beside(row.id, row.at, row.staff_id, row.did, None, row.to_id, row.until) if row else None


def change_of(session: Session, clinic_id: int, change_id: int) -> tuple[ThreadChange, int, str] | None:
    """Return a change of this clinic, with the version that its thread has now and the phone's number."""
    row = session.execute(
        select(ThreadChange, PhoneThread.version, Phone.number)
        .join(PhoneThread, PhoneThread.phone_id == ThreadChange.phone_id)
        .join(Phone, Phone.id == ThreadChange.phone_id)
        .where(ThreadChange.id == change_id, ThreadChange.clinic_id == clinic_id)
    ).first()
    return (row[0], row[1], row[2]) if row else None


def pumps_of(session: Session, patients: Sequence[int], now: datetime) -> dict[int, PumpLine]:
    """Return each patient's present pump and next visit."""
    following = (
        select(Appointment.patient_id, func.min(Appointment.starts_at).label("starts_at"))
        .where(
            Appointment.patient_id.in_(patients),
            Appointment.state == AppointmentState.BOOKED,
            Appointment.starts_at > now,
        )
        .group_by(Appointment.patient_id)
        .subquery()
    )
    rows = session.execute(
        select(Patient.id, Pump.model, Pump.reservoir_size_ml, Pump.implanted_on, following.c.starts_at)
        .outerjoin(Pump, and_(Pump.patient_id == Patient.id, Pump.removed_on.is_(None)))
        .outerjoin(following, following.c.patient_id == Patient.id)
        .where(Patient.id.in_(patients))
        .order_by(Pump.id)
    )
    return {row[0]: PumpLine(*row) for row in rows}


def other_phones(session: Session, patients: Sequence[int], phone_id: int) -> tuple[OtherPhone, ...]:
    """Return the other phones that speak for these patients."""
    rows = session.execute(
        select(
            Contact.patient_id,
            Phone.id,
            Phone.number,
            Contact.name,
            Contact.relation,
            Phone.opted_out_at,
            PhoneThread.failed_at,
        )
        .join(Phone, Phone.id == Contact.phone_id)
        .outerjoin(PhoneThread, PhoneThread.phone_id == Phone.id)
        .where(Contact.patient_id.in_(patients), Contact.phone_id != phone_id)
        .order_by(Contact.id)
        .limit(20)
    )
    return tuple(OtherPhone(*row) for row in rows)


def to_do(session: Session, clinic_id: int, phone_id: int, patients: Sequence[int]) -> tuple[ToDo, ...]:
    """Return what is open about this phone or its patients; alerts stand over the thread."""
    rows = session.scalars(
        select(Task)
        .where(
            Task.clinic_id == clinic_id,
            Task.state != TaskState.RESOLVED,
            Task.kind != TaskKind.ALERT,
            or_(Task.phone_id == phone_id, Task.patient_id.in_(patients)),
        )
        .order_by(Task.opened_at)
        .limit(TASKS)
    )
    return tuple(ToDo(t.id, t.kind, t.reason, t.state, t.due_at, t.version, t.patient_id) for t in rows)
