"""Why a refill visit was missed: stored with the visit, and counted."""

from datetime import datetime

from sqlalchemy import func, select, update
from sqlalchemy.orm import Session

from app.actions.audit import audit
from app.db.care import Appointment, AppointmentState
from app.domain.why_missed import REASONS


def record_why(session: Session, now: datetime, appointment_id: int, reason: str, actor: str) -> None:
    """Store the reason; said again, the later one counts. Raises ValueError for one that is not in REASONS."""
    if reason not in REASONS:
        raise ValueError(f"{reason} is no reason for a miss: one of {', '.join(REASONS)}")
    session.execute(update(Appointment).where(Appointment.id == appointment_id).values(missed_reason=reason))
    audit(session, now, actor, "said why missed", f"appointment:{appointment_id}", reason=reason)


def reasons_counted(session: Session, clinic_id: int, since: datetime | None = None) -> dict[str, int]:
    """Return how often each reason was given for a missed visit, and "not said" for the others."""
    query = (
        select(Appointment.missed_reason, func.count())
        .where(
            Appointment.clinic_id == clinic_id,
            (Appointment.state == AppointmentState.MISSED)
            | Appointment.missed_reason.is_not(None)
            | Appointment.missed_at.is_not(None),
        )
        .group_by(Appointment.missed_reason)
    )
    if since is not None:
        query = query.where(Appointment.starts_at >= since)
    counts = {reason or "not said": count for reason, count in session.execute(query)}
    return {reason: counts.get(reason, 0) for reason in (*REASONS, "not said")}
