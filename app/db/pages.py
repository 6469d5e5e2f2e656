"""What the staff pages show, read into plain values: warnings, tasks, visits, and who is signed in for which clinic."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import case, func, literal_column, select
from sqlalchemy.orm import Session, aliased

from app.db.among import among
from app.db.care import Appointment, AppointmentState
from app.db.heartbeat import heartbeat
from app.db.messages import InboundMessage
from app.db.people import Clinic, Contact, ContactKind, Patient, PatientState, Phone, Staff
from app.db.threads import ACTIVE, COUNTED, REST, PhoneThread
from app.db.work import Task, TaskKind, TaskState, TaskText
from app.domain.permissions import Permission, Role, may
from app.domain.urgency import danger


@dataclass(frozen=True)
class ClinicFacts:
    """The clinic of whoever is signed in."""

    id: int
    name: str
    phone: str
    after_hours_phone: str
    emergency_number: str
    country: str
    time_zone: str
    on_call_phone: str | None
    missed_after_minutes: int

    @property
    def zone(self) -> ZoneInfo:
        return ZoneInfo(self.time_zone)


@dataclass(frozen=True)
class Person:
    id: int
    given_name: str
    family_name: str
    born_on: str | None
    mrn: str
    language: str
    time_zone: str
    state: PatientState

    @property
    def zone(self) -> ZoneInfo:
        return ZoneInfo(self.time_zone)


@dataclass(frozen=True)
class Caller:
    """A phone, and whom it speaks for when it is a carer's."""

    id: int
    number: str
    opted_out_at: datetime | None
    carer: str | None = None
    relation: str | None = None


@dataclass(frozen=True)
class Words:
    """What a patient wrote, with the moment."""

    at: datetime
    body: str


@dataclass(frozen=True)
class TaskRow:
    id: int
    kind: TaskKind
    category: str | None
    reason: str
    state: TaskState
    opened_at: datetime
    raised_at: datetime
    pages: int
    next_page_at: datetime | None
    acknowledged_at: datetime | None
    acknowledged_by: str | None  # None once acknowledged: the on-call phone
    version: int
    person: Person | None
    caller: Caller | None
    words: tuple[Words, ...]  # oldest first
    due_at: datetime | None = None  # None: as soon as somebody can
    needed_by: date | None = None  # of a refill or replacement


@dataclass(frozen=True)
class VisitRow:
    id: int
    starts_at: datetime
    state: AppointmentState
    confirmed_at: datetime | None
    missed_at: datetime | None
    version: int
    person: Person
    late_reason: str | None = None  # why it lies after the plan-by date
    missed_reason: str | None = None  # domain.why_missed


@dataclass(frozen=True)
class LineHealth:
    """What may stop alerts or texts from arriving."""

    on_call_set: bool
    on_call_opted_out: bool
    failing_jobs: tuple[tuple[str, int], ...]
    stopped: bool  # the heartbeat beats no more


def first_clinic(session: Session) -> ClinicFacts | None:
    clinic = session.scalar(select(Clinic).order_by(Clinic.id).limit(1))
    return facts_of(clinic) if clinic else None


def facts_of(clinic: Clinic) -> ClinicFacts:
    return ClinicFacts(
        clinic.id,
        clinic.name,
        clinic.phone,
        clinic.after_hours_phone,
        clinic.emergency_number,
        clinic.country,
        clinic.time_zone,
        clinic.on_call_phone,
        clinic.missed_after_minutes,
    )


def line_health(session: Session, clinic: ClinicFacts, opted_out: bool, now: datetime) -> LineHealth:
    """`opted_out`: whether the on-call phone takes no texts (OpenCounts)."""
    beats = heartbeat(session, now)
    failing = tuple((job.name, job.failures) for job in beats.failing)
    return LineHealth(bool(clinic.on_call_phone), opted_out, failing, beats.stopped)


def colleagues(session: Session, clinic_id: int) -> tuple[tuple[int, str], ...]:
    """Return id and name of everybody at the clinic who may see to a patient."""
    able = [role for role in Role if may(role, Permission.WRITE_PATIENTS)]
    rows = session.execute(
        select(Staff.id, Staff.name)
        .where(Staff.clinic_id == clinic_id, Staff.active.is_(True), Staff.role.in_(able))
        .order_by(Staff.name)
    )
    return tuple((staff_id, name) for staff_id, name in rows)


def person_of(patient: Patient) -> Person:
    return Person(
        patient.id,
        patient.given_name,
        patient.family_name,
        patient.born_on,
        patient.mrn,
        patient.language,
        patient.time_zone,
        patient.state,
    )


# The most dangerous first: where there are more than a page shows, what is left out is the mildest.
_DANGER = (
    (TaskKind.ALERT,),
    (TaskKind.MISSED_REFILL, TaskKind.NOT_ARRIVED, TaskKind.SUPPLY, TaskKind.LATE_BOOKING),
    (TaskKind.CHECK_PUMP, TaskKind.SECOND_PERSON, TaskKind.RECORD_REFILL, TaskKind.BATTERY),
    (TaskKind.UNDELIVERED, TaskKind.CALL_INSTEAD),
    (TaskKind.UNCONFIRMED,),
)
_RANKS = {kind: rank for rank, kinds in enumerate(_DANGER) for kind in kinds}
_RANK = case(*((Task.kind == kind, rank) for kind, rank in _RANKS.items()), else_=len(_DANGER))
_SOONEST_LAST = datetime.max.replace(tzinfo=UTC)


def _worst_first(row: Any) -> tuple[Any, ...]:
    task = row[0]
    worst = danger(task.category) if task.kind is TaskKind.ALERT else 0
    due = (task.due_at or _SOONEST_LAST, task.needed_by or date.max)
    return _RANKS.get(task.kind, len(_DANGER)), task.state is not TaskState.OPEN, worst, *due, task.opened_at


def open_tasks(
    session: Session, clinic_id: int, limit: int = 200, *, patient_id: int | None = None
) -> tuple[TaskRow, ...]:
    """Return what nobody has resolved, of one patient or of all: alerts first, then by danger, unacknowledged before
    acknowledged, the worst, the soonest due and then the longest wait first."""
    acknowledger = aliased(Staff)
    about = () if patient_id is None else (Task.patient_id == patient_id,)
    rows = session.execute(
        select(Task, Patient, Phone, acknowledger.name)
        .outerjoin(Patient, Patient.id == Task.patient_id)
        .outerjoin(Phone, Phone.id == Task.phone_id)
        .outerjoin(acknowledger, acknowledger.id == Task.acknowledged_by)
        .where(Task.clinic_id == clinic_id, Task.state != TaskState.RESOLVED, *about)
        .order_by(
            _RANK,
            Task.state != TaskState.OPEN,
            Task.due_at.is_(None),
            Task.due_at,
            Task.needed_by.is_(None),
            Task.needed_by,
            Task.opened_at,
            Task.id,
        )
        .limit(limit)
    ).all()
    rows = sorted(rows, key=_worst_first)
    words = _words_of(session, [task.id for task, *_ in rows])
    callers = _callers(session, [(task.phone_id, task.patient_id) for task, *_ in rows])
    people = _people_behind(session, [task.phone_id for task, patient, *_ in rows if patient is None])
    return tuple(
        TaskRow(
            task.id,
            task.kind,
            task.category,
            task.reason,
            task.state,
            task.opened_at,
            task.raised_at,
            task.pages,
            task.next_page_at,
            task.acknowledged_at,
            name,
            task.version,
            person_of(patient) if patient else people.get(task.phone_id),
            _caller(phone, callers) if phone else None,
            tuple(words.get(task.id, ())),
            task.due_at,
            task.needed_by,
        )
        for task, patient, phone, name in rows
    )


@dataclass(frozen=True)
class OpenCounts:
    """What waits at a clinic: alerts and other tasks without an outcome; threads, counted up to COUNTED."""

    alerts: int
    others: int
    threads: int  # in which somebody waits for a person, or could not be reached
    on_call_opted_out: bool


def open_counts(session: Session, clinic_id: int, on_call_hash: str | None) -> OpenCounts:
    """Count what waits, in one statement: every page asks."""
    unsettled = select(func.count()).where(Task.clinic_id == clinic_id, Task.state != TaskState.RESOLVED)
    waiting = (
        select(literal_column("1"))
        .select_from(PhoneThread)
        .where(PhoneThread.clinic_id == clinic_id, PhoneThread.state.in_(ACTIVE), PhoneThread.rank < REST)
        .limit(COUNTED)
        .subquery()
    )
    row = session.execute(
        select(
            unsettled.where(Task.kind == TaskKind.ALERT).scalar_subquery(),
            unsettled.where(Task.kind != TaskKind.ALERT).scalar_subquery(),
            select(func.count()).select_from(waiting).scalar_subquery(),
            select(func.count())
            .where(
                Phone.clinic_id == clinic_id,
                Phone.number_hash == (on_call_hash or ""),
                Phone.opted_out_at.is_not(None),
            )
            .scalar_subquery(),
        )
    ).one()
    return OpenCounts(row[0], row[1], row[2], bool(row[3]))


def visits_between(
    session: Session, clinic_id: int, start: datetime, end: datetime, limit: int = 200
) -> tuple[VisitRow, ...]:
    rows = session.execute(
        select(Appointment, Patient)
        .join(Patient, Patient.id == Appointment.patient_id)
        .where(
            Appointment.clinic_id == clinic_id,
            Appointment.state != AppointmentState.CANCELLED,
            Appointment.starts_at >= start,
            Appointment.starts_at < end,
        )
        .order_by(Appointment.starts_at, Appointment.id)
        .limit(limit)
    )
    return tuple(visit_of(visit, person_of(patient)) for visit, patient in rows)


def visit_of(visit: Appointment, person: Person) -> VisitRow:
    return VisitRow(
        visit.id,
        visit.starts_at,
        visit.state,
        visit.confirmed_at,
        visit.missed_at,
        visit.version,
        person,
        visit.late_reason,
        visit.missed_reason,
    )


def _words_of(session: Session, task_ids: Sequence[int]) -> dict[int, list[Words]]:
    found: dict[int, list[Words]] = {}
    if not task_ids:
        return found
    rows = session.execute(
        select(TaskText.task_id, TaskText.at, InboundMessage.body)
        .join(InboundMessage, InboundMessage.id == TaskText.inbound_id)
        .where(among(TaskText.task_id, task_ids))
        .order_by(TaskText.id)
    )
    for task_id, at, body in rows:
        found.setdefault(task_id, []).append(Words(at, body))
    return found


Carers = dict[int, tuple[str | None, str | None]]


def _callers(session: Session, pairs: Iterable[tuple[int | None, int | None]]) -> Carers:
    """Return who holds each phone, where the phone is a carer's."""
    phone_ids = {phone_id for phone_id, _ in pairs if phone_id}
    if not phone_ids:
        return {}
    rows = session.execute(
        select(Contact.phone_id, Contact.name, Contact.relation).where(
            among(Contact.phone_id, phone_ids), Contact.kind == ContactKind.CARER
        )
    )
    return {phone_id: (name, relation) for phone_id, name, relation in rows}


def _caller(phone: Phone, carers: Carers) -> Caller:
    name, relation = carers.get(phone.id, (None, None))
    return Caller(phone.id, phone.number, phone.opted_out_at, name, relation)


def _people_behind(session: Session, phone_ids: Iterable[int | None]) -> dict[int | None, Person]:
    """Return the one patient behind a phone; nobody where it serves several or none."""
    wanted = {phone_id for phone_id in phone_ids if phone_id}
    if not wanted:
        return {}
    rows = session.execute(
        select(Contact.phone_id, Patient)
        .join(Patient, Patient.id == Contact.patient_id)
        .where(among(Contact.phone_id, wanted))
    ).all()
    served = [phone_id for phone_id, _ in rows]
    return {phone_id: person_of(patient) for phone_id, patient in rows if served.count(phone_id) == 1}
