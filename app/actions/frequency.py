"""How often a phone gets routine texts about one patient: at most one a day and three a week.

A visit's reminders are planned to fit (scheduler.planning) and go out whatever came before; what gives way to them is
asking to book. Texts about a missed refill, check-ins and alerts are never counted or held.
"""

from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

from sqlalchemy import select

from app.actions.step_context import Context, at_opening
from app.db.care import Appointment, AppointmentState, Reminder, ReminderState
from app.db.messages import OutboundMessage, Purpose
from app.db.supply import CareStep
from app.domain.delivery import DeliveryState
from scheduler.cap import A_WEEK, first_free_day

COUNTED = (Purpose.REMINDER, Purpose.BOOK)
NEVER_SENT = (DeliveryState.WITHDRAWN, DeliveryState.EXPIRED, DeliveryState.REFUSED)


def routine_from(context: Context, step: CareStep) -> datetime:
    """Return from when a routine text that can wait may go to this patient's phones: now, or another day's hour."""
    zone, today = context.zone(step), context.now.astimezone(context.zone(step)).date()
    day = max((first_free_day(today, busy) for busy in _days_of_texts(context, step, zone)), default=today)
    if day == today:
        return context.in_hours(step)
    return at_opening(context, step, (day - today).days)


def _days_of_texts(context: Context, step: CareStep, zone: ZoneInfo) -> list[list[date]]:
    """Return, for each phone, the days of counted texts of the last week and of reminders still planned."""
    since = context.now - timedelta(days=A_WEEK.days + 1)
    phones = [target.phone_id for target, _ in context.targets.get(step.patient_id, [])]
    sent = context.session.execute(
        select(OutboundMessage.phone_id, OutboundMessage.due_at).where(
            OutboundMessage.phone_id.in_(phones),
            OutboundMessage.patient_id == step.patient_id,
            OutboundMessage.purpose.in_(COUNTED),
            OutboundMessage.state.not_in(NEVER_SENT),
            OutboundMessage.created_at >= since,
        )
    ).all()
    by_phone: dict[int, list[date]] = {phone: [] for phone in phones}
    for phone_id, at in sent:
        by_phone[phone_id].append(at.astimezone(zone).date())
    planned = context.session.scalars(
        select(Reminder.due_at)
        .join(Appointment, Appointment.id == Reminder.appointment_id)
        .where(
            Appointment.patient_id == step.patient_id,
            Appointment.state == AppointmentState.BOOKED,
            Reminder.state == ReminderState.PLANNED,
            Reminder.due_at <= context.now + A_WEEK,
        )
    )
    coming = [at.astimezone(zone).date() for at in planned]
    return [[*days, *coming] for days in by_phone.values()]
