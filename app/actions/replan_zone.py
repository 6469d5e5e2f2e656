"""What a patient's moving to another time zone entails: reminders come at the same hour, of the new place."""

from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from app.actions.reminder_rows import replan_visit
from app.actions.visit_steps import plan_visit_steps
from app.db.care import Appointment, AppointmentState
from app.db.people import Patient


def replan_zone(session: Session, patient: Patient, now: datetime) -> None:
    """Re-time reminders and steps of every visit that is still to come or to be made good."""
    query = select(Appointment).where(
        Appointment.patient_id == patient.id,
        Appointment.state.in_((AppointmentState.BOOKED, AppointmentState.MISSED)),
    )
    for visit in session.scalars(query).all():
        replan_visit(session, visit, patient, patient.clinic, now, "time zone changed")
        plan_visit_steps(session, visit, patient, patient.clinic, now, "time zone changed")
