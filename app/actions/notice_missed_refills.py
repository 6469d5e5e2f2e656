"""Notice visits that passed without being marked attended."""

from datetime import datetime, timedelta

from sqlalchemy import select

from app.actions.each import each
from app.actions.line import Line
from app.actions.tasks import open_task
from app.actions.visits import record_miss, the_visit
from app.db.care import Appointment, AppointmentState
from app.db.people import Clinic
from app.db.work import Task, TaskKind


def notice_missed_refills(line: Line, now: datetime) -> int:
    """Mark every visit missed that passed without word, by each clinic's own delay; return how many."""
    with line.db.read() as session:
        rows = session.execute(select(Clinic.id, Clinic.missed_after_minutes))
        latest = {clinic_id: now - timedelta(minutes=minutes) for clinic_id, minutes in rows}
        # of all clinics at once: for one of them SQLite looks through every visit that it ever had
        passed = (
            select(Appointment.id, Appointment.clinic_id, Appointment.starts_at)
            .where(
                Appointment.state == AppointmentState.BOOKED, Appointment.starts_at <= max(latest.values(), default=now)
            )
            .order_by(Appointment.starts_at)
        )
        due = [visit for visit, clinic_id, starts_at in session.execute(passed) if starts_at <= latest[clinic_id]]
    return each(due, "visit", lambda appointment_id: _notice(line, appointment_id, now))


def _notice(line: Line, appointment_id: int, now: datetime) -> bool:
    try:
        return _record(line, appointment_id, now)
    except Exception:
        _ask_for_a_call(line, appointment_id, now)  # its texts cannot be planned: the nurse must know all the same
        raise


def _ask_for_a_call(line: Line, appointment_id: int, now: datetime) -> None:
    subject = f"appointment:{appointment_id}"
    with line.db.begin() as session:
        known = select(Task.id).where(Task.kind == TaskKind.MISSED_REFILL, Task.subject == subject)
        if session.execute(known.limit(1)).first():
            return  # tried at every beat: once is enough
        visit = session.get_one(Appointment, appointment_id)
        reason = "missed a refill visit, and could not be texted: call today"
        open_task(session, now, visit.clinic_id, TaskKind.MISSED_REFILL, subject, reason, patient_id=visit.patient_id)


def _record(line: Line, appointment_id: int, now: datetime) -> bool:
    with line.db.begin() as session:
        visit, patient, clinic = the_visit(session, appointment_id, None)
        if visit.state is not AppointmentState.BOOKED or visit.starts_at > now - timedelta(
            minutes=clinic.missed_after_minutes
        ):
            return False  # attended or moved meanwhile
        record_miss(line, session, visit, patient, clinic, now, "system")
        return True
