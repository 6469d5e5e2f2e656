"""A clinic's days: places, hours and slots, and when it is closed; and how full its days are."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from sqlalchemy import JSON, ColumnElement, ForeignKey, Index, Time, and_, func, or_, select
from sqlalchemy.orm import Mapped, Session, mapped_column

from app.db.base import Base
from app.db.care import Appointment, AppointmentState
from app.db.pages import VisitRow, person_of, visit_of
from app.db.people import Patient
from app.db.types import Id
from app.domain.visit_hours import ClinicDay, ClosedDays, VisitHours, clinic_days
from scheduler.quiet_hours import local_instant

_DEFAULTS = VisitHours()


class ClinicSchedule(Base):
    """What a clinic has chosen about its days; without a row, the defaults of domain.visit_hours."""

    __tablename__ = "clinic_schedule"
    clinic_id: Mapped[int] = mapped_column(ForeignKey("clinic.id"), primary_key=True, autoincrement=False)
    places: Mapped[list[int]] = mapped_column(JSON, default=lambda: list(_DEFAULTS.places))  # Monday first
    opens: Mapped[time] = mapped_column(Time, default=_DEFAULTS.opens)
    closes: Mapped[time] = mapped_column(Time, default=_DEFAULTS.closes)
    slot_minutes: Mapped[int] = mapped_column(default=_DEFAULTS.slot_minutes)
    version: Mapped[int] = mapped_column(default=1)

    @property
    def hours(self) -> VisitHours:
        return VisitHours(tuple(self.places), self.opens, self.closes, self.slot_minutes)


class Closure(Base):
    """Days on which the clinic sees nobody. Alerts and texts go on."""

    __tablename__ = "closure"
    __table_args__ = (Index("ix_closure_clinic_id_last_on", "clinic_id", "last_on"),)
    id: Mapped[int] = mapped_column(Id, primary_key=True)
    clinic_id: Mapped[int] = mapped_column(ForeignKey("clinic.id"))
    first_on: Mapped[date]
    last_on: Mapped[date]
    reason: Mapped[str]  # "Thanksgiving": of the clinic, never about a patient
    created_by: Mapped[int | None] = mapped_column(ForeignKey("staff.id"))
    created_at: Mapped[datetime]
    version: Mapped[int] = mapped_column(default=1)

    @property
    def days(self) -> ClosedDays:
        return ClosedDays(self.first_on, self.last_on, self.reason)


@dataclass(frozen=True)
class ClosureRow:
    id: int
    days: ClosedDays
    version: int


def visit_hours(session: Session, clinic_id: int) -> tuple[VisitHours, int]:
    """Return what the clinic has chosen and its version: 0 for the defaults, which nobody has changed yet."""
    found = session.get(ClinicSchedule, clinic_id)
    return (found.hours, found.version) if found else (_DEFAULTS, 0)


def closures(session: Session, clinic_id: int, since: date, until: date | None = None) -> tuple[ClosureRow, ...]:
    """Return closures that hold a day from `since` to `until`, the earliest first."""
    query = select(Closure).where(Closure.clinic_id == clinic_id, Closure.last_on >= since)
    if until is not None:
        query = query.where(Closure.first_on <= until)
    rows = session.scalars(query.order_by(Closure.first_on, Closure.id).limit(400))
    return tuple(ClosureRow(row.id, row.days, row.version) for row in rows)


@dataclass(frozen=True)
class Span:
    """So many days from `first` on."""

    first: date
    count: int

    def instants(self, zone: ZoneInfo) -> tuple[datetime, datetime]:
        start, end = (local_instant(self.first + timedelta(days=n), time(0), zone) for n in (0, self.count))
        return start, end


def days_from(
    session: Session, clinic_id: int, zone: ZoneInfo, first: date, count: int, now: datetime, *, without: int = 0
) -> tuple[ClinicDay, ...]:
    """Return so many days with their places and free slots. `without`: a visit that is about to move, not counted."""
    hours, _ = visit_hours(session, clinic_id)
    closed = closures(session, clinic_id, first, first + timedelta(days=count - 1))
    return days_of(session, clinic_id, zone, (Span(first, count),), hours, closed, now, without=without)[0]


def days_of(
    session: Session,
    clinic_id: int,
    zone: ZoneInfo,
    spans: Sequence[Span],
    hours: VisitHours,
    closed: Sequence[ClosureRow],
    now: datetime,
    *,
    without: int = 0,
) -> tuple[tuple[ClinicDay, ...], ...]:
    """Return the days of several spans, read in one query."""
    query = select(Appointment.starts_at).where(
        Appointment.clinic_id == clinic_id,
        Appointment.state != AppointmentState.CANCELLED,
        or_(*(_inside(span.instants(zone)) for span in spans)),
        Appointment.id != without,
    )
    taken: dict[date, list[time]] = {}
    for at in session.scalars(query):
        local = at.astimezone(zone)
        taken.setdefault(local.date(), []).append(local.time())
    there = now.astimezone(zone).replace(tzinfo=None)
    days = [row.days for row in closed]
    return tuple(clinic_days(hours, days, taken, span.first, span.count, there) for span in spans)


def _inside(span: tuple[datetime, datetime]) -> ColumnElement[bool]:
    return and_(Appointment.starts_at >= span[0], Appointment.starts_at < span[1])


def on_closed_days(
    session: Session, clinic_id: int, zone: ZoneInfo, closed: Sequence[ClosureRow], now: datetime, limit: int = 50
) -> tuple[tuple[VisitRow, ...], int]:
    """Return booked visits still to come on days that are closed, the soonest first, and how many there are."""
    if not closed:
        return (), 0
    spans = [Span(row.days.first, (row.days.last - row.days.first).days + 1).instants(zone) for row in closed]
    where = (
        Appointment.clinic_id == clinic_id,
        Appointment.state == AppointmentState.BOOKED,
        Appointment.starts_at >= now,
        or_(*(_inside(span) for span in spans)),
    )
    rows = session.execute(
        select(Appointment, Patient)
        .join(Patient, Patient.id == Appointment.patient_id)
        .where(*where)
        .order_by(Appointment.starts_at, Appointment.id)
        .limit(limit)
    ).all()
    total = len(rows) if len(rows) < limit else session.scalar(select(func.count(Appointment.id)).where(*where)) or 0
    return tuple(visit_of(visit, person_of(patient)) for visit, patient in rows), total
