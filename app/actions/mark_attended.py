"""Record that the refill was had: everything that is pending about it stops."""

from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from sqlalchemy import select
from sqlalchemy.orm import Session

from app.actions.errors import Refused
from app.actions.line import Line
from app.actions.plan_care import NOT_RECORDED
from app.actions.tasks import open_task
from app.actions.visit_steps import plan_check_ins
from app.actions.visits import record_attendance, the_visit
from app.db.care import Appointment, AppointmentState, EntryState, Refill
from app.db.people import Clinic
from app.db.supply import Supply
from app.db.work import TaskKind
from scheduler.ladders import Due, task_due

EARLY = timedelta(hours=3)  # marked longer before its time, nobody knows when the patient came: they are not asked


def mark_attended(line: Line, appointment_id: int, now: datetime, actor: str, version: int | None = None) -> None:
    """Mark a visit attended, also one noticed as missed. Twice changes nothing.

    The patient is asked twice how they are. Where we keep the dates of this pump, a nurse is asked to record the
    volumes. Raises Refused for a cancelled visit.
    """
    with line.db.begin() as session:
        visit, patient, clinic = the_visit(session, appointment_id, version)
        if visit.state is AppointmentState.ATTENDED:
            return
        if visit.state is AppointmentState.CANCELLED:
            raise Refused("this visit was cancelled: book the visit that took place, then mark it attended", "conflict")
        record_attendance(session, visit, patient, clinic, now, actor)
        if visit.starts_at <= now + EARLY:
            came_at = min(visit.starts_at, now)
            day = came_at.astimezone(ZoneInfo(clinic.time_zone)).date()
            plan_check_ins(session, patient, clinic, day, came_at, now)
        _ask_for_volumes(session, visit, clinic, now)


def _ask_for_volumes(session: Session, visit: Appointment, clinic: Clinic, now: datetime) -> None:
    """Have somebody record what was filled, so that the dates of this pump go on."""
    supply = session.get(Supply, visit.patient_id)
    if supply is None or supply.filled_on is None:
        return  # nobody has kept them so far
    day = min(visit.starts_at, now).astimezone(ZoneInfo(clinic.time_zone)).date()
    recorded = select(Refill.id).where(
        Refill.pump_id == supply.pump_id, Refill.filled_on >= day, Refill.state != EntryState.DECLINED
    )
    if session.scalars(recorded.limit(1)).first() is not None:
        return
    open_task(
        session,
        now,
        clinic.id,
        TaskKind.RECORD_REFILL,
        f"patient:{visit.patient_id}",
        NOT_RECORDED,
        patient_id=visit.patient_id,
        due_at=task_due(Due.WORKING_DAY, now, ZoneInfo(clinic.time_zone)),
        keep=True,
    )
