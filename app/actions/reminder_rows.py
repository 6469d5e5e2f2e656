"""Keeping a visit's reminder rows in step with the visit: called in every transaction that touches one."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import bindparam, insert, select, update
from sqlalchemy.orm import Session

from app.actions.line import policy_of
from app.actions.outbox import taking_back, withdraw
from app.db.care import Appointment, AppointmentState, Reminder, ReminderState
from app.db.due import settled_misses
from app.db.messages import OutboundMessage
from app.db.people import Clinic, Patient, PatientState
from app.db.prepared import Prepared
from app.db.supply import Supply
from scheduler.ladders import LAST, rung_for
from scheduler.planning import Changes, Planned, Stored, replan


def changes_for(
    appointment: Appointment,
    patient: Patient,
    clinic: Clinic,
    rows: list[Reminder],
    now: datetime,
    *,
    made_good: bool = False,
    urgent: bool = False,
) -> Changes:
    """Return what must change so that the rows fit the visit as it is now.

    `made_good`: missed, and settled since; `urgent`: missed with hardly any drug left.
    """
    stored = [Stored(row.id, row.key, row.due_at, row.state.value) for row in rows]
    owed = (
        appointment.state in (AppointmentState.BOOKED, AppointmentState.MISSED)
        and patient.state is PatientState.ACTIVE
        and not made_good
    )
    return replan(
        appointment.starts_at if owed else None,
        policy_of(clinic),
        ZoneInfo(patient.time_zone),
        now,
        stored,
        missed_noticed_at=appointment.missed_at if appointment.state is AppointmentState.MISSED else None,
        urgent=urgent,
    )


_ROWS = select(Reminder).where(Reminder.appointment_id == bindparam("visit"))


def replan_visit(
    session: Session, appointment: Appointment, patient: Patient, clinic: Clinic, now: datetime, reason: str
) -> Changes:
    """Bring the visit's reminder rows, and the texts that wait because of them, in step with the visit."""
    rows = list(session.scalars(_ROWS, {"visit": appointment.id}))
    missed = appointment.state is AppointmentState.MISSED
    made_good = missed and bool(settled_misses(session, [appointment.id]))
    urgent = missed and bool(urgent_misses(session, [(appointment, clinic)]))
    changes = changes_for(appointment, patient, clinic, rows, now, made_good=made_good, urgent=urgent)
    apply_changes(session, {appointment.id: changes}, now, reason)
    return changes


def urgent_misses(session: Session, missed: Sequence[tuple[Appointment, Clinic]]) -> set[int]:
    """Return which missed visits left hardly any drug on the day on which the miss was noticed, by the early edge."""
    patients = [visit.patient_id for visit, _ in missed]
    rows = session.execute(select(Supply.patient_id, Supply.early_empty_on).where(Supply.patient_id.in_(patients)))
    empty = {patient_id: day for patient_id, day in rows if day is not None}
    found = set()
    for visit, clinic in missed:
        day = empty.get(visit.patient_id)
        if day is None or visit.missed_at is None:
            continue
        noticed_on = visit.missed_at.astimezone(ZoneInfo(clinic.time_zone)).date()
        if rung_for(max(0, (day - noticed_on).days)) is LAST:
            found.add(visit.id)
    return found


def apply_changes(session: Session, by_visit: Mapping[int, Changes], now: datetime, reason: str) -> None:
    """Write what changes, per visit. New rows go in together: one by one, the ORM costs more than planning them."""
    session.flush()  # the visits themselves first
    add_reminders(
        session, [reminder_row(visit, planned, now) for visit, changes in by_visit.items() for planned in changes.add]
    )
    for changes in by_visit.values():
        if changes.cancel:
            session.execute(
                update(Reminder)
                .where(Reminder.id.in_(changes.cancel))
                .values(state=ReminderState.CANCELLED, reason=reason, settled_at=now)
            )
        for reminder_id, due_at in (*changes.revive, *changes.retime):
            session.execute(
                update(Reminder)
                .where(Reminder.id == reminder_id)
                .values(state=ReminderState.PLANNED, due_at=due_at, reason=None, settled_at=None)
            )


_COLUMNS = ("appointment_id", "key", "step", "due_at", "state", "failures", "created_at")
_INSERT = Prepared(lambda _: insert(Reminder.__table__).inline(), _COLUMNS)


def add_reminders(session: Session, rows: Sequence[dict[str, Any]]) -> None:
    """Add new reminders in one go, each as `reminder_row` makes it."""
    if rows:
        _INSERT.run_each(session, rows)


def reminder_row(appointment_id: int, planned: Planned, now: datetime) -> dict[str, Any]:
    return {
        "appointment_id": appointment_id,
        "key": planned.key,
        "step": planned.step,
        "due_at": planned.due_at,
        "state": ReminderState.PLANNED,
        "failures": 0,
        "created_at": now,
    }


_OF_VISIT = taking_back(
    OutboundMessage.reminder_id.in_(select(Reminder.id).where(Reminder.appointment_id == bindparam("visit")))
)


def withdraw_texts(session: Session, appointment_id: int, now: datetime, reason: str) -> int:
    """Take back queued reminder and missed-refill texts of a visit that is no longer as they say."""
    return withdraw(session, now, reason, _OF_VISIT, visit=appointment_id)
