"""The visits of today and tomorrow, as many as a glance takes, with how many there are."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import and_, case, func, select
from sqlalchemy.orm import Session

from app.db.care import Appointment, AppointmentState
from app.db.pages import VisitRow, visits_between

AT_A_GLANCE = 12
JUST_NOW = timedelta(hours=1)  # so long a visit is still of interest where there are more than a glance takes


@dataclass(frozen=True)
class DayOfVisits:
    """One day: the visits shown, and of all of them how many there are and how many nobody has confirmed."""

    visits: tuple[VisitRow, ...]
    total: int
    unconfirmed: int


def agenda(
    session: Session, clinic_id: int, start: datetime, middle: datetime, end: datetime, now: datetime
) -> tuple[DayOfVisits, DayOfVisits]:
    """Return the days from `start` to `middle` and on to `end`. Three queries, however many visits."""
    first = Appointment.starts_at < middle
    unconfirmed = and_(Appointment.state == AppointmentState.BOOKED, Appointment.confirmed_at.is_(None))
    counts = session.execute(
        select(
            func.count(case((first, 1))),
            func.count(case((and_(first, unconfirmed), 1))),
            func.count(case((~first, 1))),
            func.count(case((and_(~first, unconfirmed), 1))),
        ).where(
            Appointment.clinic_id == clinic_id,
            Appointment.state != AppointmentState.CANCELLED,
            Appointment.starts_at >= start,
            Appointment.starts_at < end,
        )
    ).one()
    since = start if counts[0] <= AT_A_GLANCE else min(max(start, now - JUST_NOW), middle)
    return (
        DayOfVisits(visits_between(session, clinic_id, since, middle, AT_A_GLANCE), counts[0], counts[1]),
        DayOfVisits(visits_between(session, clinic_id, middle, end, AT_A_GLANCE), counts[2], counts[3]),
    )
