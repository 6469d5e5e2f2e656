"""The list of patients: narrowed, sorted and paged by key, with as many queries for five thousand as for one."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Any, Literal

from sqlalchemy import ColumnElement, Select, and_, bindparam, case, false, func, literal, or_, select, text
from sqlalchemy.orm import Session

from app.db.among import among
from app.db.care import Appointment, AppointmentState, Pump
from app.db.care_listing import ON_THE_LINE
from app.db.messages import OutboundMessage
from app.db.pages import ClinicFacts, Person, person_of
from app.db.people import Contact, Patient, Phone
from app.db.pump_records import CAME_AT, misses_open
from app.db.supply import Supply
from app.domain.delivery import DeliveryState
from app.domain.escalation import seen_since, too_late
from app.domain.patient_filters import Filters

PAGE = 50
DID_NOT_ARRIVE = (DeliveryState.UNDELIVERED, DeliveryState.FAILED)
PhoneState = Literal["ok", "opted_out", "failed", "none"]
_LAST_DAY = date(9999, 12, 31)
_LAST = datetime(9999, 12, 31, tzinfo=UTC)


@dataclass(frozen=True)
class Place:
    """Where a page begins: after or before one patient, by id."""

    after: int | None = None
    before: int | None = None


@dataclass(frozen=True)
class Listed:
    """One patient of the list."""

    person: Person
    next_visit: datetime | None
    confirmed: bool
    missed: bool  # a visit was missed and none is booked since
    days_late: int  # of the next visit, after the plan-by date
    phone: PhoneState
    number: str | None  # of the first contact
    pump: str | None
    filled_on: date | None
    early_empty_on: date | None
    empty_on: date | None
    plan_by: date | None


@dataclass(frozen=True)
class Found:
    ids: tuple[int, ...]
    further: bool
    back: bool
    total: int


class NoSuchPlace(Exception):
    """The patient at which a page should begin is not in this clinic."""


_NEXT = (  # of this clinic, and as the partial index says it: other clinics' visits cost nothing here
    select(Appointment.patient_id, func.min(Appointment.starts_at).label("starts_at"))
    .where(Appointment.clinic_id == bindparam("of_clinic"), text("appointment.state = 'booked'"))
    .group_by(Appointment.patient_id)
    .subquery()
)
_EARLY = case((Patient.state.in_(ON_THE_LINE), func.coalesce(Supply.early_empty_on, _LAST_DAY)), else_=_LAST_DAY)
_VISIT = func.coalesce(_NEXT.c.starts_at, literal(_LAST, Appointment.starts_at.type))
_BOOKED = case((_NEXT.c.starts_at.is_(None), 0), else_=1)  # nobody's booking first
_GONE = case((Patient.state.in_(ON_THE_LINE), 0), else_=1)
_KEYS: dict[str, tuple[Any, ...]] = {
    "left": (_GONE, _EARLY, _BOOKED, _VISIT, Patient.id),
    "visit": (_GONE, _BOOKED, _VISIT, Patient.id),
}


def conditions(
    session: Session, clinic: ClinicFacts, filters: Filters, today: date, found: ColumnElement[bool] | None
) -> list[ColumnElement[bool]]:
    """Return what a patient of this list fulfils. `found`: whom a search finds."""
    wanted = [Patient.clinic_id == clinic.id]
    if found is not None:
        wanted.append(found)
    if filters.state:
        wanted.append(Patient.state == filters.state)
    if filters.language:
        wanted.append(Patient.language == filters.language)
    if filters.zone:
        wanted.append(Patient.time_zone != clinic.time_zone)
    if filters.pump:
        wanted.append(~_has_pump())
    if filters.left:
        wanted.append(Supply.early_empty_on <= today + timedelta(days=int(filters.left)))
    if filters.phone:
        wanted.append(_phone_is(filters.phone))
    if filters.visit:
        wanted.append(_visit_is(session, clinic, filters.visit))
    return wanted


def find(
    session: Session, clinic_id: int, wanted: Sequence[ColumnElement[bool]], filters: Filters, place: Place
) -> Found:
    """Return one page of ids. Raises NoSuchPlace."""
    keys, here = _KEYS[filters.sort], {"of_clinic": clinic_id}
    counted = select(func.count(Patient.id)).where(*wanted)
    counted = _joined(counted) if filters.visit or filters.left else counted  # joining costs as much as sorting
    total = session.scalar(counted, here) or 0
    query = _joined(select(Patient.id)).where(*wanted)
    if place.before is not None:
        query = query.where(_beyond(keys, _at(session, keys, clinic_id, place.before), back=True))
        ids = session.scalars(query.order_by(*(key.desc() for key in keys)).limit(PAGE + 1), here).all()
        return Found(tuple(reversed(ids[:PAGE])), further=True, back=len(ids) > PAGE, total=total)
    if place.after is not None:
        query = query.where(_beyond(keys, _at(session, keys, clinic_id, place.after)))
    ids = session.scalars(query.order_by(*keys).limit(PAGE + 1), here).all()
    back = place.after is not None
    return Found(tuple(ids[:PAGE]), further=len(ids) > PAGE, back=back and total > 0, total=total)


def every_id(session: Session, clinic_id: int, wanted: Sequence[ColumnElement[bool]], sort: str) -> list[int]:
    query = _joined(select(Patient.id)).where(*wanted).order_by(*_KEYS[sort])
    return list(session.scalars(query, {"of_clinic": clinic_id}))


def _joined(query: Select[Any]) -> Select[Any]:
    return (
        query.select_from(Patient)
        .outerjoin(Supply, Supply.patient_id == Patient.id)
        .outerjoin(_NEXT, _NEXT.c.patient_id == Patient.id)
    )


def _at(session: Session, keys: Sequence[ColumnElement[Any]], clinic_id: int, patient_id: int) -> Any:
    query = _joined(select(*keys)).where(Patient.clinic_id == clinic_id, Patient.id == patient_id)
    row = session.execute(query, {"of_clinic": clinic_id}).first()
    if row is None:
        raise NoSuchPlace
    return row


def _beyond(keys: Sequence[ColumnElement[Any]], at: Sequence[Any], *, back: bool = False) -> ColumnElement[bool]:
    """Return the condition that a row stands further down, or up, than these keys."""
    beyond: ColumnElement[bool] = false()
    for key, value in zip(reversed(keys), reversed(at), strict=True):
        held = literal(value, key.type)
        beyond = or_(key < held if back else key > held, and_(key == held, beyond))
    return beyond


def _has_pump() -> ColumnElement[bool]:
    return select(Pump.id).where(Pump.patient_id == Patient.id, Pump.removed_on.is_(None)).exists()


_NEWEST_TEXT = (
    select(OutboundMessage.state)
    .where(OutboundMessage.phone_id == Phone.id)
    .order_by(OutboundMessage.id.desc())
    .limit(1)
    .correlate(Phone)
    .scalar_subquery()
)
_FAILED = _NEWEST_TEXT.in_(DID_NOT_ARRIVE)


def _phone_is(state: str) -> ColumnElement[bool]:
    anyone = select(Contact.id).where(Contact.patient_id == Patient.id)
    open_to_texts = (
        select(Contact.id)
        .join(Phone, Phone.id == Contact.phone_id)
        .where(Contact.patient_id == Patient.id, Phone.opted_out_at.is_(None))
    )
    failing = open_to_texts.where(_FAILED).exists()
    return {
        "none": ~anyone.exists(),
        "opted_out": and_(anyone.exists(), ~open_to_texts.exists()),
        "failed": failing,
        "ok": and_(open_to_texts.exists(), ~failing),
    }[state]


def _visit_is(session: Session, clinic: ClinicFacts, which: str) -> ColumnElement[bool]:
    """A miss that no booking made good is a miss; with one, the booking counts."""
    missed = misses_open(Appointment.clinic_id == clinic.id).subquery()
    has_missed = Patient.id.in_(select(missed.c.patient_id))
    booked = _NEXT.c.starts_at.is_not(None)
    if which == "missed":
        return and_(has_missed, ~booked)
    if which == "none":
        return and_(~has_missed, ~booked)
    after_plan_by = _NEXT.c.starts_at > Supply.plan_by
    in_time_all_the_same = Patient.id.in_(_not_late(session, clinic, after_plan_by))
    if which == "late":
        return and_(after_plan_by, ~in_time_all_the_same)
    return and_(booked, or_(Supply.plan_by.is_(None), ~after_plan_by, in_time_all_the_same))


def _not_late(session: Session, clinic: ClinicFacts, after_plan_by: ColumnElement[bool]) -> list[int]:
    """Return whose next visit is after the plan-by date as instants are compared, and in time all the same: by the day
    at the clinic, or because the pump was seen to since."""
    rows = session.execute(
        _joined(select(Patient.id, _NEXT.c.starts_at, Supply.plan_by, Supply.filled_on)).where(
            Patient.clinic_id == clinic.id, after_plan_by
        ),
        {"of_clinic": clinic.id},
    ).all()
    late = [row for row in rows if _days_late(row.starts_at, row.plan_by, clinic)]
    came = _came(session, [row.id for row in late])
    really = {row.id for row in late if not _seen(row.filled_on, came.get(row.id), clinic)}
    return [row.id for row in rows if row.id not in really]


def _came(session: Session, ids: Sequence[int]) -> dict[int, datetime]:
    rows = session.execute(
        select(Appointment.patient_id, func.max(CAME_AT))
        .where(among(Appointment.patient_id, ids), Appointment.state == AppointmentState.ATTENDED)
        .group_by(Appointment.patient_id)
    )
    return dict(rows.all())


def _days_late(starts_at: datetime, plan_by: date | None, clinic: ClinicFacts) -> int:
    return too_late(starts_at.astimezone(clinic.zone).date(), plan_by) if plan_by else 0


def _seen(filled_on: date | None, came_at: datetime | None, clinic: ClinicFacts) -> bool:
    """Whether the dates are those of the filling before the last visit: then nothing is late by them."""
    return filled_on is not None and seen_since(filled_on, came_at.astimezone(clinic.zone).date() if came_at else None)


def rows_of(session: Session, clinic: ClinicFacts, ids: Sequence[int]) -> tuple[Listed, ...]:
    """Return these patients in this order. Their names are opened, so this is for those that are shown."""
    both = session.execute(
        select(Patient, Supply).outerjoin(Supply, Supply.patient_id == Patient.id).where(among(Patient.id, ids))
    )
    patients: dict[int, tuple[Patient, Supply | None]] = {patient.id: (patient, supply) for patient, supply in both}
    dates = {patient_id: supply for patient_id, (_, supply) in patients.items() if supply is not None}
    visits = _next_visits(session, ids)
    missed = {patient_id for patient_id, _ in session.execute(misses_open(among(Appointment.patient_id, ids)))}
    late = {
        patient_id: days
        for patient_id, (starts_at, _) in visits.items()
        if patient_id in dates and (days := _days_late(starts_at, dates[patient_id].plan_by, clinic))
    }
    came, phones, pumps = _came(session, list(late)), _phones(session, ids), _pumps(session, ids)
    found = []
    for patient_id in ids:
        starts_at, confirmed = visits.get(patient_id, (None, False))
        known = dates.get(patient_id)
        if patient_id in late and known and _seen(known.filled_on, came.get(patient_id), clinic):
            late.pop(patient_id)
        state, number = phones.get(patient_id, ("none", None))
        found.append(
            Listed(
                person_of(patients[patient_id][0]),
                starts_at,
                confirmed,
                patient_id in missed and starts_at is None,
                late.get(patient_id, 0),
                state,
                number,
                pumps.get(patient_id),
                known.filled_on if known else None,
                known.early_empty_on if known else None,
                known.empty_on if known else None,
                known.plan_by if known else None,
            )
        )
    return tuple(found)


def _next_visits(session: Session, ids: Sequence[int]) -> dict[int, tuple[datetime, bool]]:
    rows = session.execute(
        select(Appointment.patient_id, Appointment.starts_at, Appointment.confirmed_at).where(
            among(Appointment.patient_id, ids), Appointment.state == AppointmentState.BOOKED
        )
    )  # sorted here: for an order by time SQLite looks through every booked visit there is
    soonest_last = sorted(rows, key=lambda row: row.starts_at, reverse=True)
    return {row.patient_id: (row.starts_at, row.confirmed_at is not None) for row in soonest_last}


def _phones(session: Session, ids: Sequence[int]) -> dict[int, tuple[PhoneState, str | None]]:
    rows = session.execute(
        select(Contact.patient_id, Phone.number, Phone.opted_out_at, _FAILED.label("failed"))
        .join(Phone, Phone.id == Contact.phone_id)
        .where(among(Contact.patient_id, ids))
        .order_by(Contact.id)
    )
    held: dict[int, list[Any]] = {}
    for row in rows:
        held.setdefault(row.patient_id, []).append(row)
    found: dict[int, tuple[PhoneState, str | None]] = {}
    for patient_id, phones in held.items():
        reached = [row for row in phones if row.opted_out_at is None]
        state: PhoneState = "failed" if any(row.failed for row in reached) else "ok" if reached else "opted_out"
        found[patient_id] = (state, phones[0].number)
    return found


def _pumps(session: Session, ids: Sequence[int]) -> dict[int, str]:
    rows = session.execute(
        select(Pump.patient_id, Pump.model)
        .where(among(Pump.patient_id, ids), Pump.removed_on.is_(None))
        .order_by(Pump.id)
    )
    return {row.patient_id: row.model for row in rows}
