"""Carry out what a decision asked for, in the caller's transaction."""

from datetime import datetime
from typing import assert_never

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from app.actions.alerts import note_on_alert, raise_alert
from app.actions.audit import audit
from app.actions.consent import opt_in, opt_out
from app.actions.line import Line
from app.actions.record_helped import record_helped
from app.actions.record_scan import record_scan_check
from app.actions.record_why import record_why
from app.actions.tasks import acknowledge, close_tasks, open_task, stop_pages
from app.actions.visits import cancel_visit, the_visit
from app.db.care import Appointment, AppointmentState
from app.db.directory import remember
from app.db.messages import InboundMessage
from app.db.people import Clinic, Phone
from app.db.pump_records import plan_by_of
from app.db.work import Task, TaskKind, TaskState
from app.domain.effects import (
    AcknowledgeAlert,
    ConfirmVisit,
    DropVisit,
    Effect,
    NoteOnAlert,
    OpenTask,
    OptIn,
    OptOut,
    RaiseAlert,
    RecordCheckIn,
    RecordHelped,
    RecordScan,
    RecordWhy,
    Remember,
    RememberLanguage,
    Sender,
)


def carry_out(
    line: Line,
    session: Session,
    effects: tuple[Effect, ...],
    clinic: Clinic,
    phone_id: int,
    sender: Sender,
    inbound_id: int,
    now: datetime,
) -> None:
    patient_id = sender.people[0].patient_id if len(sender.people) == 1 else None
    for effect in effects:
        match effect:
            case RaiseAlert(category, reason, about):
                raise_alert(
                    line,
                    session,
                    now,
                    clinic,
                    f"phone:{phone_id}",
                    category,
                    reason,
                    inbound_id=inbound_id,
                    phone_id=phone_id,
                    patient_id=about or patient_id,
                )
            case AcknowledgeAlert(code):
                _acknowledge_by_code(session, now, clinic.id, code, phone_id)
            case OpenTask(kind, subject, reason, about, by_plan):
                subject = f"phone:{phone_id}" if subject == "phone" else subject
                needed_by = plan_by_of(session, about) if by_plan and about else None
                if needed_by is not None:
                    reason = f"{reason}: find a day on or before {needed_by:%d-%b-%Y}"
                open_task(
                    session,
                    now,
                    clinic.id,
                    TaskKind(kind),
                    subject,
                    reason,
                    phone_id=phone_id,
                    patient_id=about or patient_id,
                    inbound_id=inbound_id,
                    needed_by=needed_by,
                )
            case OptOut(source):
                opt_out(session, now, phone_id, source, words=_words(session, inbound_id), inbound_id=inbound_id)
            case OptIn(source):
                opt_in(session, now, phone_id, source, words=_words(session, inbound_id), inbound_id=inbound_id)
                _reached_again(session, now, phone_id, sender)
            case ConfirmVisit(appointment_id):
                _confirm(session, now, appointment_id, phone_id)
            case Remember(asked):
                remember(session, phone_id, asked.still(now).to_json())
            case RememberLanguage(language):
                session.execute(update(Phone).where(Phone.id == phone_id).values(language=language))
            case NoteOnAlert(reason):
                note_on_alert(session, now, phone_id, reason, inbound_id)
            case RecordHelped(topic, language, yes):
                if answer := line.words.library.get(topic, language):
                    said = (topic, answer.language, answer.version, yes)
                    record_helped(session, now, clinic.id, phone_id, *said)
            case DropVisit(appointment_id):
                _drop(session, now, appointment_id, phone_id)
            case RecordWhy(appointment_id, reason):
                record_why(session, now, appointment_id, reason, f"phone:{phone_id}")
            case RecordCheckIn(about, digit):
                audit(session, now, f"phone:{phone_id}", "checked in", f"patient:{about}", digit=digit)
            case RecordScan(scan_id, checked):
                record_scan_check(session, now, scan_id, checked, f"phone:{phone_id}")
            case _:
                assert_never(effect)


def _words(session: Session, inbound_id: int) -> str:
    return session.execute(select(InboundMessage.body).where(InboundMessage.id == inbound_id)).scalar_one()


def _reached_again(session: Session, now: datetime, phone_id: int, sender: Sender) -> None:
    """Close what asked a nurse to call because no text could be sent."""
    for about in (f"phone:{phone_id}", *(f"patient:{person.patient_id}" for person in sender.people)):
        close_tasks(session, now, about, (TaskKind.CALL_INSTEAD,), "opted in again", because="opted out")


def _acknowledge_by_code(session: Session, now: datetime, clinic_id: int, code: str, phone_id: int) -> None:
    task = session.scalars(
        select(Task).where(
            Task.clinic_id == clinic_id, Task.kind == TaskKind.ALERT, Task.code == code, Task.state == TaskState.OPEN
        )
    ).first()
    if task:
        acknowledge(session, now, task, None, f"phone:{phone_id}")
        stop_pages(session, now, task.id)


def _confirm(session: Session, now: datetime, appointment_id: int, phone_id: int) -> None:
    """Set the visit confirmed unless it was meanwhile moved on; confirming twice keeps the first time."""
    session.execute(
        update(Appointment)
        .where(
            Appointment.id == appointment_id,
            Appointment.state == AppointmentState.BOOKED,
            Appointment.confirmed_at.is_(None),
        )
        .values(confirmed_at=now, version=Appointment.version + 1)
    )
    close_tasks(session, now, f"appointment:{appointment_id}", (TaskKind.UNCONFIRMED,), "confirmed by text")
    audit(session, now, f"phone:{phone_id}", "visit confirmed", f"appointment:{appointment_id}")


def _drop(session: Session, now: datetime, appointment_id: int, phone_id: int) -> None:
    """Cancel a visit that the patient gave up by text, unless it was meanwhile moved on."""
    visit, patient, clinic = the_visit(session, appointment_id, None)
    if visit.state is AppointmentState.BOOKED:
        cancel_visit(session, visit, patient, clinic, now, f"phone:{phone_id}")
