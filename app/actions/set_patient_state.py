"""A patient is paused, leaves, dies, or comes back: reminders follow."""

from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from app.actions.audit import audit
from app.actions.care_steps import cancel_steps, withdraw_step_texts
from app.actions.errors import Refused
from app.actions.line import Line
from app.actions.reminder_rows import replan_visit, withdraw_texts
from app.actions.supply import refresh_supply
from app.actions.tasks import close_tasks
from app.actions.visit_steps import plan_visit_steps
from app.actions.visits import ABOUT_VISIT, refill_had, the_patient
from app.db.care import Appointment, AppointmentState
from app.db.people import Patient, PatientState


def set_patient_state(
    line: Line, patient_id: int, state: PatientState, now: datetime, actor: str, version: int | None = None
) -> None:
    """Set the state and bring every open visit's reminders in step. Raises Refused for a stale version.

    Who has left or died has no visit to come: booked ones are cancelled, so that nobody is called about them.
    """
    with line.db.begin() as session:
        patient = the_patient(session, patient_id)
        if version is not None and patient.version != version:
            raise Refused("someone changed this patient meanwhile: look again, nothing was changed", "conflict")
        if patient.state is state:
            return
        put_in_state(session, patient, state, now, actor)


def put_in_state(session: Session, patient: Patient, state: PatientState, now: datetime, actor: str) -> None:
    """Set another state of a locked patient, in the caller's transaction."""
    patient_id = patient.id
    patient.state, patient.version = state, patient.version + 1
    session.flush()
    gone = state in (PatientState.LEFT, PatientState.DECEASED)
    open_visits = select(Appointment).where(
        Appointment.patient_id == patient_id,
        Appointment.state.in_((AppointmentState.BOOKED, AppointmentState.MISSED)),
    )
    for visit in session.scalars(open_visits).all():
        if gone:
            visit.state, visit.cancelled_at, visit.version = AppointmentState.CANCELLED, now, visit.version + 1
            close_tasks(session, now, f"appointment:{visit.id}", ABOUT_VISIT, f"patient {state}")
        if state is not PatientState.ACTIVE:
            withdraw_texts(session, visit.id, now, f"patient {state}")
        replan_visit(session, visit, patient, patient.clinic, now, f"patient {state}")
        plan_visit_steps(session, visit, patient, patient.clinic, now, f"patient {state}")
    if state is not PatientState.ACTIVE:
        withdraw_step_texts(session, patient_id, None, now, f"patient {state}")
    if gone:
        refill_had(session, patient_id, now, f"patient {state}")
        cancel_steps(session, patient_id, now, f"patient {state}")
    refresh_supply(session, patient, patient.clinic, now, f"patient {state}")
    audit(session, now, actor, "state set", f"patient:{patient_id}", state=state)
