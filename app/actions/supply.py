"""Until when a pump holds drug, and everything that follows when that changes: dates, steps, late visits."""

from collections.abc import Collection, Sequence
from dataclasses import replace
from datetime import date, datetime, time
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import bindparam, select
from sqlalchemy.orm import Session

from app.actions.care_steps import BATTERY, SUPPLY, StepRow, add_steps, cancel_steps, replan_steps, stored_steps
from app.actions.line import policy_of
from app.actions.tasks import close_tasks, open_task
from app.db.among import among
from app.db.care import Appointment, AppointmentState, EntryState, Program
from app.db.inserts import insert_once
from app.db.people import Clinic, Patient, PatientState
from app.db.pump_records import PumpRecord, VisitFacts, pump_records, visit_facts
from app.db.supply import CarePolicy, CareStep, StepState, Supply
from app.db.work import Task, TaskKind, TaskState
from app.domain import pump as drug
from app.domain.battery import replace_by
from app.domain.escalation import ARRANGED, SEEN, Standing, seen_since, too_late
from scheduler.ladders import Due, Step, battery_steps, eri_steps, in_force, supply_steps, task_due
from scheduler.quiet_hours import local_instant

BATTERY_AT = time(9)
SHOWN_DIGITS = 6  # behind the point: a flow is worked out anew from dose and concentration wherever it counts
PUMP_RUNS = (PatientState.ACTIVE, PatientState.PAUSED)  # who is paused is not texted, but the pump runs on


def care_policy(session: Session, clinic_id: int) -> CarePolicy:
    """Return what the clinic has chosen about pumps, with every default where it has not."""
    found = session.get(CarePolicy, clinic_id)
    if found is None:
        insert_once(session, CarePolicy, ("clinic_id",), clinic_id=clinic_id, **_defaults())
        found = session.get_one(CarePolicy, clinic_id)
    return found


def _defaults() -> dict[str, Any]:
    columns: Any = CarePolicy.__table__.columns
    given = ((column.name, column.default) for column in columns if column.default is not None)
    return {name: default.arg(None) if default.is_callable else default.arg for name, default in given}


def limits_of(policy: CarePolicy, substance: str, concentration_mcg_per_ml: Decimal) -> drug.Limits:
    key = f"{substance} {format(concentration_mcg_per_ml.normalize(), 'f')}"
    return drug.Limits(
        band=policy.flow_band,
        stability_days=policy.stability_of.get(key, policy.stability_days),
        max_interval_days=policy.max_interval_days,
        lead_days=policy.lead_days,
    )


def clinic_day(clinic: Clinic, now: datetime) -> date:
    return now.astimezone(ZoneInfo(clinic.time_zone)).date()


def program_of(row: Program) -> drug.Program:
    """Return what a stored program delivers, with its boluses in each day's dose: dose changes may change them too.

    Raises PumpRefused for one that no pump can run.
    """
    boluses = row.boluses_per_day * row.bolus_mcg
    if row.weekday_doses_mcg:
        doses = tuple(Decimal(dose) + boluses for dose in row.weekday_doses_mcg)
        return drug.Program(row.concentration_mcg_per_ml, weekday_doses_mcg=doses)
    return drug.Program(row.concentration_mcg_per_ml, daily_dose_mcg=row.daily_dose_mcg + boluses)


def changes_of(rows: Sequence[Program]) -> tuple[drug.DoseChange, ...]:
    programs = [(row.effective_on, program_of(row)) for row in rows]
    return tuple(drug.DoseChange(on, p.daily_dose_mcg, p.weekday_doses_mcg) for on, p in programs)


def filling(record: PumpRecord) -> tuple[drug.Fill, Program, tuple[Program, ...]] | None:
    """Return the last filling, the program it began with and those since; None without a refill or a program."""
    refill = record.refill
    first = record.program_on(refill.filled_on) if refill else None
    if refill is None or first is None:
        return None
    since = tuple(
        program
        for program in record.programs
        if program.state is EntryState.EFFECTIVE and program.effective_on > max(refill.filled_on, first.effective_on)
    )
    alarm = (since[-1] if since else first).alarm_volume_ml
    return drug.Fill(refill.filled_on, refill.reservoir_volume_ml, alarm), first, since


def dates_of(record: PumpRecord, policy: CarePolicy) -> tuple[drug.RefillDates | None, str | None]:
    """Return the dates of a pump and what is wrong with its record.

    While a changed dose waits for a second person, the earlier dates count, with it or without. A concentration that
    changed without a refill is told, and the one that was filled counts: it is what is in the pump.
    """
    try:
        found = filling(record)
        if found is None:
            return None, "no refill is recorded" if record.refill is None else "no program is recorded"
        fill, first, since = found
        program, limits = program_of(first), limits_of(policy, first.drug, first.concentration_mcg_per_ml)
        dates = drug.refill_dates(fill, program, limits, changes_of(since))
        taken = {row.effective_on for row in since}
        waiting = [w for w in record.waiting if w.effective_on >= fill.filled_on and w.effective_on not in taken]
        if waiting:
            with_it = drug.refill_dates(fill, program, limits, changes_of([*since, waiting[-1]]))
            if with_it.early_empty_on < dates.early_empty_on:
                dates = replace(with_it, plan_by_because=f"{with_it.plan_by_because}, by the dose that waits")
    except ValueError as error:
        return None, str(error)
    other = any(row.concentration_mcg_per_ml != first.concentration_mcg_per_ml for row in since)
    return dates, "the concentration changed without a refill: check the record" if other else None


def refresh_supply(session: Session, patient: Patient, clinic: Clinic, now: datetime, reason: str) -> Supply | None:
    """Work out one patient's dates anew and bring steps and tasks in step; None where there is no pump."""
    return refresh_many(session, [(patient, clinic)], now, reason).get(patient.id)


_KNOWN = select(Supply).where(Supply.patient_id.in_(bindparam("patients", expanding=True)))


def refresh_many(
    session: Session, patients: Sequence[tuple[Patient, Clinic]], now: datetime, reason: str
) -> dict[int, Supply]:
    """Work out the dates of several patients, read together. Nothing changes where nothing has changed."""
    session.flush()
    ids = [patient.id for patient, _ in patients]
    records = pump_records(session, ids)
    facts = visit_facts(session, ids, _earliest_day(patients, now))
    steps: dict[int, list[CareStep]] = {}
    for row in stored_steps(session, ids, (SUPPLY, BATTERY)):
        steps.setdefault(row.patient_id, []).append(row)
    known = {row.patient_id: row for row in session.scalars(_KNOWN, {"patients": ids})}
    visits = _soonest(session, ids, now)
    flagged = _flagged(session, visits.values())
    found, to_add = {}, list[StepRow]()
    for patient, clinic in patients:
        record = records.get(patient.id)
        if record is None:
            for ladder in (SUPPLY, BATTERY):
                cancel_steps(session, patient.id, now, "no pump", ladder=ladder)
            if patient.id in known:
                session.delete(known[patient.id])
            continue
        policy = care_policy(session, clinic.id)
        supply = _write(session, known.get(patient.id), patient, record, policy, now)
        mine = steps.get(patient.id, [])
        _plan_supply(session, supply, patient, clinic, policy, facts[patient.id], mine, now, reason, to_add)
        _plan_battery(session, record, patient, clinic, mine, now, reason, to_add)
        if visit := visits.get(patient.id):
            _flag_late(session, supply, patient, clinic, facts[patient.id], visit, flagged, now)
        found[patient.id] = supply
    add_steps(session, to_add)
    session.flush()
    return found


def _earliest_day(patients: Sequence[tuple[Patient, Clinic]], now: datetime) -> datetime:
    zones = {clinic.time_zone for _, clinic in patients}
    return min(
        (local_instant(now.astimezone(zone).date(), time(0), zone) for zone in map(ZoneInfo, zones)), default=now
    )


def _write(
    session: Session, row: Supply | None, patient: Patient, record: PumpRecord, policy: CarePolicy, now: datetime
) -> Supply:
    dates, problem = dates_of(record, policy)
    if row is None:
        row = Supply(patient_id=patient.id, clinic_id=patient.clinic_id, pump_id=record.pump.id, computed_at=now)
        session.add(row)
    values = {
        "pump_id": record.pump.id,
        "refill_id": record.refill.id if record.refill else None,
        "filled_on": record.refill.filled_on if record.refill else None,
        "problem": problem,
        "stale": False,
        **{name: getattr(dates, name) if dates else None for name in _DATES},
        "flow_ml_per_day": round(dates.flow_ml_per_day, SHOWN_DIGITS) if dates else None,
    }
    if any(getattr(row, name) != value for name, value in values.items()):
        for name, value in values.items():
            setattr(row, name, value)
        row.computed_at = now
    record.pump.dated = True
    if problem and record.refill is not None:
        open_task(
            session,
            now,
            patient.clinic_id,
            TaskKind.RECORD_REFILL,
            f"patient:{patient.id}",
            f"the dates of the pump are in doubt: {problem}",
            patient_id=patient.id,
            keep=True,
        )
    return row


_DATES = (
    "flow_ml_per_day",
    "early_low_alarm_on",
    "low_alarm_on",
    "late_low_alarm_on",
    "early_empty_on",
    "empty_on",
    "plan_by",
    "plan_by_because",
)


def standing(supply: Supply, facts: VisitFacts, clinic: Clinic, now: datetime, *, owned: bool = False) -> Standing:
    """Return how a patient stands whose dates are known."""
    assert supply.early_empty_on is not None
    assert supply.plan_by is not None
    assert supply.filled_on is not None
    zone = ZoneInfo(clinic.time_zone)
    seen_on = facts.attended_at.astimezone(zone).date() if facts.attended_at else None
    missed_on = facts.missed_at.astimezone(zone).date() if facts.missed_at else None
    return Standing(
        today=now.astimezone(zone).date(),
        early_empty_on=supply.early_empty_on,
        plan_by=supply.plan_by,
        visit_on=facts.booked_at.astimezone(zone).date() if facts.booked_at else None,
        missed=missed_on is not None and missed_on > supply.filled_on,  # filled since: made good
        seen_on=seen_on if seen_since(supply.filled_on, seen_on) else None,
        owned=owned,
    )


def _plan_supply(
    session: Session,
    supply: Supply,
    patient: Patient,
    clinic: Clinic,
    policy: CarePolicy,
    facts: VisitFacts,
    stored: Sequence[CareStep],
    now: datetime,
    reason: str,
    to_add: list[StepRow],
) -> None:
    rows = [row for row in stored if row.ladder == SUPPLY]
    if supply.early_empty_on is None or supply.plan_by is None or patient.state not in PUMP_RUNS:
        replan_steps(session, patient.id, SUPPLY, (), now, reason, stored=rows)
        return
    how = standing(supply, facts, clinic, now)
    if not rows and supply.empty_on is not None and supply.empty_on < how.today and not how.seen_since:
        _long_empty(session, supply, patient, clinic, now)
        return
    days = (supply.plan_by, supply.early_empty_on, policy.ask_to_book_days)
    steps = supply_steps(supply.refill_id or 0, *days, policy_of(clinic), ZoneInfo(patient.time_zone))
    # a miss has steps of its own for the days that are left; a visit that is gone otherwise brings back what it spared
    again = set() if how.arranged or how.seen_since or how.missed else {ARRANGED}
    if how.unrecorded:
        again.add(SEEN)
    about = f"@{supply.refill_id or 0}:"
    settled = frozenset(
        row.step
        for row in rows
        if about in row.key
        and (row.state is StepState.DONE or (row.state is StepState.SKIPPED and row.reason not in again))
    )
    waiting = {row.key for row in rows if row.state is StepState.PLANNED}
    owed = in_force(steps, settled, now)
    late = tuple(step for step in steps if step.key in waiting and step.due_at <= now and step not in owed)
    wanted = (*owed, *late)
    replan_steps(session, patient.id, SUPPLY, wanted, now, reason, stored=rows, again=again, to_add=to_add)


def _long_empty(session: Session, supply: Supply, patient: Patient, clinic: Clinic, now: datetime) -> None:
    """A pump that by the record ran dry before we knew of it: the record is nearly always what is wrong. Somebody looks
    at it today; nobody is texted or paged."""
    reason = "by the record this pump ran dry before it was entered here: call today, and record the last refill"
    open_task(
        session,
        now,
        clinic.id,
        TaskKind.SUPPLY,
        f"patient:{patient.id}",
        reason,
        patient_id=patient.id,
        due_at=task_due(Due.TODAY, now, ZoneInfo(clinic.time_zone)),
        needed_by=supply.empty_on,
        keep=True,
    )


def _plan_battery(
    session: Session,
    record: PumpRecord,
    patient: Patient,
    clinic: Clinic,
    stored: Sequence[CareStep],
    now: datetime,
    reason: str,
    to_add: list[StepRow],
) -> None:
    rows = [row for row in stored if row.ladder == BATTERY]
    pump, zone = record.pump, ZoneInfo(clinic.time_zone)
    steps: list[Step] = []
    if patient.state in PUMP_RUNS:
        ends = replace_by(pump.model, pump.implanted_on, pump.replace_by)
        steps += battery_steps(pump.id, ends, zone, BATTERY_AT) if ends else ()
        steps += eri_steps(pump.id, pump.eri_on, zone, BATTERY_AT) if pump.eri_on else ()
    done = {row.key for row in rows if row.state is not StepState.CANCELLED}
    wanted = [step for step in steps if step.due_at > now or step.key in done]
    for kind in ("battery", "eri"):  # of warnings that have passed, the last one is still owed
        passed = [step for step in steps if step.kind == kind and step.due_at <= now]
        wanted += [step for step in passed[-1:] if step not in wanted]
    replan_steps(session, patient.id, BATTERY, wanted, now, reason, stored=rows, pump_id=pump.id, to_add=to_add)


def _soonest(session: Session, patients: Sequence[int], now: datetime) -> dict[int, Appointment]:
    """Return the soonest booked visit to come of each of these patients who has one."""
    coming = session.scalars(
        select(Appointment).where(
            among(Appointment.patient_id, patients),
            Appointment.state == AppointmentState.BOOKED,
            Appointment.starts_at > now,
        )
    )  # sorted here: for an order by time SQLite looks through every booked visit there is
    by_time = sorted(coming, key=lambda visit: visit.starts_at, reverse=True)
    return {visit.patient_id: visit for visit in by_time}


def _flagged(session: Session, visits: Collection[Appointment]) -> set[str]:
    """Return which of these visits are flagged as late, as the subjects of their tasks."""
    subjects = [f"appointment:{visit.id}" for visit in visits]
    flagged = select(Task.subject).where(
        Task.kind == TaskKind.LATE_BOOKING, Task.state != TaskState.RESOLVED, Task.subject.in_(subjects)
    )
    return set(session.scalars(flagged))


def _flag_late(
    session: Session,
    supply: Supply,
    patient: Patient,
    clinic: Clinic,
    facts: VisitFacts,
    booked: Appointment,
    flagged: Collection[str],
    now: datetime,
) -> None:
    """Flag the soonest booked visit where it lies after the plan-by date and nobody said why; else unflag it.

    Who was seen since the last recorded refill is not flagged: these dates are those of the filling before.
    """
    if patient.state is not PatientState.ACTIVE:
        return
    subject = f"appointment:{booked.id}"
    days = days_late(supply, booked.starts_at, clinic)
    if not days or booked.late_reason or standing(supply, facts, clinic, now).seen_on:
        if subject in flagged:
            close_tasks(session, now, subject, (TaskKind.LATE_BOOKING,), "in time, or with a reason")
        return
    reason = f"booked {days} days after the plan-by date, and nobody said why: find an earlier day, or give the reason"
    open_task(
        session,
        now,
        clinic.id,
        TaskKind.LATE_BOOKING,
        subject,
        reason,
        patient_id=patient.id,
        needed_by=supply.plan_by,
        keep=True,
    )


def days_late(supply: Supply | None, starts_at: datetime, clinic: Clinic) -> int:
    """Return by how many days a visit lies after the plan-by date; 0 where it does not, or nothing is known."""
    if supply is None or supply.plan_by is None:
        return 0
    return too_late(starts_at.astimezone(ZoneInfo(clinic.time_zone)).date(), supply.plan_by)
