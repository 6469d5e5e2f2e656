"""The second member of staff: confirms or declines an entry that jumps beyond the clinic's limit."""

from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import Select, select
from sqlalchemy.orm import Session

from app.actions.audit import audit
from app.actions.change_program import program_takes_effect
from app.actions.errors import Refused
from app.actions.line import Line
from app.actions.record_refill import refill_takes_effect
from app.actions.supply import refresh_supply
from app.actions.tasks import close_tasks, open_task
from app.db.care import EntryState, Program, Pump, Refill
from app.db.people import Patient, Staff
from app.db.work import TaskKind
from scheduler.ladders import Due, task_due

Row = Refill | Program


def confirm_refill(line: Line, refill_id: int, now: datetime, staff_id: int) -> None:
    """Let a refill that waits take effect. Raises Refused for whoever entered it, and where nothing waits."""
    _settle(line, Refill, refill_id, now, staff_id, EntryState.EFFECTIVE)


def confirm_program(line: Line, program_id: int, now: datetime, staff_id: int) -> None:
    """Let a dose that waits take effect. Raises Refused for whoever entered it, and where nothing waits."""
    _settle(line, Program, program_id, now, staff_id, EntryState.EFFECTIVE)


def decline_refill(line: Line, refill_id: int, now: datetime, staff_id: int) -> None:
    """Decline a refill that waits: what was before counts on. Whoever entered it may take it back so."""
    _settle(line, Refill, refill_id, now, staff_id, EntryState.DECLINED)


def decline_program(line: Line, program_id: int, now: datetime, staff_id: int) -> None:
    """Decline a dose that waits: what was before counts on. Whoever entered it may take it back so."""
    _settle(line, Program, program_id, now, staff_id, EntryState.DECLINED)


def _settle(
    line: Line, table: type[Refill] | type[Program], row_id: int, now: datetime, staff_id: int, becomes: EntryState
) -> None:
    with line.db.begin() as session:
        row: Any = session.get(table, row_id, with_for_update=True)
        if row is None:
            raise Refused("there is no such entry", "missing")
        if row.state is not EntryState.WAITING:
            raise Refused(f"this entry does not wait: it is {row.state}", "conflict")
        if isinstance(row, Program) and row.refill_id is not None:
            raise Refused("this program waits together with its refill: confirm the refill", "conflict")
        patient = _patient_of(session, row)
        who = session.get(Staff, staff_id)
        if who is None or not who.active or who.clinic_id != patient.clinic_id:
            raise Refused("a second member of staff of this clinic must confirm", "conflict")
        if becomes is EntryState.EFFECTIVE and row.entered_by == staff_id:
            raise Refused("you entered this yourself: a second member of staff must confirm it", "conflict")
        _let_be(session, row, becomes, now, staff_id)
        subject = f"{'refill' if isinstance(row, Refill) else 'program'}:{row.id}"
        close_tasks(session, now, subject, (TaskKind.SECOND_PERSON,), "confirmed" if _holds(row) else "declined")
        if not _holds(row):
            refresh_supply(session, patient, patient.clinic, now, "declined")
            _ask_what_is_true(session, patient, row, now)
        elif isinstance(row, Refill):
            refill_takes_effect(session, patient, patient.clinic, row, now)
        else:
            program_takes_effect(session, patient, patient.clinic, row, now)
        audit(session, now, f"staff:{staff_id}", "confirmed" if _holds(row) else "declined", subject)


def _ask_what_is_true(session: Session, patient: Patient, row: Row, now: datetime) -> None:
    """Have somebody read the pump: it runs with something, and the dates are now those from before the entry."""
    day = row.filled_on if isinstance(row, Refill) else row.effective_on
    open_task(
        session,
        now,
        patient.clinic_id,
        TaskKind.RECORD_REFILL,
        f"patient:{patient.id}",
        f"an entry for {day:%d-%b-%Y} was declined: read the pump, and record what it shows",
        patient_id=patient.id,
        due_at=task_due(Due.TODAY, now, ZoneInfo(patient.clinic.time_zone)),
        keep=True,
    )


def _holds(row: Row) -> bool:
    return row.state is EntryState.EFFECTIVE


def _patient_of(session: Session, row: Row) -> Patient:
    pump = session.get_one(Pump, row.pump_id)
    return session.get_one(Patient, pump.patient_id, with_for_update=True)


def _let_be(session: Session, row: Row, becomes: EntryState, now: datetime, staff_id: int) -> None:
    """Set the state of the entry and of the program that came with it; what was in force that day gives way."""
    together: list[Row] = [row]
    if isinstance(row, Refill):
        together += session.scalars(
            select(Program).where(Program.refill_id == row.id, Program.state == EntryState.WAITING)
        )
    for one in together:
        if becomes is EntryState.EFFECTIVE:
            for before in session.scalars(_in_force_that_day(one)):
                before.state = EntryState.DECLINED
            session.flush()
            one.confirmed_by, one.confirmed_at = staff_id, now
        one.state = becomes
    session.flush()


def _in_force_that_day(row: Row) -> Select[Any]:
    if isinstance(row, Refill):
        return select(Refill).where(
            Refill.pump_id == row.pump_id, Refill.filled_on == row.filled_on, Refill.state == EntryState.EFFECTIVE
        )
    return select(Program).where(
        Program.pump_id == row.pump_id, Program.effective_on == row.effective_on, Program.state == EntryState.EFFECTIVE
    )
