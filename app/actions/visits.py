"""What the verbs about visits share: finding one, checking its version, and what a change of it entails."""

from datetime import datetime, timedelta

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from app.actions.audit import audit
from app.actions.errors import Refused
from app.actions.reminder_rows import replan_visit, withdraw_texts
from app.actions.tasks import close_tasks, open_task
from app.db.care import Appointment, AppointmentState, Reminder, ReminderState
from app.db.people import Clinic, Contact, Patient, Phone
from app.db.work import TaskKind
from app.domain.conversation import Asked

ABOUT_VISIT = (TaskKind.MISSED_REFILL, TaskKind.RESCHEDULE)


def the_patient(session: Session, patient_id: int) -> Patient:
    """Return the patient, locked: two bookings of one patient follow each other."""
    patient = session.get(Patient, patient_id, with_for_update=True)
    if patient is None:
        raise Refused("there is no such patient: see `pumpline patients list`", "missing")
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


def after_change(
    session: Session, visit: Appointment, patient: Patient, clinic: Clinic, now: datetime, actor: str, verb: str
) -> None:
    """Re-plan reminders, take back texts that no longer fit, and write the audit line."""
    visit.version += 1
    session.flush()
    withdraw_texts(session, visit.id, now, verb)
    forget_asking(session, visit)
    replan_visit(session, visit, patient, clinic, now, verb)
    audit(session, now, actor, verb, f"appointment:{visit.id}", state=visit.state)


def forget_asking(session: Session, visit: Appointment) -> None:
    """Let no answer to an old reminder confirm a visit that has changed since."""
    phones = select(Phone).join(Contact, Contact.phone_id == Phone.id)
    for phone in session.scalars(phones.where(Contact.patient_id == visit.patient_id, Phone.asked.is_not(None))):
        phone.asked = Asked.from_json(phone.asked).without(appointment_id=visit.id).to_json()


def settle_earlier_misses(session: Session, patient_id: int, now: datetime, outcome: str, *, had: bool = False) -> None:
    """Stop texts about visits missed before: the refill has a new day, or was `had`.

    Only then is the task about it done too: a new day may be far off, and a nurse decides whether it is soon enough.
    """
    missed = select(Appointment).where(
        Appointment.patient_id == patient_id, Appointment.state == AppointmentState.MISSED
    )
    for earlier in session.scalars(missed):
        session.execute(
            update(Reminder)
            .where(Reminder.appointment_id == earlier.id, Reminder.state == ReminderState.PLANNED)
            .values(state=ReminderState.CANCELLED, reason=outcome, settled_at=now)
        )
        withdraw_texts(session, earlier.id, now, outcome)
        if had:
            close_tasks(session, now, f"appointment:{earlier.id}", ABOUT_VISIT, outcome)


def record_miss(
    session: Session, visit: Appointment, patient: Patient, clinic: Clinic, now: datetime, actor: str
) -> None:
    """Make a passed visit a missed one: texts are planned, and a nurse has a task at once."""
    visit.state, visit.missed_at = AppointmentState.MISSED, now
    reason = "missed a refill visit: call today"
    open_task(session, now, clinic.id, TaskKind.MISSED_REFILL, f"appointment:{visit.id}", reason, patient_id=patient.id)
    after_change(session, visit, patient, clinic, now, actor, "missed")
