"""One page of the refills due: by days of drug left, paged by key, as many queries for five thousand as for one."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, time
from typing import Any, Literal
from zoneinfo import ZoneInfo

from sqlalchemy import ColumnElement, and_, false, func, literal, or_, select
from sqlalchemy.orm import Session

from app.db.among import among
from app.db.care import Appointment, AppointmentState
from app.db.care_listing import ON_THE_LINE
from app.db.people import Patient
from app.db.supply import Supply
from app.db.worklist import DueRow, came_since, refills_due
from app.domain.escalation import seen_since, too_late
from scheduler.quiet_hours import local_instant

PAGE = 50
Show = Literal["all", "not-booked", "late"]
_LAST_DAY = date(9999, 12, 31)
_KEYS: tuple[Any, ...] = (
    func.coalesce(Supply.early_empty_on, _LAST_DAY),
    func.coalesce(Supply.plan_by, _LAST_DAY),
    Patient.id,
)


@dataclass(frozen=True)
class RefillPage:
    """`before` and `after`: the patients at whom the pages on either side end and begin; None where there is none."""

    rows: tuple[DueRow, ...]
    totals: dict[Show, int]
    before: int | None
    after: int | None


def refill_page(
    session: Session,
    clinic_id: int,
    now: datetime,
    zone: ZoneInfo,
    show: Show = "all",
    *,
    after: int | None = None,
    before: int | None = None,
) -> RefillPage:
    """Return the page after or before a patient, the first where there is no such patient any more."""
    today = now.astimezone(zone).date()
    everybody = and_(Patient.clinic_id == clinic_id, Patient.state.in_(ON_THE_LINE))
    began = local_instant(today, time(0), zone)
    late = _late(session, everybody, now, zone)
    wanted = {"all": everybody, "not-booked": and_(everybody, ~_booked(began)), "late": Patient.id.in_(late)}
    totals: dict[Show, int] = {
        "all": _count(session, everybody),
        "not-booked": _count(session, wanted["not-booked"]),
        "late": len(late),
    }
    ids, back, further = _ids(session, clinic_id, wanted[show], after, before)
    rows = refills_due(session, clinic_id, now, zone, only=ids) if ids else ()
    return RefillPage(rows, totals, ids[0] if back else None, ids[-1] if further else None)


def _ids(
    session: Session, clinic_id: int, wanted: ColumnElement[bool], after: int | None, before: int | None
) -> tuple[list[int], bool, bool]:
    """Return a page's patients, and whether there are others before and after them."""
    query = select(Patient.id).outerjoin(Supply, Supply.patient_id == Patient.id).where(wanted)
    at = _at(session, clinic_id, after if before is None else before)
    if at is None or before is None:
        beyond = [] if at is None else [_beyond(at)]
        found = list(session.scalars(query.where(*beyond).order_by(*_KEYS).limit(PAGE + 1)))
        return found[:PAGE], at is not None and bool(found), len(found) > PAGE
    upwards = query.where(_beyond(at, back=True)).order_by(*(key.desc() for key in _KEYS))
    found = list(session.scalars(upwards.limit(PAGE + 1)))
    return found[:PAGE][::-1], len(found) > PAGE, bool(found)


def _at(session: Session, clinic_id: int, patient_id: int | None) -> Any:
    if patient_id is None:
        return None
    query = select(*_KEYS).select_from(Patient).outerjoin(Supply, Supply.patient_id == Patient.id)
    return session.execute(query.where(Patient.clinic_id == clinic_id, Patient.id == patient_id)).first()


def _beyond(at: Sequence[Any], *, back: bool = False) -> ColumnElement[bool]:
    """Return the condition that a row stands further down, or up, than these keys."""
    beyond: ColumnElement[bool] = false()
    for key, value in zip(reversed(_KEYS), reversed(at), strict=True):
        held = literal(value, key.type)
        beyond = or_(key < held if back else key > held, and_(key == held, beyond))
    return beyond


def _booked(began: datetime) -> ColumnElement[bool]:
    return (
        select(Appointment.id)
        .where(
            Appointment.patient_id == Patient.id,
            Appointment.state == AppointmentState.BOOKED,
            Appointment.starts_at >= began,
        )
        .exists()
    )


def _count(session: Session, wanted: ColumnElement[bool]) -> int:
    return session.scalar(select(func.count(Patient.id)).where(wanted)) or 0


def _late(session: Session, everybody: ColumnElement[bool], now: datetime, zone: ZoneInfo) -> list[int]:
    """Return whose visit lies after the plan-by date, or whose date has passed without one.

    Who came since that filling is not late: the dates are those of the filling before.
    """
    today = now.astimezone(zone).date()
    soonest = (
        select(func.min(Appointment.starts_at))
        .where(
            Appointment.patient_id == Patient.id,
            Appointment.state == AppointmentState.BOOKED,
            Appointment.starts_at >= local_instant(today, time(0), zone),
        )
        .correlate(Patient)
        .scalar_subquery()
    )
    rows = session.execute(
        select(Patient.id, Supply.filled_on, Supply.plan_by, soonest.label("starts_at"))
        .join(Supply, Supply.patient_id == Patient.id)
        # as instants: whoever is late by the day at the clinic is among them
        .where(everybody, or_(and_(soonest.is_(None), Supply.plan_by < today), soonest > Supply.plan_by))
    ).all()
    late = [
        row for row in rows if row.starts_at is None or too_late(row.starts_at.astimezone(zone).date(), row.plan_by)
    ]
    since = min((row.filled_on for row in late if row.filled_on), default=today)
    came = came_since(session, among(Appointment.patient_id, [row.id for row in late]), since, zone)
    return [row.id for row in late if not _seen(row.filled_on, came.get(row.id), zone)]


def _seen(filled_on: date | None, came_at: datetime | None, zone: ZoneInfo) -> bool:
    return filled_on is not None and seen_since(filled_on, came_at.astimezone(zone).date() if came_at else None)
