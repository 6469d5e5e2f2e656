"""Change what a pump delivers between refills: the dates go on from the volume that is left."""

from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta

from sqlalchemy import or_, select
from sqlalchemy.orm import Session

from app.actions.audit import audit
from app.actions.errors import Refused
from app.actions.line import Line
from app.actions.programs import Entry, jump, second_person, stored_program
from app.actions.supply import care_policy, clinic_day, dates_of, refresh_supply
from app.actions.tasks import close_tasks
from app.actions.visit_steps import plan_check_ins
from app.actions.visits import the_patient
from app.db.care import EntryState, Program
from app.db.people import Clinic, Patient
from app.db.pump_records import PumpRecord, pump_record
from app.db.supply import CarePolicy
from app.db.work import TaskKind
from app.domain import pump as drug

FARTHEST_AHEAD = timedelta(days=60)


@dataclass(frozen=True)
class ProgramOutcome:
    """What a change leads to: old and new dates side by side, None where no refill is recorded."""

    old: drug.RefillDates | None
    new: drug.RefillDates | None
    second_person_because: str | None
    program_id: int | None = None  # None for a preview

    @property
    def waits(self) -> bool:
        return self.second_person_because is not None


def preview_program(line: Line, patient_id: int, entry: Entry, effective_on: date, now: datetime) -> ProgramOutcome:
    """Return what the change would lead to, and write nothing. Raises Refused as change_program does."""
    with line.db.read() as session:
        patient = the_patient(session, patient_id)
        return _worked_out(session, patient, patient.clinic, entry, effective_on, now)[0]


def change_program(
    line: Line,
    patient_id: int,
    entry: Entry,
    effective_on: date,
    now: datetime,
    actor: str,
    staff_id: int | None = None,
) -> ProgramOutcome:
    """Record a new dose from the start of a day on. A jump beyond the clinic's limit waits for a second person.

    Raises Refused for a new concentration, which comes only with a refill, for a day before the last refill, and for
    values that cannot be.
    """
    with line.db.begin() as session:
        patient = the_patient(session, patient_id)
        clinic = patient.clinic
        outcome, record = _worked_out(session, patient, clinic, entry, effective_on, now)
        state = EntryState.WAITING if outcome.waits else EntryState.EFFECTIVE
        _replace(session, record, effective_on, state, now)
        program = stored_program(entry, record.pump.id, effective_on, now, staff_id, state=state)
        program.second_person_because = outcome.second_person_because
        session.add(program)
        session.flush()
        if outcome.waits:
            why = outcome.second_person_because or ""
            second_person(session, patient, clinic, f"program:{program.id}", why, now)
            refresh_supply(session, patient, clinic, now, "a dose waits")  # its earlier dates count already
        else:
            program_takes_effect(session, patient, clinic, program, now)
        audit(session, now, actor, "program changed", f"program:{program.id}", state=state)
        return replace(outcome, program_id=program.id)


def program_takes_effect(session: Session, patient: Patient, clinic: Clinic, program: Program, now: datetime) -> None:
    """Let the dates go on with this dose; where it begins today, the patient is asked how they are."""
    refresh_supply(session, patient, clinic, now, "dose changed")
    if program.effective_on == clinic_day(clinic, now):
        plan_check_ins(session, patient, clinic, program.effective_on, now, now)


def _worked_out(
    session: Session, patient: Patient, clinic: Clinic, entry: Entry, effective_on: date, now: datetime
) -> tuple[ProgramOutcome, PumpRecord]:
    record = pump_record(session, patient.id)
    if record is None:
        raise Refused("this patient has no pump on record: record the pump first", "missing")
    before, today = record.program_on(effective_on), clinic_day(clinic, now)
    if record.refill is not None and effective_on < record.refill.filled_on:
        raise Refused(
            f"the pump was filled on {record.refill.filled_on:%d-%b-%Y}: a change before that changes no date any more"
        )
    if effective_on > today + FARTHEST_AHEAD:
        raise Refused(f"a change lies at most {FARTHEST_AHEAD.days} days ahead: check the day")
    if before is not None and before.concentration_mcg_per_ml != entry.concentration_mcg_per_ml:
        raise Refused("a new concentration can only come with a refill: record the refill with it")
    policy = care_policy(session, clinic.id)
    old, _ = dates_of(record, policy)
    because = jump(record, entry, effective_on, policy.jump_percent)
    return ProgramOutcome(old, _new_dates(record, entry, effective_on, policy, now), because), record


def _new_dates(
    record: PumpRecord, entry: Entry, effective_on: date, policy: CarePolicy, now: datetime
) -> drug.RefillDates | None:
    row = stored_program(entry, record.pump.id, effective_on, now, None, state=EntryState.EFFECTIVE)
    new, problem = dates_of(record.with_program(row), policy)
    if new is None and record.refill is not None:
        raise Refused(problem or "these values give no dates: check them")
    return new


def _replace(session: Session, record: PumpRecord, day: date, state: EntryState, now: datetime) -> None:
    """Let a change for the same day take the place of the one before; what is in force stays until another is.

    A program that waits together with its refill stays: whoever confirms the refill decides about it.
    """
    places = (state,) if state is EntryState.WAITING else (EntryState.WAITING, EntryState.EFFECTIVE)
    rows = select(Program).where(
        Program.pump_id == record.pump.id,
        Program.effective_on == day,
        Program.state.in_(places),
        or_(Program.state == EntryState.EFFECTIVE, Program.refill_id.is_(None)),
    )
    for row in session.scalars(rows).all():
        row.state = EntryState.DECLINED
        close_tasks(session, now, f"program:{row.id}", (TaskKind.SECOND_PERSON,), "entered anew")
    session.flush()
