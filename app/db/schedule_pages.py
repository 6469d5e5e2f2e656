"""What the schedule shows: visits of some days with the drug that is left, whom to book, who changed something last."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import ColumnElement, Select, and_, or_, select, true
from sqlalchemy.orm import Session

from app.db.among import among
from app.db.care import Appointment, AppointmentState
from app.db.pages import VisitRow, person_of, visit_of
from app.db.people import Patient, Staff
from app.db.pump_records import attended_at
from app.db.supply import Supply
from app.db.work import AuditEvent
from app.db.worklist import DueRow
from app.domain.escalation import seen_since, too_late

READS = ("read", "saw a list")


@dataclass(frozen=True)
class Scheduled:
    """One visit. `left`: days of drug left today by the early edge, None where not known."""

    row: VisitRow
    room_reason: str | None
    left: int | None
    plan_by: date | None
    plan_by_because: str | None
    days_late: int  # after the plan-by date
    runs_dry: bool  # the day lies after the early edge of empty


@dataclass(frozen=True)
class VisitKey:
    """A place in the order of visits: many may begin at one time, so that the id stands beside it."""

    at: datetime
    id: int


@dataclass(frozen=True)
class LastChange:
    """Who changed something last; `who` is None for what no member of staff did."""

    at: datetime
    verb: str
    actor: str
    who: str | None


def scheduled(
    session: Session,
    clinic_id: int,
    zone: ZoneInfo,
    start: datetime,
    end: datetime,
    now: datetime,
    limit: int,
    seen: VisitKey | None = None,
) -> tuple[Scheduled, ...]:
    """Return visits that start in [start, end), but for the cancelled ones, the earliest first: those that follow
    `seen`. Three queries."""
    return _with_drug(
        session,
        _visits()
        .where(
            Appointment.clinic_id == clinic_id,
            Appointment.state != AppointmentState.CANCELLED,
            Appointment.starts_at >= start,
            Appointment.starts_at < end,
            _follows(seen),
        )
        .limit(limit),
        zone,
        now,
    )


def _follows(seen: VisitKey | None) -> ColumnElement[bool]:
    if seen is None:
        return true()
    return or_(Appointment.starts_at > seen.at, and_(Appointment.starts_at == seen.at, Appointment.id > seen.id))


def one_visit(session: Session, visit_id: int, zone: ZoneInfo, now: datetime) -> Scheduled:
    return _with_drug(session, _visits().where(Appointment.id == visit_id), zone, now)[0]


def _visits() -> Select[Appointment, Patient]:
    return (
        select(Appointment, Patient)
        .join(Patient, Patient.id == Appointment.patient_id)
        .order_by(Appointment.starts_at, Appointment.id)
    )


_DATES = (  # read narrowly: a month at a large clinic has two thousand visits
    *(Supply.patient_id, Supply.stale, Supply.filled_on),
    *(Supply.early_empty_on, Supply.plan_by, Supply.plan_by_because),
)


def _with_drug(
    session: Session, query: Select[Appointment, Patient], zone: ZoneInfo, now: datetime
) -> tuple[Scheduled, ...]:
    rows = session.execute(query).all()
    ids = sorted({patient.id for _, patient in rows})
    if not ids:
        return ()
    supplies = {row.patient_id: row for row in session.execute(select(*_DATES).where(among(Supply.patient_id, ids)))}
    came = attended_at(session, ids)
    today = now.astimezone(zone).date()
    found = []
    for visit, patient in rows:
        supply = supplies.get(patient.id)
        came_at = came.get(patient.id)
        came_on = came_at.astimezone(zone).date() if came_at else None
        known = supply if supply is not None and not supply.stale and supply.filled_on else None
        if known is not None and known.filled_on is not None and seen_since(known.filled_on, came_on):
            known = None  # the dates are those of the filling before
        found.append(_scheduled(visit, patient, known, zone, today))
    return tuple(found)


def _scheduled(visit: Appointment, patient: Patient, supply: Any, zone: ZoneInfo, today: date) -> Scheduled:
    day = visit.starts_at.astimezone(zone).date()
    booked = visit.state is AppointmentState.BOOKED
    plan_by = supply.plan_by if supply else None
    early = supply.early_empty_on if supply else None
    return Scheduled(
        row=visit_of(visit, person_of(patient)),
        room_reason=visit.room_reason,
        left=max(0, (early - today).days) if early else None,
        plan_by=plan_by,
        plan_by_because=supply.plan_by_because if supply else None,
        days_late=too_late(day, plan_by) if plan_by and booked else 0,
        runs_dry=booked and early is not None and day > early,
    )


def to_book(rows: Sequence[DueRow]) -> list[DueRow]:
    """Return who has no visit in time, as sorted: the fewest days of drug left first.

    Whoever was seen a few days ago, with the volumes still to be recorded, is not asked for again.
    """
    return [
        row
        for row in rows
        if row.early_empty_on is not None
        and (row.visit is None or row.visit.days_late > 0)
        and (row.seen_on is None or row.long_unrecorded)
    ]


def last_change(session: Session, subject: str, verb: str = "") -> LastChange | None:
    """Return who changed this row last, by the audit log; with a verb, who did that last."""
    which = AuditEvent.verb == verb if verb else AuditEvent.verb.not_in(READS)
    row = session.execute(
        select(AuditEvent.at, AuditEvent.verb, AuditEvent.actor)
        .where(AuditEvent.subject == subject, which)
        .order_by(AuditEvent.id.desc())
        .limit(1)
    ).first()
    if row is None:
        return None
    kind, _, staff_id = row.actor.partition(":")
    who = session.scalar(select(Staff.name).where(Staff.id == int(staff_id))) if kind == "staff" else None
    return LastChange(row.at, row.verb, row.actor, who)
