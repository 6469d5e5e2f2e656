"""Keeping the rows of a ladder in step with what it is about: called in every transaction that touches that."""

from collections.abc import Collection, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import bindparam, select, update
from sqlalchemy.orm import Session

from app.actions.outbox import taking_back, withdraw
from app.db.inserts import insert_all_once
from app.db.messages import OutboundMessage
from app.db.supply import CareStep, StepState
from scheduler.ladders import Step

StepRow = dict[str, Any]  # of care_step, each column
SUPPLY = "supply"
BATTERY = "battery"


def visit_ladder(appointment_id: int) -> str:
    return f"visit:{appointment_id}"


_STORED = (
    select(CareStep)
    .where(
        CareStep.patient_id.in_(bindparam("patients", expanding=True)),
        CareStep.ladder.in_(bindparam("ladders", expanding=True)),
    )
    .order_by(CareStep.id)
)


def stored_steps(session: Session, patients: Collection[int], ladders: Collection[str]) -> list[CareStep]:
    return list(session.scalars(_STORED, {"patients": list(patients), "ladders": list(ladders)}))


def replan_steps(
    session: Session,
    patient_id: int,
    ladder: str,
    wanted: Sequence[Step],
    now: datetime,
    reason: str,
    *,
    stored: Sequence[CareStep] | None = None,
    again: Collection[str] = (),
    appointment_id: int | None = None,
    pump_id: int | None = None,
    to_add: list[StepRow] | None = None,
) -> int:
    """Make the ladder's planned rows the wanted ones and return how many changed; done twice, the second changes none.

    Steps that were done are never touched. `again`: reasons of skipped steps that hold no longer. `to_add`: where the
    caller gathers new rows, to add those of many patients in one go (`add_steps`).
    """
    rows = stored_steps(session, [patient_id], [ladder]) if stored is None else stored
    by_key = {row.key: row for row in rows}
    changed, new = 0, list[StepRow]()
    for step in wanted:
        row = by_key.pop(step.key, None)
        if row is None:
            new.append(step_row(patient_id, ladder, step, now, appointment_id, pump_id))
        elif row.state is StepState.PLANNED and row.due_at != step.due_at and not row.failures and not row.reason:
            row.due_at, changed = step.due_at, changed + 1
        elif row.state is StepState.CANCELLED or (row.state is StepState.SKIPPED and row.reason in again):
            row.state, row.due_at, row.reason, row.settled_at = StepState.PLANNED, step.due_at, None, None
            changed += 1
    for row in by_key.values():
        if row.state is StepState.PLANNED:
            row.state, row.reason, row.settled_at, changed = StepState.CANCELLED, reason, now, changed + 1
    if to_add is not None:
        to_add += new
        return changed + len(new)
    if changed:
        session.flush()
    return changed + add_steps(session, new)


def step_row(
    patient_id: int,
    ladder: str,
    step: Step,
    now: datetime,
    appointment_id: int | None = None,
    pump_id: int | None = None,
) -> StepRow:
    return {
        "patient_id": patient_id,
        "appointment_id": appointment_id,
        "pump_id": pump_id,
        "ladder": ladder,
        "step": step.step,
        "key": step.key,
        "due_at": step.due_at,
        "state": StepState.PLANNED,
        "failures": 0,
        "created_at": now,
    }


def add_steps(session: Session, rows: Sequence[StepRow]) -> int:
    """Add steps and return how many there were not yet."""
    return insert_all_once(session, CareStep, ("patient_id", "key"), rows)


_MINE = select(CareStep.id).where(CareStep.patient_id == bindparam("patient"))
_OF_PATIENT = taking_back(OutboundMessage.care_step_id.in_(_MINE))
_OF_LADDER = taking_back(OutboundMessage.care_step_id.in_(_MINE.where(CareStep.ladder == bindparam("ladder"))))


def withdraw_step_texts(session: Session, patient_id: int, ladder: str | None, now: datetime, reason: str) -> None:
    """Take back texts of a ladder's steps that have not left yet."""
    withdraw(session, now, reason, _OF_LADDER if ladder else _OF_PATIENT, patient=patient_id, ladder=ladder)


def cancel_steps(session: Session, patient_id: int, now: datetime, reason: str, *, ladder: str | None = None) -> None:
    """Cancel what is planned of one ladder, or of all a patient's, and take back texts that wait because of it."""
    withdraw_step_texts(session, patient_id, ladder, now, reason)
    of_ladder = (CareStep.ladder == ladder,) if ladder else ()
    session.execute(
        update(CareStep)
        .where(CareStep.patient_id == patient_id, CareStep.state == StepState.PLANNED, *of_ladder)
        .values(state=StepState.CANCELLED, reason=reason, settled_at=now)
    )
