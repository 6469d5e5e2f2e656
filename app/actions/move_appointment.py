"""Move a visit to another time; its reminders follow."""

from datetime import datetime
from zoneinfo import ZoneInfo

from sqlalchemy import select

from app.actions.errors import Refused
from app.actions.line import Line
from app.actions.room import check_room, stays
from app.actions.tasks import close_tasks
from app.actions.visits import ABOUT_VISIT, after_change, check_in_time, check_start, say_why_late, the_visit
from app.db.care import Appointment, AppointmentState


def move_appointment(
    line: Line,
    appointment_id: int,
    starts_at: datetime,
    now: datetime,
    actor: str,
    version: int | None = None,
    late_reason: str = "",
    room_reason: str | None = None,
) -> None:
    """Move a booked or missed visit. It is unconfirmed again: nobody has agreed to the new time yet. To its own time:
    only a reason is kept.

    `room_reason` as in booking. Raises Refused for a visit that was attended or cancelled, a start not in the future, a
    stale version, and, without a reason, a day after the plan-by date (kind "late") or without room (kind "room").
    """
    check_start(starts_at, now)
    with line.db.begin() as session:
        visit, patient, clinic = the_visit(session, appointment_id, version)
        if visit.state in (AppointmentState.ATTENDED, AppointmentState.CANCELLED):
            raise Refused(f"this visit is {visit.state}: book a new one", "conflict")
        if visit.starts_at == starts_at and visit.state is AppointmentState.BOOKED:
            say_why_late(session, visit, patient, clinic, now, actor, late_reason)
            return
        clash = select(Appointment.id).where(
            Appointment.patient_id == visit.patient_id,
            Appointment.starts_at == starts_at,
            Appointment.state == AppointmentState.BOOKED,
            Appointment.id != visit.id,
        )
        if session.execute(clash).first():
            raise Refused("this patient has another visit at that time: cancel one of them", "conflict")
        visit.late_reason = check_in_time(session, patient, clinic, starts_at, now, late_reason, visit.id)
        room: str = ""
        if room_reason is not None:
            room, visit.room_reason = check_room(session, clinic, starts_at, now, room_reason, visit)
        elif not stays(visit, starts_at, ZoneInfo(clinic.time_zone)):
            visit.room_reason = None
        visit.starts_at, visit.state = starts_at, AppointmentState.BOOKED
        visit.confirmed_at = visit.missed_at = None
        close_tasks(session, now, f"appointment:{visit.id}", ABOUT_VISIT, "moved")
        after_change(session, visit, patient, clinic, now, actor, "moved", room)
