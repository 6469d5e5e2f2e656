"""Record that the refill was had: everything that is pending about it stops."""

from datetime import datetime

from app.actions.errors import Refused
from app.actions.line import Line
from app.actions.tasks import close_tasks
from app.actions.visits import ABOUT_VISIT, after_change, settle_earlier_misses, the_visit
from app.db.care import AppointmentState


def mark_attended(line: Line, appointment_id: int, now: datetime, actor: str, version: int | None = None) -> None:
    """Mark a visit attended, also one noticed as missed. Twice changes nothing. Raises Refused for a cancelled one."""
    with line.db.begin() as session:
        visit, patient, clinic = the_visit(session, appointment_id, version)
        if visit.state is AppointmentState.ATTENDED:
            return
        if visit.state is AppointmentState.CANCELLED:
            raise Refused("this visit was cancelled: book the visit that took place, then mark it attended", "conflict")
        visit.state, visit.attended_at = AppointmentState.ATTENDED, now
        close_tasks(session, now, f"appointment:{visit.id}", ABOUT_VISIT, "attended")
        settle_earlier_misses(session, patient.id, now, "attended", had=True)
        after_change(session, visit, patient, clinic, now, actor, "attended")
