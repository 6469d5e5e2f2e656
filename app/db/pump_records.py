"""What stands on record about pumps: read for many patients at once, into rows that are used together."""

from collections import defaultdict
from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime

from sqlalchemy import ColumnElement, Select, bindparam, case, func, select, text, update
from sqlalchemy.orm import Session, aliased

from app.db.among import among
from app.db.care import Appointment, AppointmentState, EntryState, Program, Pump, Refill
from app.db.supply import Supply
from app.db.work import Task, TaskKind, TaskState

ABOUT_REFILL = (TaskKind.SUPPLY, TaskKind.MISSED_REFILL)


@dataclass(frozen=True)
class PumpRecord:
    """A patient's present pump with its last refill in force and every program, effective or waiting, oldest first."""

    pump: Pump
    refill: Refill | None
    programs: tuple[Program, ...]

    def program_on(self, day: date) -> Program | None:
        """Return the program in force on a day: the latest begun by then, else the first there is."""
        effective = [program for program in self.programs if program.state is EntryState.EFFECTIVE]
        begun = [program for program in effective if program.effective_on <= day]
        return begun[-1] if begun else next(iter(effective), None)

    def program_before(self, day: date) -> Program | None:
        """Return the program in force just before a day; None where none had begun."""
        begun = [p for p in self.programs if p.state is EntryState.EFFECTIVE and p.effective_on < day]
        return begun[-1] if begun else None

    def with_program(self, program: Program) -> "PumpRecord":
        """Return the record with this program in force from its day on, in place of any other of that day."""
        others = [p for p in self.programs if (p.effective_on, p.state) != (program.effective_on, EntryState.EFFECTIVE)]
        return replace(self, programs=tuple(sorted([*others, program], key=lambda p: p.effective_on)))

    @property
    def waiting(self) -> tuple[Program, ...]:
        """Programs that a second person must confirm, but for those that wait together with a refill."""
        return tuple(p for p in self.programs if p.state is EntryState.WAITING and p.refill_id is None)


# Built once: they are asked in nearly every transaction about a pump or a visit, and building one costs as much as
# running it.
_PUMPS = select(Pump).where(among(Pump.patient_id, "patients"), Pump.removed_on.is_(None)).order_by(Pump.id)
_REFILLS = (
    select(Refill)
    .where(among(Refill.pump_id, "pumps"), Refill.state == EntryState.EFFECTIVE)
    .order_by(Refill.filled_on)
)
_PROGRAMS = (
    select(Program)
    .where(among(Program.pump_id, "pumps"), Program.state != EntryState.DECLINED)
    .order_by(Program.effective_on, Program.id)
)


def pump_records(session: Session, patients: Collection[int]) -> dict[int, PumpRecord]:
    """Return each patient's present pump: of those not removed the one implanted last."""
    pumps: dict[int, Pump] = {}
    for pump in session.scalars(_PUMPS, {"patients": list(patients)}):
        before = pumps.get(pump.patient_id)
        if before is None or (pump.implanted_on or date.min) >= (before.implanted_on or date.min):
            pumps[pump.patient_id] = pump
    ids = {"pumps": [pump.id for pump in pumps.values()]}
    refills: dict[int, Refill] = {}
    for refill in session.scalars(_REFILLS, ids):
        refills[refill.pump_id] = refill
    programs: defaultdict[int, list[Program]] = defaultdict(list)
    for program in session.scalars(_PROGRAMS, ids):
        programs[program.pump_id].append(program)
    return {
        patient_id: PumpRecord(pump, refills.get(pump.id), tuple(programs[pump.id]))
        for patient_id, pump in pumps.items()
    }


def pump_record(session: Session, patient_id: int) -> PumpRecord | None:
    return pump_records(session, [patient_id]).get(patient_id)


@dataclass(frozen=True)
class VisitFacts:
    """What visits say about a patient's refill."""

    booked_at: datetime | None = None  # the soonest still to come, or passed and not yet settled
    missed_at: datetime | None = None  # start of the last one missed and not made good
    attended_at: datetime | None = None  # when the patient came to the last one attended


# Marked later than it was, the patient came at its start; marked before it, the patient came then.
CAME_AT = case((Appointment.starts_at < Appointment.attended_at, Appointment.starts_at), else_=Appointment.attended_at)


def misses_open(*conditions: ColumnElement[bool]) -> Select[int, datetime]:
    """Select patient and start of visits that were missed and not made good: nobody was booked again or seen after."""
    later = aliased(Appointment)
    made_good = (
        select(later.id)
        .where(
            later.patient_id == Appointment.patient_id,
            later.id != Appointment.id,
            later.state != AppointmentState.CANCELLED,
            (later.created_at >= Appointment.missed_at) | (later.attended_at >= Appointment.missed_at),
        )
        .exists()
    )
    return (
        select(Appointment.patient_id, func.max(Appointment.starts_at))
        .where(Appointment.state == AppointmentState.MISSED, ~made_good, *conditions)
        .group_by(Appointment.patient_id)
    )


_OF_THESE = among(Appointment.patient_id, "patients")
_BOOKED: Select[int, datetime] = (
    select(Appointment.patient_id, func.min(Appointment.starts_at))
    .where(_OF_THESE, Appointment.state == AppointmentState.BOOKED, Appointment.starts_at >= bindparam("since"))
    .group_by(Appointment.patient_id)
)
_ATTENDED: Select[int, datetime] = (
    select(Appointment.patient_id, func.max(CAME_AT))
    .where(_OF_THESE, Appointment.state == AppointmentState.ATTENDED)
    .group_by(Appointment.patient_id)
)
_MISSED = misses_open(_OF_THESE)


def attended_at(session: Session, patients: Sequence[int]) -> dict[int, datetime]:
    """Return when each of these patients last came to a visit that was attended."""
    return dict(session.execute(_ATTENDED, {"patients": list(patients)}).all())


def visit_facts(session: Session, patients: Sequence[int], since: datetime) -> dict[int, VisitFacts]:
    """Return, per patient, the soonest booked visit from `since` on, the last one attended, and the last miss that no
    visit made good."""
    these = {"patients": list(patients)}
    booked = dict(session.execute(_BOOKED, {"since": since, **these}).all())
    attended = dict(session.execute(_ATTENDED, these).all())
    missed = dict(session.execute(_MISSED, these).all())
    return {
        patient_id: VisitFacts(booked.get(patient_id), missed.get(patient_id), attended.get(patient_id))
        for patient_id in patients
    }


_OWNED = select(Task.patient_id).where(
    among(Task.patient_id, "patients"),
    Task.kind.in_(ABOUT_REFILL),
    Task.state == TaskState.ACKNOWLEDGED,
)


def owned_refills(session: Session, patients: Sequence[int]) -> set[int]:
    """Return the patients about whose refill somebody has taken an open task."""
    rows = session.scalars(_OWNED, {"patients": list(patients)})
    return {patient_id for patient_id in rows if patient_id is not None}


def plan_by_of(session: Session, patient_id: int) -> date | None:
    """Return the day by which this patient's refill must be planned, None where it is not known."""
    return session.execute(select(Supply.plan_by).where(Supply.patient_id == patient_id)).scalar()


# as their partial indexes say it, and in their order: nearly every pump has its dates
_UNDATED = select(Pump.patient_id).where(text("NOT pump.dated"), Pump.removed_on.is_(None)).order_by(Pump.patient_id)
_STALE = select(Supply.patient_id).where(text("supply.stale")).order_by(Supply.patient_id)
_DATE = (
    update(Pump)
    .where(among(Pump.patient_id, "patients"), text("NOT dated"))
    .values(dated=True)
    .execution_options(synchronize_session=False)
)


def pumps_without_dates(session: Session, limit: int) -> list[int]:
    """Return patients whose pump has no dates yet, or dates that something has changed since."""
    waiting = [patient_id for query in (_UNDATED, _STALE) for patient_id in session.scalars(query.limit(limit))]
    return list(dict.fromkeys(waiting))[:limit]


def dates_known(session: Session, patients: Collection[int]) -> None:
    """Note that what the pumps of these patients hold has been worked out."""
    session.execute(_DATE, {"patients": list(patients)})
