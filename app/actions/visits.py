"""What the verbs about visits share: finding one, checking its version, and what a change of it entails."""

from datetime import date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import bindparam, select, update
from sqlalchemy.orm import Session

from app.actions.alerts import raise_alert
from app.actions.audit import audit
from app.actions.care_steps import SUPPLY, cancel_steps, visit_ladder, withdraw_step_texts
from app.actions.errors import Refused
from app.actions.line import Line
from app.actions.reminder_rows import replan_visit, withdraw_texts
from app.actions.supply import days_late, refresh_supply, standing
from app.actions.tasks import close_alerts, close_tasks, open_task
from app.actions.visit_steps import plan_visit_steps
from app.db.care import Appointment, AppointmentState, Reminder, ReminderState
from app.db.directory import remember
from app.db.people import Clinic, Contact, Patient, Phone
from app.db.pump_records import visit_facts
from app.db.supply import Supply
from app.db.work import TaskKind
from app.domain.conversation import Asked
from app.domain.escalation import missed_reason
from scheduler.ladders import Audience, Channel, rung_for, task_due

ABOUT_VISIT = (
    TaskKind.MISSED_REFILL,
    TaskKind.RESCHEDULE,
    TaskKind.UNCONFIRMED,
    TaskKind.NOT_ARRIVED,
    TaskKind.LATE_BOOKING,
)


def the_patient(session: Session, patient_id: int) -> Patient:
    """Return the patient, locked: two bookings of one patient follow each other."""
    patient = session.get(Patient, patient_id, with_for_update=True)
    if patient is None:
        raise Refused("there is no such patient: see `pumpline patients list`", "missing")
    if patient.erased_at is not None:
        raise Refused("this record was erased: add the patient anew", "missing")
    return patient


def the_visit(session: Session, appointment_id: int, version: int | None) -> tuple[Appointment, Patient, Clinic]:
    """Return the visit for a change. Raises Refused where it is gone, or someone changed it since `version`."""
    visit = session.get(Appointment, appointment_id, with_for_update=True)
    if visit is None:
        raise Refused("there is no such visit: see `pumpline appointments list`", "missing")
    if version is not None and visit.version != version:
        raise Refused("someone changed this visit meanwhile: look at it again, nothing was changed", "conflict")
    patient = session.get_one(Patient, visit.patient_id)
    return visit, patient, session.get_one(Clinic, visit.clinic_id)


FARTHEST = timedelta(days=2 * 366)


def check_start(starts_at: datetime, now: datetime) -> None:
    if starts_at.tzinfo is None:
        raise Refused("a visit needs a time zone: give day and hour at the clinic, or an offset")
    if starts_at <= now:
        raise Refused("a visit must lie in the future: check day and hour")
    if starts_at > now + FARTHEST:
        raise Refused("a visit lies at most two years ahead: check the year")


def check_in_time(
    session: Session, patient: Patient, clinic: Clinic, starts_at: datetime, now: datetime, why: str, visit_id: int = 0
) -> str | None:
    """Return the reason to keep with a visit: None for one on or before the plan-by date, or beside one that is.

    Raises Refused for a later one without a reason: it is flagged here, before it is saved.
    """
    supply = session.get(Supply, patient.id)
    days = days_late(supply, starts_at, clinic)
    if not days or supply is None:
        return None
    if standing(supply, visit_facts(session, [patient.id], now)[patient.id], clinic, now).seen_on:
        return None  # the dates are those of the filling before: the volumes are still to be recorded
    booked = select(Appointment.starts_at).where(
        Appointment.patient_id == patient.id,
        Appointment.state == AppointmentState.BOOKED,
        Appointment.starts_at > now,
        Appointment.id != visit_id,
    )
    if any(not days_late(supply, other, clinic) for other in session.scalars(booked)):
        return None  # the one after the next
    said = " ".join(why.split())[:200]
    if not said:
        raise Refused(
            f"this visit is {days} {'day' if days == 1 else 'days'} after the plan-by date, {supply.plan_by:%d-%b-%Y} "
            f"({supply.plan_by_because}): choose an earlier day, or give a reason",
            "late",
        )
    return said


def say_why_late(
    session: Session, visit: Appointment, patient: Patient, clinic: Clinic, now: datetime, actor: str, why: str
) -> None:
    """Keep the reason of a booked visit that lies after the plan-by date: it is flagged no more."""
    if not why.strip():
        return
    visit.late_reason = check_in_time(session, patient, clinic, visit.starts_at, now, why, visit.id)
    visit.version += 1
    session.flush()
    refresh_supply(session, patient, clinic, now, "a reason is given")
    audit(session, now, actor, "said why late", f"appointment:{visit.id}")


def after_change(
    session: Session,
    visit: Appointment,
    patient: Patient,
    clinic: Clinic,
    now: datetime,
    actor: str,
    verb: str,
    room: str = "",
) -> None:
    """Re-plan reminders and steps, take back texts that no longer fit, and write the audit line.

    `room`: what the day was short of, where it was planned all the same.
    """
    visit.version += 1
    session.flush()
    withdraw_texts(session, visit.id, now, verb)
    forget_asking(session, visit)
    replan_visit(session, visit, patient, clinic, now, verb)
    plan_visit_steps(session, visit, patient, clinic, now, verb)
    supply = refresh_supply(session, patient, clinic, now, verb)
    _unbooked_no_more(session, supply, patient, clinic, now)
    flag = {"room": room} if room else {}
    audit(session, now, actor, verb, f"appointment:{visit.id}", state=visit.state, **flag)


def _unbooked_no_more(session: Session, supply: Supply | None, patient: Patient, clinic: Clinic, now: datetime) -> None:
    """Close what asked for a visit once one is booked with enough drug behind it."""
    if supply is None or supply.early_empty_on is None:
        return
    facts = visit_facts(session, [patient.id], now)[patient.id]
    if standing(supply, facts, clinic, now).arranged:
        close_tasks(session, now, f"patient:{patient.id}", (TaskKind.SUPPLY,), "a visit is booked in time")
        withdraw_step_texts(session, patient.id, SUPPLY, now, "a visit is booked in time")
        close_alerts(session, now, f"patient:{patient.id}", "a visit is booked in time")


_ASKED = (
    select(Phone.id, Phone.asked)
    .join(Contact, Contact.phone_id == Phone.id)
    .where(Contact.patient_id == bindparam("patient"), Phone.asked.is_not(None))
)


def forget_asking(session: Session, visit: Appointment) -> None:
    """Let no answer to an old reminder confirm a visit that has changed since."""
    for phone_id, asked in session.execute(_ASKED, {"patient": visit.patient_id}).all():
        remember(session, phone_id, Asked.from_json(asked).without_confirm(visit.id).to_json())


_MISSED = select(Appointment).where(
    Appointment.patient_id == bindparam("patient"), Appointment.state == AppointmentState.MISSED
)


def settle_earlier_misses(session: Session, patient_id: int, now: datetime, outcome: str, *, had: bool = False) -> None:
    """Stop texts about visits missed before: the refill has a new day, or was `had`.

    Only then is the task about it done too: a new day may be far off, and a nurse decides whether it is soon enough.
    """
    for earlier in session.scalars(_MISSED, {"patient": patient_id}):
        session.execute(
            update(Reminder)
            .where(Reminder.appointment_id == earlier.id, Reminder.state == ReminderState.PLANNED)
            .values(state=ReminderState.CANCELLED, reason=outcome, settled_at=now)
        )
        withdraw_texts(session, earlier.id, now, outcome)
        cancel_steps(session, patient_id, now, outcome, ladder=visit_ladder(earlier.id))
        if had:
            close_tasks(session, now, f"appointment:{earlier.id}", ABOUT_VISIT, outcome)


def cancel_visit(
    session: Session, visit: Appointment, patient: Patient, clinic: Clinic, now: datetime, actor: str
) -> None:
    """Make a visit a cancelled one. What was missed stays a nurse's task."""
    if visit.state is not AppointmentState.MISSED:
        close_tasks(session, now, f"appointment:{visit.id}", ABOUT_VISIT, "cancelled")
    visit.state, visit.cancelled_at = AppointmentState.CANCELLED, now
    after_change(session, visit, patient, clinic, now, actor, "cancelled")


def record_miss(
    line: Line, session: Session, visit: Appointment, patient: Patient, clinic: Clinic, now: datetime, actor: str
) -> None:
    """Make a passed visit a missed one: texts are planned, and a nurse has a task at once, by days of drug left.

    With few days left an urgent alert pages until somebody takes it.
    """
    visit.state, visit.missed_at = AppointmentState.MISSED, now
    close_tasks(session, now, f"appointment:{visit.id}", (TaskKind.UNCONFIRMED,), "missed")
    days, edge = days_left_of(session, patient, clinic, now)
    rung = rung_for(days)
    reason = missed_reason(days, rung, confirmed=visit.confirmed_at is not None)
    needed_by = edge if rung.urgent_by_date else None
    open_task(
        session,
        now,
        clinic.id,
        TaskKind.MISSED_REFILL,
        f"appointment:{visit.id}",
        reason,
        patient_id=patient.id,
        due_at=task_due(rung.due, now, ZoneInfo(clinic.time_zone)),
        needed_by=needed_by,
    )
    if rung.tells(Channel.ALERT, Audience.ON_CALL):
        subject = f"patient:{patient.id}"
        about: dict[str, Any] = {"patient_id": patient.id, "needed_by": needed_by}
        raise_alert(line, session, now, clinic, subject, "missed_refill", reason, **about)
    after_change(session, visit, patient, clinic, now, actor, "missed")


def days_left_of(session: Session, patient: Patient, clinic: Clinic, now: datetime) -> tuple[int | None, date | None]:
    """Return days of drug left and the day of empty, by the early edge; None where they are not known."""
    supply = session.get(Supply, patient.id)
    if supply is None or supply.early_empty_on is None:
        return None, None
    facts = visit_facts(session, [patient.id], now)[patient.id]
    how = standing(supply, facts, clinic, now)
    return (None, None) if how.seen_since else (how.days_left, supply.early_empty_on)


def record_attendance(
    session: Session, visit: Appointment, patient: Patient, clinic: Clinic, now: datetime, actor: str
) -> None:
    """Make a visit an attended one: everything that asked for it stops."""
    visit.state, visit.attended_at = AppointmentState.ATTENDED, now
    close_tasks(session, now, f"appointment:{visit.id}", ABOUT_VISIT, "attended")
    refill_had(session, patient.id, now, "attended")
    after_change(session, visit, patient, clinic, now, actor, "attended")


def _ask_no_more(session: Session, patient_id: int) -> None:
    """Take back what phones were asked because this refill was due: a digit means something else from now on."""
    for phone_id, asked in session.execute(_ASKED, {"patient": patient_id}).all():
        remember(session, phone_id, Asked.from_json(asked).without_pump(patient_id, "book", "why").to_json())


def refill_had(session: Session, patient_id: int, now: datetime, outcome: str) -> None:
    """Close everything that asked for this refill."""
    settle_earlier_misses(session, patient_id, now, outcome, had=True)
    _ask_no_more(session, patient_id)
    withdraw_step_texts(session, patient_id, SUPPLY, now, outcome)
    close_tasks(session, now, f"patient:{patient_id}", (TaskKind.SUPPLY, TaskKind.RESCHEDULE), outcome)
    close_alerts(session, now, f"patient:{patient_id}", outcome)
