"""The simulator's clock: pushed ahead, never back, stopping at everything that falls due on the way."""

from collections.abc import Callable
from datetime import datetime, timedelta

from sqlalchemy import func, select, text, update
from sqlalchemy.orm import Session

from app.actions.errors import Refused
from app.actions.line import Line
from app.clock import Clock
from app.db.care import Appointment, AppointmentState, Reminder, ReminderState
from app.db.engine import Database
from app.db.messages import OutboundMessage
from app.db.people import Clinic
from app.db.supply import CareStep, StepState
from app.db.threads import PhoneThread, ThreadState
from app.db.work import Installation
from app.domain.delivery import DeliveryState

FARTHEST = timedelta(days=400)
STEPS = 5_000


def simulated_clock(db: Database, machine: Clock) -> Clock:
    """Return a clock that is ahead of the machine's by what the installation row says, in every process alike."""
    ahead = text("SELECT clock_ahead_seconds FROM installation WHERE id = 1")

    def clock() -> datetime:
        with db.engine.connect() as connection:
            seconds = connection.execute(ahead).scalar() or 0
        return machine() + timedelta(seconds=seconds)

    return clock


def next_due(line: Line, after: datetime) -> datetime | None:
    """Return the next instant after `after` at which a text, a step or a missed visit falls due; None for never."""
    with line.db.read() as session:
        candidates = [*_due_rows(session, after), *_misses(session, after)]
    return min(candidates, default=None)


def advance_clock(
    line: Line, target: datetime, now: datetime, machine: Clock, run_due: Callable[[datetime], None]
) -> None:
    """Push the clock to `target`, doing at each due instant on the way what the heartbeat would have done.

    Raises Refused where real texts could be sent, for a target in the past and for one too far ahead.
    """
    if line.channel != "simulator":
        raise Refused("the clock can only be moved in the simulator", "conflict")
    if target <= now:
        raise Refused("the clock only goes forward: choose a later time")
    if target - now > FARTHEST:
        raise Refused(f"at most {FARTHEST.days} days at a time")
    run_due(now)
    at = now
    for _ in range(STEPS):
        due = next_due(line, at)
        if due is None or due > target:
            break
        at = due
        _set(line, at, machine)
        run_due(at)
    _set(line, target, machine)
    run_due(target)


def _set(line: Line, at: datetime, machine: Clock) -> None:
    ahead = int((at - machine()).total_seconds()) + 1
    with line.db.begin() as session:
        session.execute(
            update(Installation)
            .where(Installation.id == 1, Installation.clock_ahead_seconds < ahead)
            .values(clock_ahead_seconds=ahead)
        )


def _due_rows(session: Session, after: datetime) -> list[datetime]:
    reminder = select(func.min(Reminder.due_at)).where(Reminder.state == ReminderState.PLANNED, Reminder.due_at > after)
    message = select(func.min(OutboundMessage.due_at)).where(
        OutboundMessage.state == DeliveryState.QUEUED, OutboundMessage.due_at > after
    )
    step = select(func.min(CareStep.due_at)).where(CareStep.state == StepState.PLANNED, CareStep.due_at > after)
    snooze = select(func.min(PhoneThread.snoozed_until)).where(
        PhoneThread.state == ThreadState.SNOOZED, PhoneThread.snoozed_until > after
    )
    found = (session.execute(query).scalar() for query in (reminder, message, step, snooze))
    return [at for at in found if at is not None]


def _misses(session: Session, after: datetime) -> list[datetime]:
    found = []
    for clinic_id, minutes in session.execute(select(Clinic.id, Clinic.missed_after_minutes)).all():
        delay = timedelta(minutes=minutes)
        starts_at = session.execute(
            select(func.min(Appointment.starts_at)).where(
                Appointment.clinic_id == clinic_id,
                Appointment.state == AppointmentState.BOOKED,
                Appointment.starts_at > after - delay,
            )
        ).scalar()
        if starts_at is not None:
            found.append(starts_at + delay)
    return found
