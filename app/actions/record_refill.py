"""Record a refill: what was taken out and put in, and the program it runs with. The dates go on from there."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, time
from decimal import Decimal
from zoneinfo import ZoneInfo

from sqlalchemy import or_, select
from sqlalchemy.orm import Session

from app.actions.audit import audit
from app.actions.errors import Refused
from app.actions.line import Line
from app.actions.programs import Entry, jump, second_person, stored_program
from app.actions.supply import (
    care_policy,
    changes_of,
    clinic_day,
    dates_of,
    filling,
    program_of,
    refresh_supply,
)
from app.actions.tasks import close_tasks, open_task
from app.actions.visit_steps import plan_check_ins
from app.actions.visits import record_attendance, refill_had, the_patient
from app.db.care import Appointment, AppointmentState, EntryState, Program, Refill
from app.db.people import Clinic, Patient
from app.db.pump_records import PumpRecord, pump_record
from app.db.supply import CarePolicy
from app.db.work import TaskKind
from app.domain import pump as drug
from app.domain.pump_checks import Aspirate, aspirated, check
from scheduler.ladders import Due, task_due
from scheduler.quiet_hours import local_instant


@dataclass(frozen=True)
class RefillEntry:
    """What a nurse reads off syringe and programmer. Volumes in mL; `program` None: it runs on as before."""

    filled_on: date
    reservoir_volume_ml: Decimal
    aspirated_ml: Decimal | None = None
    program: Entry | None = None
    concentration_confirmed: bool = False


@dataclass(frozen=True)
class RefillOutcome:
    """What an entry leads to. `old` and `new` dates stand side by side; None where nothing was known, or is."""

    old: drug.RefillDates | None
    new: drug.RefillDates | None
    aspirate: Aspirate | None
    second_person_because: str | None
    refill_id: int | None = None  # None for a preview

    @property
    def waits(self) -> bool:
        return self.second_person_because is not None


def preview_refill(line: Line, patient_id: int, entry: RefillEntry, now: datetime) -> RefillOutcome:
    """Return what recording it would lead to, and write nothing. Raises Refused as record_refill does."""
    with line.db.read() as session:
        patient = the_patient(session, patient_id)
        return _worked_out(session, patient, patient.clinic, entry, now).outcome


def record_refill(
    line: Line, patient_id: int, entry: RefillEntry, now: datetime, actor: str, staff_id: int | None = None
) -> RefillOutcome:
    """Record a refill and everything that follows from it.

    A dose or concentration that jumps beyond the clinic's limit waits, refill and all, until a second member of staff
    confirms it; until then the old dates count. What was aspirated beyond the clinic's limits opens a task to check the
    pump.
    The same day again corrects that day's refill. Raises Refused, saying what to check, for values that cannot be.
    """
    with line.db.begin() as session:
        patient = the_patient(session, patient_id)
        clinic = patient.clinic
        worked = _worked_out(session, patient, clinic, entry, now)
        outcome, pump = worked.outcome, worked.record.pump
        state = EntryState.WAITING if outcome.waits else EntryState.EFFECTIVE
        _replace_same_day(session, worked.record, entry.filled_on, state, now, program_too=worked.program_changes)
        refill = Refill(
            pump_id=pump.id,
            filled_on=entry.filled_on,
            reservoir_volume_ml=entry.reservoir_volume_ml,
            aspirated_ml=entry.aspirated_ml,
            expected_ml=round(outcome.aspirate.expected_ml, 4) if outcome.aspirate else None,
            appointment_id=_came_to(session, patient, clinic, entry.filled_on, now, actor),
            state=state,
            second_person_because=outcome.second_person_because,
            entered_by=staff_id,
            created_at=now,
        )
        session.add(refill)
        session.flush()
        program = stored_program(worked.program, pump.id, entry.filled_on, now, staff_id, state=state)
        program.refill_id, program.second_person_because = refill.id, outcome.second_person_because
        if state is EntryState.WAITING or worked.program_changes:
            session.add(program)
        session.flush()
        if outcome.aspirate and outcome.aspirate.beyond:
            _check_pump(session, patient, clinic, outcome.aspirate, now)
        if outcome.waits:
            second_person(session, patient, clinic, f"refill:{refill.id}", outcome.second_person_because or "", now)
        else:
            refill_takes_effect(session, patient, clinic, refill, now)
        audit(session, now, actor, "refill recorded", f"refill:{refill.id}", state=state)
        return replace(outcome, refill_id=refill.id)


def refill_takes_effect(session: Session, patient: Patient, clinic: Clinic, refill: Refill, now: datetime) -> None:
    """Let the dates go on from this refill: what asked for it stops, and the patient is asked how they are."""
    close_tasks(session, now, f"patient:{patient.id}", (TaskKind.RECORD_REFILL,), "the refill is recorded")
    zone = ZoneInfo(clinic.time_zone)
    if refill.filled_on >= clinic_day(clinic, now) or not _seen_later(session, patient.id, refill.filled_on, zone):
        refill_had(session, patient.id, now, "refilled")
    refresh_supply(session, patient, clinic, now, "refilled")
    since = now if refill.filled_on == clinic_day(clinic, now) else local_instant(refill.filled_on, time(12), zone)
    plan_check_ins(session, patient, clinic, refill.filled_on, since, now)


@dataclass(frozen=True)
class _Worked:
    record: PumpRecord
    program: Entry
    program_changes: bool
    outcome: RefillOutcome


def _worked_out(session: Session, patient: Patient, clinic: Clinic, entry: RefillEntry, now: datetime) -> _Worked:
    record = pump_record(session, patient.id)
    if record is None:
        raise Refused("this patient has no pump on record: record the pump first", "missing")
    policy, today = care_policy(session, clinic.id), clinic_day(clinic, now)
    before = record.program_on(entry.filled_on)
    program = entry.program or (Entry.of(before) if before else None)
    if program is None:
        raise Refused("this pump has no program on record: give concentration and dose with the refill")
    _check(record, entry, program, policy, today)
    because = jump(record, program, entry.filled_on, policy.jump_percent)
    old, _ = dates_of(record, policy)
    replaced = before is not None and before.effective_on == entry.filled_on and before.refill_id is not None
    changes = before is None or replaced or Entry.of(before) != program
    new, problem = dates_of(_filled(record, entry, program if changes else None, now), policy)
    if new is None:
        raise Refused(problem or "these values give no dates: check them")
    outcome = RefillOutcome(old, new, _aspirate(record, entry, policy), because)
    return _Worked(record, program, changes, outcome)


def _filled(record: PumpRecord, entry: RefillEntry, program: Entry | None, now: datetime) -> PumpRecord:
    """Return the record as it will be: with this refill, and its program where it brings one."""
    refill = Refill(filled_on=entry.filled_on, reservoir_volume_ml=entry.reservoir_volume_ml)
    if program is None:
        return replace(record, refill=refill)
    row = stored_program(program, record.pump.id, entry.filled_on, now, None, state=EntryState.EFFECTIVE)
    return replace(record.with_program(row), refill=refill)


def _check(record: PumpRecord, entry: RefillEntry, program: Entry, policy: CarePolicy, today: date) -> None:
    last = record.refill
    if last is not None and entry.filled_on < last.filled_on:
        raise Refused(f"this pump was filled again on {last.filled_on:%d-%b-%Y}: only the last filling can be recorded")
    try:
        fill = drug.Fill(entry.filled_on, entry.reservoir_volume_ml, program.alarm_volume_ml)
        check(
            fill,
            program.delivers(),
            today=today,
            concentrations=tuple(Decimal(mcg) for mcg in policy.concentrations),
            concentration_confirmed=entry.concentration_confirmed,
            reservoir_size_ml=record.pump.reservoir_size_ml,
            implanted_on=record.pump.implanted_on,
        )
    except ValueError as error:
        raise Refused(str(error)) from error
    taken = entry.aspirated_ml
    if taken is not None and not 0 <= taken <= record.pump.reservoir_size_ml:
        raise Refused(f"the volume aspirated must be from 0 to {record.pump.reservoir_size_ml} mL: check it")


def _aspirate(record: PumpRecord, entry: RefillEntry, policy: CarePolicy) -> Aspirate | None:
    """Compare what was taken out with what should have been left of the filling before."""
    if entry.aspirated_ml is None:
        return None
    if record.refill is not None and record.refill.filled_on == entry.filled_on:  # corrected: compare as before
        expected = record.refill.expected_ml
    else:
        expected = expected_ml(record, entry.filled_on)
    if expected is None:
        return None
    return aspirated(expected, entry.aspirated_ml, policy.aspirated_percent, policy.aspirated_ml)


def expected_ml(record: PumpRecord, on: date) -> Decimal | None:
    """Return the volume that should be left of the last filling on a day; None where that cannot be known."""
    found = filling(record)
    if found is None:
        return None
    fill, first, since = found
    try:
        return drug.expected_volume_ml(fill, program_of(first), changes_of(since), on)
    except ValueError:
        return None  # a program that was never possible: the task about the record says so


def _replace_same_day(
    session: Session, record: PumpRecord, day: date, state: EntryState, now: datetime, *, program_too: bool
) -> None:
    """Let an entry for the same day take the place of the one before; what is in force stays until another is.

    `program_too`: it brings a program, which takes the place of any in force from that day, also one that came without
    a refill.
    """
    places = (state,) if state is EntryState.WAITING else (EntryState.WAITING, EntryState.EFFECTIVE)
    in_force = (Program.state == EntryState.EFFECTIVE,) if program_too else ()
    rows: Sequence[Refill | Program] = [
        *session.scalars(
            select(Refill).where(Refill.pump_id == record.pump.id, Refill.filled_on == day, Refill.state.in_(places))
        ),
        *session.scalars(
            select(Program).where(
                Program.pump_id == record.pump.id,
                Program.effective_on == day,
                Program.state.in_(places),
                or_(Program.refill_id.is_not(None), *in_force),
            )
        ),
    ]
    for row in rows:
        row.state = EntryState.DECLINED
        if isinstance(row, Refill):
            close_tasks(session, now, f"refill:{row.id}", (TaskKind.SECOND_PERSON,), "entered anew")
    session.flush()


def _came_to(session: Session, patient: Patient, clinic: Clinic, day: date, now: datetime, actor: str) -> int | None:
    """Return the visit of that day at the clinic, if there was one; whoever was filled came to it."""
    zone = ZoneInfo(clinic.time_zone)
    visits = session.scalars(
        select(Appointment).where(
            Appointment.patient_id == patient.id,
            Appointment.state.in_((AppointmentState.BOOKED, AppointmentState.ATTENDED, AppointmentState.MISSED)),
        )
    ).all()
    visit = next((visit for visit in visits if visit.starts_at.astimezone(zone).date() == day), None)
    if visit is None:
        return None
    if visit.state is not AppointmentState.ATTENDED:
        record_attendance(session, visit, patient, clinic, now, actor)
    return visit.id


def _seen_later(session: Session, patient_id: int, day: date, zone: ZoneInfo) -> bool:
    """Whether a visit after that day was missed: a refill recorded late does not settle it."""
    missed = session.scalars(
        select(Appointment.starts_at).where(
            Appointment.patient_id == patient_id, Appointment.state == AppointmentState.MISSED
        )
    )
    return any(at.astimezone(zone).date() > day for at in missed)


def _check_pump(session: Session, patient: Patient, clinic: Clinic, aspirate: Aspirate, now: datetime) -> None:
    more = "more" if aspirate.difference_ml > 0 else "less"
    reason = (
        f"aspirated {_ml(aspirate.aspirated_ml)} mL where {_ml(aspirate.expected_ml)} mL were expected, "
        f"{_ml(abs(aspirate.difference_ml))} mL {more}: check the pump"
    )
    open_task(
        session,
        now,
        clinic.id,
        TaskKind.CHECK_PUMP,
        f"patient:{patient.id}",
        reason,
        patient_id=patient.id,
        due_at=task_due(Due.TODAY, now, ZoneInfo(clinic.time_zone)),
    )


def _ml(volume: Decimal) -> str:
    return format(round(volume, 2).normalize(), "f")
