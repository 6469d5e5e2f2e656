"""Take every step of the ladders that is due: each is claimed, read again, and done or settled with a reason."""

import logging
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta

from sqlalchemy import bindparam, select
from sqlalchemy.orm import Session

from app.actions.each import SomeFailed
from app.actions.line import Line
from app.actions.step_context import Context, PutOff, context_of
from app.actions.steps_of_pumps import battery, book_or_left, eri, referral
from app.actions.steps_of_visits import arrive, call, carer, check_in, scan, why
from app.actions.tasks import open_task
from app.db.people import Patient, PatientState
from app.db.supply import CareStep, StepState
from app.db.work import TaskKind
from scheduler.planning import REPLACED

log = logging.getLogger(__name__)
BATCH = 100
AT_MOST = 2_000  # a beat; the rest comes with the next

# What takes a step of each kind: it does what is to be done and returns why not, or "" for done. A step that is put
# off raises PutOff.
TAKERS: dict[str, Callable[[Context, CareStep], str]] = {
    "book": book_or_left,
    "left": book_or_left,
    "owner": book_or_left,
    "call": call,
    "arrive": arrive,
    "carer": carer,
    "why": why,
    "checkin": check_in,
    "scan": scan,
    "battery": battery,
    "eri": eri,
    "referral": referral,
}
WHILE_PAUSED = ("left", "owner", "battery", "eri", "referral")  # a paused patient is not texted, but the pump runs on


_DUE = (
    select(CareStep.id)
    .where(CareStep.state == StepState.PLANNED, CareStep.due_at <= bindparam("now"))
    .order_by(CareStep.due_at)
    .limit(AT_MOST)
)
_CLAIM = (
    select(CareStep)
    .where(CareStep.id.in_(bindparam("ids", expanding=True)), CareStep.state == StepState.PLANNED)
    .order_by(CareStep.due_at, CareStep.id)
    .with_for_update(skip_locked=True)
)


def take_care_steps(line: Line, now: datetime) -> int:
    """Settle what is due and return how many steps were settled.

    A batch is one transaction; where one record breaks it, the batch is done again record by record, and the bad one
    waits and is tried again, while a nurse is asked to look. Raises SomeFailed after everything else is done.
    """
    with line.db.read() as session:
        due = session.scalars(_DUE, {"now": now}).all()
    settled, failed = 0, 0
    for start in range(0, len(due), BATCH):
        ids = due[start : start + BATCH]
        try:
            settled += _settle(line, ids, now)
        except Exception as error:
            log.warning("a batch of %s due steps failed (%s): one by one", len(ids), type(error).__name__)
            for step_id in ids:
                try:
                    settled += _settle(line, [step_id], now)
                except Exception as bad:
                    failed += 1
                    log.error("step %s failed: %s", step_id, type(bad).__name__)
                    _put_off(line, step_id, now)
    if failed:
        raise SomeFailed(f"{failed} steps")
    return settled


def _settle(line: Line, ids: Sequence[int], now: datetime) -> int:
    with line.db.begin() as session:
        steps = session.scalars(_CLAIM, {"ids": list(ids)}).all()
        if not steps:
            return 0
        context = context_of(line, session, steps, now)
        for step in steps:
            _take(session, context, step, now)
        return len(steps)


def _take(session: Session, context: Context, step: CareStep, now: datetime) -> None:
    kind = step.step.partition(":")[0]
    patient = context.patients[step.patient_id]
    if patient.state is not PatientState.ACTIVE and not (kind in WHILE_PAUSED and patient.state is PatientState.PAUSED):
        _close(step, StepState.CANCELLED, f"{patient.state} by then", now)
        return
    if kind in ("book", "left") and step.due_at < context.newest.get(step.patient_id, step.due_at):
        _close(step, StepState.SKIPPED, REPLACED, now)
        return
    try:
        why_not = TAKERS[kind](context, step)
    except PutOff as later:
        step.due_at, step.reason = later.at, later.reason
        return
    _close(step, StepState.SKIPPED if why_not else StepState.DONE, why_not or None, now)
    session.flush()


def _close(step: CareStep, state: StepState, reason: str | None, now: datetime) -> None:
    step.state, step.reason, step.settled_at = state, reason, now


def _put_off(line: Line, step_id: int, now: datetime) -> None:
    """Try a record that threw again later, ever more slowly, and have a person look: it is never dropped."""
    with line.db.begin() as session:
        step = session.get_one(CareStep, step_id)
        step.failures += 1
        step.due_at = now + timedelta(minutes=min(5 * step.failures, 60))
        patient = session.get_one(Patient, step.patient_id)
        reason = "a step about the pump could not be taken: look at the record, and call"
        open_task(
            session,
            now,
            patient.clinic_id,
            TaskKind.CALL_INSTEAD,
            f"patient:{patient.id}",
            reason,
            patient_id=patient.id,
        )
