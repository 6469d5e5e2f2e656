"""Carry out what a decision asked for, in the caller's transaction."""

from datetime import datetime
from typing import assert_never

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from app.actions.audit import audit
from app.actions.consent import opt_in, opt_out
from app.actions.line import Line
from app.actions.record_helped import record_helped
from app.actions.tasks import acknowledge, close_tasks, note_on_alert, open_task, raise_alert, stop_pages
from app.db.care import Appointment, AppointmentState
from app.db.directory import remember
from app.db.messages import InboundMessage
from app.db.people import Clinic, Phone
from app.db.work import Task, TaskKind, TaskState
from app.domain.effects import (
    AcknowledgeAlert,
    ConfirmVisit,
    Effect,
    NoteOnAlert,
    OpenTask,
    OptIn,
    OptOut,
    RaiseAlert,
    RecordHelped,
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
            case RaiseAlert(category, reason):
                raise_alert(
                    line, session, now, clinic, phone_id, category, reason, patient_id=patient_id, inbound_id=inbound_id
                )
            case AcknowledgeAlert(code):
                _acknowledge_by_code(session, now, clinic.id, code, phone_id)
            case OpenTask(kind, subject, reason, about):
                subject = f"phone:{phone_id}" if subject == "phone" else subject
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
    audit(session, now, f"phone:{phone_id}", "visit confirmed", f"appointment:{appointment_id}")
