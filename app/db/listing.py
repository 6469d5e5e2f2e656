"""Reading queries behind the lists of the command line."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from zoneinfo import ZoneInfo

from sqlalchemy import ScalarSelect, desc, func, select
from sqlalchemy.orm import Session, selectinload

from app.db.care import Appointment, AppointmentState, EntryState, Program, Pump, Refill, Reminder
from app.db.care_listing import KnownDates, StepLine, known_dates, limited, list_steps
from app.db.messages import InboundMessage, OutboundMessage
from app.db.people import Clinic, Contact, Patient, Phone, Staff
from app.db.reading import passing_over
from app.db.work import Task, TaskState
from app.domain.delivery import FAILURES


@dataclass(frozen=True)
class PatientLine:
    id: int
    mrn: str
    given_name: str
    family_name: str
    state: str
    language: str
    time_zone: str
    next_visit_at: datetime | None


@dataclass(frozen=True)
class ContactLine:
    phone_id: int
    number: str
    kind: str
    name: str | None
    relation: str | None
    gets_reminders: bool
    opted_out_at: datetime | None


@dataclass(frozen=True)
class PumpLine:
    id: int
    model: str
    reservoir_size_ml: Decimal
    implanted_on: date | None
    program_from: date | None
    concentration_mcg_per_ml: Decimal | None
    daily_dose_mcg: Decimal | None
    alarm_volume_ml: Decimal | None
    last_filled_on: date | None
    reservoir_volume_ml: Decimal | None
    removed_on: date | None


@dataclass(frozen=True)
class VisitLine:
    id: int
    patient_id: int
    patient: str
    starts_at: datetime
    state: str
    confirmed_at: datetime | None
    external_id: str | None
    late_reason: str | None
    missed_reason: str | None
    version: int


@dataclass(frozen=True)
class PatientRecord:
    patient: PatientLine
    born_on: str | None
    contacts: tuple[ContactLine, ...]
    pumps: tuple[PumpLine, ...]
    appointments: tuple[VisitLine, ...]
    dates: KnownDates | None  # None: no pump, or not worked out yet
    steps: tuple[StepLine, ...]  # still planned


@dataclass(frozen=True)
class ReminderLine:
    id: int
    appointment_id: int
    patient_id: int
    step: str
    due_at: datetime
    state: str
    reason: str | None


@dataclass(frozen=True)
class MessageLine:
    """`state` is None for a text that came in."""

    id: int
    direction: str  # in, out
    at: datetime
    number: str
    patient_id: int | None
    purpose: str  # of one that came in: what it was taken for
    state: str | None
    reason: str | None
    segments: int | None
    body: str


@dataclass(frozen=True)
class TaskLine:
    id: int
    kind: str
    category: str | None
    state: str
    reason: str
    opened_at: datetime
    raised_at: datetime
    due_at: datetime | None
    needed_by: date | None
    patient_id: int | None
    phone_id: int | None
    pages: int
    version: int


@dataclass(frozen=True)
class StaffLine:
    id: int
    email: str
    name: str
    role: str
    active: bool


def list_patients(session: Session, now: datetime, limit: int = 0) -> list[PatientLine]:
    query = select(Patient, _next_visit(now)).order_by(Patient.id)
    return [_patient_line(patient, at) for patient, at in session.execute(limited(query, limit))]


@passing_over()
def patient_record(session: Session, patient_id: int, now: datetime) -> PatientRecord | None:
    query = select(Patient, _next_visit(now)).where(Patient.id == patient_id)
    row = session.execute(query.options(selectinload(Patient.contacts).selectinload(Contact.phone))).one_or_none()
    if row is None:
        return None
    patient: Patient = row[0]
    pumps = session.scalars(select(Pump).where(Pump.patient_id == patient_id).order_by(Pump.id))
    today = now.astimezone(ZoneInfo(patient.clinic.time_zone)).date()
    return PatientRecord(
        patient=_patient_line(patient, row[1]),
        born_on=patient.born_on,
        contacts=tuple(_contact_line(contact) for contact in patient.contacts),
        pumps=tuple(_pump_line(session, pump, today) for pump in pumps),
        appointments=tuple(list_visits(session, patient_id=patient_id)),
        dates=known_dates(session, patient_id, today),
        steps=tuple(list_steps(session, patient_id=patient_id, planned=True)),
    )


def list_visits(
    session: Session,
    *,
    since: datetime | None = None,
    before: datetime | None = None,
    patient_id: int | None = None,
    limit: int = 0,
) -> list[VisitLine]:
    """List visits that start in [since, before), earliest first."""
    query = select(Appointment).options(selectinload(Appointment.patient)).order_by(Appointment.starts_at)
    if since is not None:
        query = query.where(Appointment.starts_at >= since)
    if before is not None:
        query = query.where(Appointment.starts_at < before)
    if patient_id is not None:
        query = query.where(Appointment.patient_id == patient_id)
    return [
        VisitLine(
            visit.id,
            visit.patient_id,
            f"{visit.patient.given_name} {visit.patient.family_name}",
            visit.starts_at,
            visit.state.value,
            visit.confirmed_at,
            visit.external_id,
            visit.late_reason,
            visit.missed_reason,
            visit.version,
        )
        for visit in session.scalars(limited(query, limit))
    ]


def list_reminders(session: Session, *, patient_id: int | None = None, limit: int = 0) -> list[ReminderLine]:
    query = (
        select(Reminder, Appointment.patient_id)
        .join(Appointment, Appointment.id == Reminder.appointment_id)
        .order_by(Reminder.due_at, Reminder.id)
    )
    if patient_id is not None:
        query = query.where(Appointment.patient_id == patient_id)
    return [
        ReminderLine(row.id, row.appointment_id, owner, row.step, row.due_at, row.state.value, row.reason)
        for row, owner in session.execute(limited(query, limit))
    ]


@passing_over()
def list_messages(
    session: Session, *, patient_id: int | None = None, failed: bool = False, limit: int = 0
) -> list[MessageLine]:
    """List texts, newest first. A patient's are those of every phone that is a contact of theirs."""
    phones = select(Contact.phone_id).where(Contact.patient_id == patient_id)
    sent = select(OutboundMessage, Phone.number).join(Phone, Phone.id == OutboundMessage.phone_id)
    if patient_id is not None:
        sent = sent.where(OutboundMessage.phone_id.in_(phones))
    if failed:
        sent = sent.where(OutboundMessage.state.in_(FAILURES))
    sent = limited(sent.order_by(OutboundMessage.created_at.desc(), OutboundMessage.id.desc()), limit)
    lines = [_sent_line(message, number) for message, number in session.execute(sent)]
    if not failed:
        came = select(InboundMessage, Phone.number).join(Phone, Phone.id == InboundMessage.phone_id)
        if patient_id is not None:
            came = came.where(InboundMessage.phone_id.in_(phones))
        came = limited(came.order_by(InboundMessage.received_at.desc(), InboundMessage.id.desc()), limit)
        lines += [_came_line(message, number) for message, number in session.execute(came)]
    lines.sort(key=lambda line: (line.at, line.direction == "out", line.id), reverse=True)
    return lines[:limit] if limit else lines


def list_tasks(session: Session, *, resolved: bool = False, limit: int = 0) -> list[TaskLine]:
    """List tasks, alerts first, then the oldest."""
    query = select(Task).order_by(Task.kind != "alert", Task.raised_at, Task.id)
    if not resolved:
        query = query.where(Task.state != TaskState.RESOLVED)
    return [
        TaskLine(
            task.id,
            task.kind.value,
            task.category,
            task.state.value,
            task.reason,
            task.opened_at,
            task.raised_at,
            task.due_at,
            task.needed_by,
            task.patient_id,
            task.phone_id,
            task.pages,
            task.version,
        )
        for task in session.scalars(limited(query, limit))
    ]


def list_staff(session: Session) -> list[StaffLine]:
    return [
        StaffLine(person.id, person.email, person.name, person.role.value, person.active)
        for person in session.scalars(select(Staff).order_by(Staff.id))
    ]


def clinics(session: Session) -> Sequence[Clinic]:
    return session.scalars(select(Clinic).order_by(Clinic.id)).all()


def _next_visit(now: datetime) -> ScalarSelect[datetime]:
    query = select(func.min(Appointment.starts_at)).where(
        Appointment.patient_id == Patient.id,
        Appointment.state == AppointmentState.BOOKED,
        Appointment.starts_at >= now,
    )
    return query.correlate(Patient).scalar_subquery()


def _patient_line(patient: Patient, next_visit_at: datetime | None) -> PatientLine:
    return PatientLine(
        patient.id,
        patient.mrn,
        patient.given_name,
        patient.family_name,
        patient.state.value,
        patient.language,
        patient.time_zone,
        next_visit_at,
    )


def _contact_line(contact: Contact) -> ContactLine:
    return ContactLine(
        contact.phone_id,
        contact.phone.number,
        contact.kind.value,
        contact.name,
        contact.relation,
        contact.gets_reminders,
        contact.phone.opted_out_at,
    )


def _pump_line(session: Session, pump: Pump, today: date) -> PumpLine:
    """Return a pump with the program that runs today and its last refill: what waits or was declined does not count."""
    program = session.scalar(
        select(Program)
        .where(Program.pump_id == pump.id, Program.state == EntryState.EFFECTIVE)
        .order_by(Program.effective_on > today, desc(Program.effective_on))
        .limit(1)
    )
    refill = session.scalar(
        select(Refill)
        .where(Refill.pump_id == pump.id, Refill.state == EntryState.EFFECTIVE)
        .order_by(Refill.filled_on.desc())
        .limit(1)
    )
    return PumpLine(
        pump.id,
        pump.model,
        pump.reservoir_size_ml,
        pump.implanted_on,
        program.effective_on if program else None,
        program.concentration_mcg_per_ml if program else None,
        program.daily_dose_mcg if program else None,
        program.alarm_volume_ml if program else None,
        refill.filled_on if refill else None,
        refill.reservoir_volume_ml if refill else None,
        pump.removed_on,
    )


def _sent_line(message: OutboundMessage, number: str) -> MessageLine:
    return MessageLine(
        message.id,
        "out",
        message.created_at,
        number,
        message.patient_id,
        message.purpose.value,
        message.state.value,
        message.reason,
        message.segments,
        message.body,
    )


def _came_line(message: InboundMessage, number: str) -> MessageLine:
    return MessageLine(
        message.id, "in", message.received_at, number, None, message.kind, None, None, None, message.body
    )
