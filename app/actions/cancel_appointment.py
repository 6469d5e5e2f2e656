"""Cancel a visit; its reminders stop."""

from datetime import datetime

from app.actions.errors import Refused
from app.actions.line import Line
from app.actions.tasks import close_tasks
from app.actions.visits import ABOUT_VISIT, after_change, the_visit
from app.db.care import AppointmentState


def cancel_appointment(line: Line, appointment_id: int, now: datetime, actor: str, version: int | None = None) -> None:
    """Cancel a visit. Cancelling twice changes nothing. Raises Refused for an attended visit or a stale version."""
    with line.db.begin() as session:
        visit, patient, clinic = the_visit(session, appointment_id, version)
        if visit.state is AppointmentState.CANCELLED:
            return
        if visit.state is AppointmentState.ATTENDED:
            raise Refused("this visit was attended: it cannot be cancelled", "conflict")
        if visit.state is not AppointmentState.MISSED:  # a refill that was missed stays a nurse's task
            close_tasks(session, now, f"appointment:{visit.id}", ABOUT_VISIT, "cancelled")
        visit.state, visit.cancelled_at = AppointmentState.CANCELLED, now
        after_change(session, visit, patient, clinic, now, actor, "cancelled")
