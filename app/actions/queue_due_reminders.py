"""Turn due reminders into texts to send: each row is claimed, re-read, and settled with a reason."""

import logging
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from sqlalchemy import bindparam, select, update
from sqlalchemy.orm import Session

from app.actions.each import SomeFailed
from app.actions.line import Line, policy_of, voice_of
from app.actions.outbox import owe
from app.actions.tasks import open_task
from app.db.care import AppointmentState, Reminder, ReminderState
from app.db.directory import remember
from app.db.due import DueReminder, claim_due, due_ids, newest_due, targets_of
from app.db.engine import connection_of
from app.db.messages import Purpose
from app.db.people import Clinic, PatientState
from app.db.work import TaskKind
from app.domain.conversation import Asked
from app.domain.reminders import MISSED_TOPIC, Circumstances, Target, reachable, why_unreachable, wording
from scheduler.planning import REPLACED, DueDecision, Later, Send, Skip, due_decision, missed_decision

log = logging.getLogger(__name__)
BATCH = 100
AT_MOST = 2_000  # a beat; the rest comes with the next


@dataclass
class _Batch:
    """What a batch of due reminders needs, read once."""

    clinics: dict[int, Clinic]
    targets: dict[int, list[tuple[Target, dict[str, object] | None]]]
    newest: dict[tuple[int, str], datetime]
    asked: dict[int, Asked]  # by phone; two reminders of one batch may share a phone


def queue_due_reminders(line: Line, now: datetime) -> int:
    """Settle what is due and return how many reminders were settled.

    A batch is one transaction; where one record breaks it, the batch is done again record by record, and the bad one
    waits and is tried again, while a nurse is asked to call. Raises SomeFailed after everything else is done.
    """
    with line.db.read() as session:
        due = due_ids(session, now, AT_MOST)
    settled, failed = 0, 0
    for start in range(0, len(due), BATCH):
        ids = due[start : start + BATCH]
        try:
            settled += _settle(line, ids, now)
        except Exception as error:
            log.warning("a batch of %s due reminders failed (%s): one by one", len(ids), type(error).__name__)
            for reminder_id in ids:
                try:
                    settled += _settle(line, [reminder_id], now)
                except Exception as bad:
                    failed += 1
                    log.error("reminder %s failed: %s", reminder_id, type(bad).__name__)
                    _put_off(line, reminder_id, now)
    if failed:
        raise SomeFailed(f"{failed} reminders")
    return settled


def _settle(line: Line, ids: Sequence[int], now: datetime) -> int:
    with line.db.begin() as session:
        reminders = claim_due(session, ids)
        if not reminders:
            return 0
        batch = _Batch(
            clinics={clinic.id: clinic for clinic in session.scalars(select(Clinic))},
            targets=targets_of(session, list({reminder.patient_id for reminder in reminders})),
            newest=newest_due(session, list({reminder.appointment_id for reminder in reminders}), now),
            asked={},
        )
        for reminder in reminders:
            _settle_one(line, session, batch, reminder, now)
        return len(reminders)


def _settle_one(line: Line, session: Session, batch: _Batch, reminder: DueReminder, now: datetime) -> None:
    clinic = batch.clinics[reminder.clinic_id]
    missed = reminder.step.startswith("missed:")
    expected = AppointmentState.MISSED if missed else AppointmentState.BOOKED
    if reminder.appointment_state is not expected or reminder.patient_state is not PatientState.ACTIVE:
        state = reminder.appointment_state if reminder.patient_state is PatientState.ACTIVE else reminder.patient_state
        _close(session, reminder, ReminderState.CANCELLED, f"{state} by then", now)
        return
    zone, policy = ZoneInfo(reminder.time_zone), policy_of(clinic)
    newest = batch.newest.get((reminder.appointment_id, reminder.step.partition(":")[0]), reminder.due_at)
    newer_due = newest > reminder.due_at
    known = _circumstances(reminder, clinic, now)
    if known.urgent(reminder.step):  # hardly any drug is left: no hours are waited for
        decision: DueDecision = Skip(REPLACED) if newer_due else Send(late=now - reminder.due_at)
    elif missed:
        decision = missed_decision(reminder.due_at, now, zone, policy, newer_due)
    else:
        decision = due_decision(reminder.due_at, reminder.starts_at, now, zone, policy, newer_due)
    match decision:
        case Skip(reason):
            _close(session, reminder, ReminderState.SKIPPED, reason, now)
        case Later(at):
            session.execute(
                update(Reminder).where(Reminder.id == reminder.id).values(due_at=at, reason="outside texting hours")
            )
        case Send(late):
            _queue(line, session, batch, reminder, clinic, known, late, now)


def _circumstances(reminder: DueReminder, clinic: Clinic, now: datetime) -> Circumstances:
    days = None
    if reminder.early_empty_on is not None:
        days = max(0, (reminder.early_empty_on - now.astimezone(ZoneInfo(clinic.time_zone)).date()).days)
    return Circumstances(confirmed=reminder.confirmed_at is not None, days_left=days)


def _queue(
    line: Line,
    session: Session,
    batch: _Batch,
    reminder: DueReminder,
    clinic: Clinic,
    known: Circumstances,
    late: timedelta,
    now: datetime,
) -> None:
    found = batch.targets.get(reminder.patient_id, [])
    targets = reachable([target for target, _ in found])
    if not targets:
        why = why_unreachable([target for target, _ in found])
        _close(session, reminder, ReminderState.SKIPPED, why, now)
        reason, subject = f"{why}: call about the visit instead", f"patient:{reminder.patient_id}"
        open_task(session, now, clinic.id, TaskKind.CALL_INSTEAD, subject, reason, patient_id=reminder.patient_id)
        return
    stored = {target.phone_id: asked for target, asked in found}
    for target in targets:
        asked = batch.asked.get(target.phone_id) or Asked.from_json(stored[target.phone_id]).still(now)
        asked = _owe(line, session, reminder, clinic, target, asked, known, now)
        batch.asked[target.phone_id] = asked
        remember(session, target.phone_id, asked.to_json())
    minutes = int(late.total_seconds() // 60)
    _close(session, reminder, ReminderState.QUEUED, f"sent {minutes} minutes late" if minutes >= 5 else None, now)


def _owe(
    line: Line,
    session: Session,
    reminder: DueReminder,
    clinic: Clinic,
    target: Target,
    before: Asked,
    known: Circumstances,
    now: datetime,
) -> Asked:
    """Owe one phone the text and return what it may answer from now on."""
    missed = reminder.step.startswith("missed:")
    if missed:
        asked, digit = before.without_confirm(reminder.appointment_id), 1
        asked = asked.with_topic("more", (MISSED_TOPIC,), now)
    else:
        asked, ask = before.with_confirm(reminder.appointment_id, now, reminder.starts_at)
        digit = ask.digit
    zone, voice = ZoneInfo(reminder.time_zone), voice_of(clinic)
    visit = (reminder.step, reminder.starts_at, reminder.given_name)
    owe(
        session,
        clinic_id=clinic.id,
        phone_id=target.phone_id,
        words=wording(*visit, target, digit, line.words, voice, zone, known),
        purpose=Purpose.MISSED if missed else Purpose.REMINDER,
        dedupe_key=f"reminder:{reminder.id}:{target.phone_id}",
        now=now,
        expires_at=None if missed else reminder.starts_at,
        urgent=known.urgent(reminder.step),
        patient_id=reminder.patient_id,
        reminder_id=reminder.id,
    )
    return asked


# On the table, not the class: the ORM's update costs three times the rest of queueing a reminder.
_CLOSE = update(Reminder.__table__).where(
    Reminder.__table__.c.id == bindparam("reminder"), Reminder.__table__.c.state == ReminderState.PLANNED
)


def _close(session: Session, reminder: DueReminder, state: ReminderState, reason: str | None, now: datetime) -> None:
    values = {"reminder": reminder.id, "state": state, "reason": reason, "settled_at": now}
    connection_of(session).execute(_CLOSE, values)


def _put_off(line: Line, reminder_id: int, now: datetime) -> None:
    """Try a record that threw again later, ever more slowly, and have a person look: it is never dropped."""
    with line.db.begin() as session:
        reminder = session.get_one(Reminder, reminder_id)
        reminder.failures += 1
        reminder.due_at = now + timedelta(minutes=min(5 * reminder.failures, 60))
        visit = reminder.appointment
        reason = "a reminder could not be prepared: call about the visit"
        open_task(
            session,
            now,
            visit.clinic_id,
            TaskKind.CALL_INSTEAD,
            f"patient:{visit.patient_id}",
            reason,
            patient_id=visit.patient_id,
        )
