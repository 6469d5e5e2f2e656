"""Cancel a visit; its reminders stop."""

from datetime import datetime

from app.actions.errors import Refused
from app.actions.line import Line
from app.actions.visits import cancel_visit, the_visit
from app.db.care import AppointmentState


def cancel_appointment(line: Line, appointment_id: int, now: datetime, actor: str, version: int | None = None) -> None:
    """Cancel a visit. Cancelling twice changes nothing. Raises Refused for an attended visit or a stale version."""
    with line.db.begin() as session:
        visit, patient, clinic = the_visit(session, appointment_id, version)
        if visit.state is AppointmentState.CANCELLED:
            return
        if visit.state is AppointmentState.ATTENDED:
            raise Refused("this visit was attended: it cannot be cancelled", "conflict")
        cancel_visit(session, visit, patient, clinic, now, actor)
