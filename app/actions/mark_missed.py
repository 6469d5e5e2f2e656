"""Record on a nurse's word that a refill visit was missed."""

from datetime import datetime

from app.actions.errors import Refused
from app.actions.line import Line
from app.actions.visits import record_miss, the_visit
from app.db.care import AppointmentState


def mark_missed(line: Line, appointment_id: int, now: datetime, actor: str, version: int | None = None) -> None:
    """Mark a visit missed: guidance goes out, and a nurse has a task at once. Twice changes nothing.

    Raises Refused for a visit still to come, or one that was attended or cancelled.
    """
    with line.db.begin() as session:
        visit, patient, clinic = the_visit(session, appointment_id, version)
        if visit.state is AppointmentState.MISSED:
            return
        if visit.state is not AppointmentState.BOOKED:
            raise Refused(f"this visit is {visit.state}: it cannot be missed", "conflict")
        if visit.starts_at > now:
            raise Refused("this visit is still to come: move or cancel it instead", "conflict")
        record_miss(line, session, visit, patient, clinic, now, actor)
