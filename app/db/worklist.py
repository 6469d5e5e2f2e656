"""The worklist of refills: everybody on the line by days of drug left, with visit, task and who has it."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import ColumnElement, LargeBinary, func, or_, select, text, type_coerce
from sqlalchemy.orm import Session

from app.db.among import among
from app.db.care import Appointment, AppointmentState, Pump
from app.db.care_listing import ON_THE_LINE, days_left
from app.db.crypto import Keyring
from app.db.people import Patient, Staff
from app.db.pump_records import CAME_AT, misses_open
from app.db.supply import Supply
from app.db.types import keyring_of, words_of
from app.db.work import Task, TaskKind, TaskState
from app.domain.escalation import relied_on, seen_since, too_late
from scheduler.quiet_hours import local_instant

ASKED_BY_NAME = 800  # so many patients are asked about one by one, more as everybody of the clinic
ON_CALL_PHONE = "on-call phone"
ALERT_ABOUT_REFILL = "missed_refill"  # its category; other alerts are about a text
URGES = (TaskKind.ALERT, TaskKind.MISSED_REFILL, TaskKind.SUPPLY, TaskKind.LATE_BOOKING)
SHOWN = (  # the gravest first
    *URGES,
    TaskKind.SECOND_PERSON,
    TaskKind.RECORD_REFILL,
    TaskKind.RESCHEDULE,
    TaskKind.NOT_ARRIVED,
    TaskKind.UNCONFIRMED,
    TaskKind.CALL_INSTEAD,
    TaskKind.CHECK_PUMP,
)


@dataclass(frozen=True)
class DueVisit:
    """The soonest booked visit, today's included."""

    id: int
    starts_at: datetime
    confirmed_at: datetime | None
    days_late: int  # after the plan-by date; 0 in time
    late_reason: str | None


@dataclass(frozen=True)
class DueTask:
    id: int
    kind: str
    reason: str
    due_at: datetime | None
    needed_by: date | None
    who: str | None  # None: nobody has it


@dataclass(frozen=True)
class SealedName:
    """A patient's name and record number, opened only where they are shown."""

    given_name: bytes
    family_name: bytes
    mrn: bytes
    keyring: Keyring


@dataclass(frozen=True)
class DueRow:
    """One patient. Dates are for staff, never texted; None where they are not known, and `problem` says why."""

    patient_id: int
    sealed: SealedName = field(repr=False)
    state: str  # active, paused
    filled_on: date | None
    days_left_early: int | None
    days_left_nominal: int | None
    early_empty_on: date | None
    empty_on: date | None
    plan_by: date | None
    plan_by_because: str | None
    problem: str | None
    stale: bool  # being worked out anew
    seen_on: date | None  # a visit since the refill these dates count from: its volumes are not recorded
    long_unrecorded: bool  # for so long that nobody may rely on that visit
    visit: DueVisit | None
    missed: bool  # a visit was missed and not made good
    tasks: tuple[DueTask, ...]  # unresolved, about the refill; the gravest first

    @property
    def given_name(self) -> str:
        return words_of(self.sealed.keyring, self.sealed.given_name)

    @property
    def family_name(self) -> str:
        return words_of(self.sealed.keyring, self.sealed.family_name)

    @property
    def mrn(self) -> str:
        return words_of(self.sealed.keyring, self.sealed.mrn)


def refills_due(
    session: Session,
    clinic_id: int,
    now: datetime,
    zone: ZoneInfo,
    within_days: int | None = None,
    *,
    booked: bool = True,
    only: Sequence[int] | None = None,
) -> tuple[DueRow, ...]:
    """Return patients, active or paused, by days of drug left at the early edge; who has no dates comes last.

    `within_days`: only whose plan-by date is at most so many days away or passed, whose dates are not known or in
    doubt, or about whom a task is open that urges a refill. Without `booked`, of these only who is not booked in time
    or is in doubt or urged. `only`: these patients. However many patients: at most seven queries.
    """
    today = now.astimezone(zone).date()
    tasks = _tasks(session, clinic_id)
    urged = {patient for patient, about in tasks.items() if any(task.kind in URGES for task in about)}
    began = local_instant(today, time(0), zone)
    due: ColumnElement[bool] | None = None if only is None else among(Patient.id, only)
    if within_days is not None:
        near = _due_by(today + timedelta(days=within_days), urged)
        due = near if booked else among(Patient.id, _not_booked(session, clinic_id, near, urged, began, zone))
    wanted = list(_supplies(session, clinic_id, due))
    few = [row.id for row in wanted] if len(wanted) <= ASKED_BY_NAME else None
    these = Appointment.clinic_id == clinic_id if few is None else among(Appointment.patient_id, few)
    wanted.sort(key=lambda row: (row.early_empty_on or date.max, row.plan_by or date.max, row.id))
    around = _Around(
        today=today,
        zone=zone,
        keyring=keyring_of(session.get_bind().dialect),
        tasks=tasks,
        visits=_visits(session, these, began),
        missed_at=dict(session.execute(misses_open(these)).all()),
        came_at=came_since(
            session, these, min((row.filled_on for row in wanted if row.filled_on), default=today), zone
        ),
        with_pump=_with_pump(session, [row.id for row in wanted if row.stale is None]),
    )
    return tuple(_due_row(row, around) for row in wanted)


@dataclass(frozen=True)
class _Around:
    """What stands around the dates of all these patients, by patient."""

    today: date
    zone: ZoneInfo
    keyring: Keyring
    tasks: dict[int, list[DueTask]]
    visits: dict[int, Any]
    missed_at: dict[int, datetime]
    came_at: dict[int, datetime]
    with_pump: set[int]

    def day(self, at: datetime | None) -> date | None:
        return at.astimezone(self.zone).date() if at else None


def _supplies(session: Session, clinic_id: int, due: ColumnElement[bool] | None) -> Sequence[Any]:
    """Return everybody on the line with their dates, or whoever is due."""
    names = (Patient.given_name, Patient.family_name, Patient.mrn)
    dates = (Supply.filled_on, Supply.early_empty_on, Supply.empty_on, Supply.plan_by, Supply.plan_by_because)
    sealed = (type_coerce(name, LargeBinary).label(name.key) for name in names)
    return session.execute(
        select(Patient.id, Patient.state, *sealed, *dates, Supply.problem, Supply.stale)
        .outerjoin(Supply, Supply.patient_id == Patient.id)
        .where(Patient.clinic_id == clinic_id, Patient.state.in_(ON_THE_LINE), *([] if due is None else [due]))
    ).all()


def _due_by(last: date, urged: set[int]) -> ColumnElement[bool]:
    """Whose plan-by date comes by that day, whose dates are not known or in doubt, or whom a task urges."""
    return or_(Supply.plan_by.is_(None), Supply.plan_by <= last, Supply.problem.is_not(None), among(Patient.id, urged))


def _not_booked(
    session: Session, clinic_id: int, due: ColumnElement[bool], urged: set[int], began: datetime, zone: ZoneInfo
) -> list[int]:
    """Return who of these has no visit before the plan-by date, or is in doubt or urged.

    Read narrowly: at a large clinic most of those who are due are booked.
    """
    soonest = (
        select(func.min(Appointment.starts_at))
        .where(
            Appointment.patient_id == Patient.id,
            Appointment.state == AppointmentState.BOOKED,
            Appointment.starts_at >= began,
        )
        .correlate(Patient)
        .scalar_subquery()
    )
    rows = session.execute(
        select(Patient.id, Supply.plan_by, Supply.problem, Supply.stale, soonest)
        .outerjoin(Supply, Supply.patient_id == Patient.id)
        .where(Patient.clinic_id == clinic_id, Patient.state.in_(ON_THE_LINE), due)
    )
    return [
        patient_id
        for patient_id, plan_by, problem, stale, visit in rows
        if problem
        or stale
        or patient_id in urged
        or plan_by is None
        or visit is None
        or visit.astimezone(zone).date() > plan_by
    ]


def _tasks(session: Session, clinic_id: int) -> dict[int, list[DueTask]]:
    """Return what is unresolved about each patient's refill, the gravest first."""
    rows = session.execute(
        select(Task.id, Task.kind, Task.reason, Task.due_at, Task.needed_by, Task.patient_id, Task.state, Staff.name)
        .outerjoin(Staff, Staff.id == Task.acknowledged_by)
        .where(
            Task.clinic_id == clinic_id,
            Task.state != TaskState.RESOLVED,
            Task.patient_id.is_not(None),
            Task.kind.in_(SHOWN),
            or_(Task.kind != TaskKind.ALERT, Task.category == ALERT_ABOUT_REFILL),
        )
        .order_by(Task.id)
    ).all()
    found: dict[int, list[DueTask]] = {}
    for row in sorted(rows, key=lambda row: SHOWN.index(row.kind)):
        who = (row.name or ON_CALL_PHONE) if row.state is TaskState.ACKNOWLEDGED else None
        about = DueTask(row.id, row.kind.value, row.reason, row.due_at, row.needed_by, who)
        found.setdefault(row.patient_id, []).append(about)
    return found


def _visits(session: Session, these: ColumnElement[bool], since: datetime) -> dict[int, Any]:
    """Return each patient's soonest booked visit from `since` on."""
    rows = session.execute(
        select(
            Appointment.id,
            Appointment.patient_id,
            Appointment.starts_at,
            Appointment.confirmed_at,
            Appointment.late_reason,
        ).where(
            these,
            text("appointment.state = 'booked'"),
            Appointment.starts_at >= since,
        )
    )  # sorted here: for an order by time SQLite looks through every booked visit there is
    return {row.patient_id: row for row in sorted(rows, key=lambda row: row.starts_at, reverse=True)}


def came_since(session: Session, these: ColumnElement[bool], since: date, zone: ZoneInfo) -> dict[int, datetime]:
    """Return when each patient last came to a visit that they attended, of visits from a day on."""
    rows = session.execute(
        select(Appointment.patient_id, func.max(CAME_AT))
        .where(
            these,
            Appointment.state == AppointmentState.ATTENDED,
            Appointment.starts_at >= local_instant(since, time(0), zone),
        )
        .group_by(Appointment.patient_id)
    )
    return dict(rows.all())


def _with_pump(session: Session, patients: Sequence[int]) -> set[int]:
    """Return who of these has a pump."""
    return set(
        session.scalars(select(Pump.patient_id).where(among(Pump.patient_id, patients), Pump.removed_on.is_(None)))
    )


def _due_row(row: Any, around: _Around) -> DueRow:
    came_on, missed_on = around.day(around.came_at.get(row.id)), around.day(around.missed_at.get(row.id))
    filled_on = row.filled_on or date.min
    unrecorded = row.filled_on is not None and seen_since(row.filled_on, came_on)
    problem = row.problem
    if row.stale is None:
        problem = "not worked out yet" if row.id in around.with_pump else "no pump is recorded"
    visit = around.visits.get(row.id)
    return DueRow(
        patient_id=row.id,
        sealed=SealedName(row.given_name, row.family_name, row.mrn, around.keyring),
        state=row.state.value,
        filled_on=row.filled_on,
        days_left_early=days_left(row.early_empty_on, around.today),
        days_left_nominal=days_left(row.empty_on, around.today),
        early_empty_on=row.early_empty_on,
        empty_on=row.empty_on,
        plan_by=row.plan_by,
        plan_by_because=row.plan_by_because,
        problem=problem,
        stale=bool(row.stale),
        seen_on=came_on if unrecorded else None,
        long_unrecorded=unrecorded and came_on is not None and not relied_on(came_on, around.today),
        visit=_due_visit(visit, None if unrecorded else row.plan_by, around.zone) if visit else None,
        missed=missed_on is not None and missed_on > filled_on,
        tasks=tuple(around.tasks.get(row.id, ())),
    )


def _due_visit(visit: Any, plan_by: date | None, zone: ZoneInfo) -> DueVisit:
    days = too_late(visit.starts_at.astimezone(zone).date(), plan_by) if plan_by else 0
    return DueVisit(visit.id, visit.starts_at, visit.confirmed_at, days, visit.late_reason)
