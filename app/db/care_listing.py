"""Reading queries behind the lists about pumps: dates, steps, pumps with their referral, entries that wait."""

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import TypeVar

from sqlalchemy import func, select
from sqlalchemy.orm import Session
from sqlalchemy.sql.selectable import GenerativeSelect

from app.db.care import EntryState, Program, Pump, Refill
from app.db.people import Patient, PatientState, Staff
from app.db.supply import CareStep, Referral, StepState, Supply
from app.domain.battery import replace_by
from scheduler.ladders import ERI_DAYS

Query = TypeVar("Query", bound=GenerativeSelect)
ON_THE_LINE = (PatientState.ACTIVE, PatientState.PAUSED)  # who is paused is not texted, but the pump runs on


@dataclass(frozen=True)
class KnownDates:
    """Until when a pump holds drug, as last worked out. For staff, never texted."""

    filled_on: date | None
    early_low_alarm_on: date | None
    low_alarm_on: date | None
    late_low_alarm_on: date | None
    early_empty_on: date | None
    empty_on: date | None
    plan_by: date | None
    plan_by_because: str | None
    days_left_early: int | None
    days_left_nominal: int | None
    problem: str | None
    stale: bool


@dataclass(frozen=True)
class StepLine:
    id: int
    patient_id: int
    appointment_id: int | None
    step: str
    due_at: datetime
    state: str
    reason: str | None


@dataclass(frozen=True)
class PumpListed:
    """A present pump; its replacement referral is the newest one."""

    id: int
    patient_id: int
    patient: str
    model: str
    reservoir_size_ml: Decimal
    implanted_on: date | None
    replace_by: date | None  # as the clinic set it, else by model
    replacement_indicator_on: date | None
    replacement_indicator_ends_on: date | None
    referral_id: int | None
    referral_state: str | None
    referral_owner: str | None
    referral_state_at: datetime | None


@dataclass(frozen=True)
class WaitingEntry:
    """A refill or program that counts only once a second member of staff confirms it."""

    kind: str  # refill, program
    id: int
    patient_id: int
    patient: str
    on: date  # filled on, or effective on
    reason: str
    entered_by: str | None  # None: by command, without a name
    entered_at: datetime


def limited(query: Query, limit: int) -> Query:
    return query.limit(limit) if limit else query


def days_left(day: date | None, today: date) -> int | None:
    """Return days of drug left, 0 when the day has come or passed."""
    return None if day is None else max((day - today).days, 0)


def known_dates(session: Session, patient_id: int, today: date) -> KnownDates | None:
    row = session.get(Supply, patient_id)
    if row is None:
        return None
    return KnownDates(
        row.filled_on,
        row.early_low_alarm_on,
        row.low_alarm_on,
        row.late_low_alarm_on,
        row.early_empty_on,
        row.empty_on,
        row.plan_by,
        row.plan_by_because,
        days_left(row.early_empty_on, today),
        days_left(row.empty_on, today),
        row.problem,
        row.stale,
    )


def list_steps(
    session: Session, *, patient_id: int | None = None, planned: bool = False, limit: int = 0
) -> list[StepLine]:
    """List steps of the ladders by when they fall due; `planned`: only those still to come."""
    query = select(CareStep).order_by(CareStep.due_at, CareStep.id)
    if patient_id is not None:
        query = query.where(CareStep.patient_id == patient_id)
    if planned:
        query = query.where(CareStep.state == StepState.PLANNED)
    return [
        StepLine(row.id, row.patient_id, row.appointment_id, row.step, row.due_at, row.state.value, row.reason)
        for row in session.scalars(limited(query, limit))
    ]


def list_pumps(session: Session, limit: int = 0) -> list[PumpListed]:
    """List the pumps of everybody on the line: those to be replaced first, then those of unknown age."""
    rows = session.execute(
        select(Pump, Patient)
        .join(Patient, Patient.id == Pump.patient_id)
        .where(Pump.removed_on.is_(None), Patient.state.in_(ON_THE_LINE))
    ).all()
    newest = select(func.max(Referral.id)).group_by(Referral.pump_id)
    found = session.execute(
        select(Referral, Staff.name).join(Staff, Staff.id == Referral.owner_id).where(Referral.id.in_(newest))
    )
    referrals = {referral.pump_id: (referral, owner) for referral, owner in found}
    pumps = [_pump_listed(pump, patient, *referrals.get(pump.id, (None, None))) for pump, patient in rows]
    pumps.sort(key=lambda pump: (_ends_on(pump) or date.max, pump.id))
    return pumps[:limit] if limit else pumps


def _ends_on(pump: PumpListed) -> date | None:
    ends = (pump.replace_by, pump.replacement_indicator_ends_on)
    return min((day for day in ends if day is not None), default=None)


def _pump_listed(pump: Pump, patient: Patient, referral: Referral | None, owner: str | None) -> PumpListed:
    return PumpListed(
        pump.id,
        patient.id,
        f"{patient.given_name} {patient.family_name}",
        pump.model,
        pump.reservoir_size_ml,
        pump.implanted_on,
        replace_by(pump.model, pump.implanted_on, pump.replace_by),
        pump.eri_on,
        pump.eri_on + timedelta(days=ERI_DAYS) if pump.eri_on else None,
        referral.id if referral else None,
        referral.state.value if referral else None,
        owner,
        referral.state_at if referral else None,
    )


def entries_waiting(session: Session) -> list[WaitingEntry]:
    """List refills and programs that wait for a second member of staff, the oldest first."""
    refills = session.execute(
        select(Refill, Patient, Staff.name)
        .join(Pump, Pump.id == Refill.pump_id)
        .join(Patient, Patient.id == Pump.patient_id)
        .outerjoin(Staff, Staff.id == Refill.entered_by)
        .where(Refill.state == EntryState.WAITING)
    )
    programs = session.execute(
        select(Program, Patient, Staff.name)
        .join(Pump, Pump.id == Program.pump_id)
        .join(Patient, Patient.id == Pump.patient_id)
        .outerjoin(Staff, Staff.id == Program.entered_by)
        .where(Program.state == EntryState.WAITING, Program.refill_id.is_(None))  # others wait with their refill
    )
    found = [_waiting("refill", row.filled_on, row, patient, name) for row, patient, name in refills]
    found += [_waiting("program", row.effective_on, row, patient, name) for row, patient, name in programs]
    return sorted(found, key=lambda entry: (entry.entered_at, entry.kind, entry.id))


def _waiting(kind: str, on: date, row: Refill | Program, patient: Patient, name: str | None) -> WaitingEntry:
    return WaitingEntry(
        kind,
        row.id,
        patient.id,
        f"{patient.given_name} {patient.family_name}",
        on,
        row.second_person_because or "",
        name,
        row.created_at,
    )
