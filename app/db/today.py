"""What Today shows beside the tasks: drug left of whoever has one, whom to call instead, how long people waited."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from sqlalchemy import select, text
from sqlalchemy.orm import Session

from app.db.among import among
from app.db.people import Contact, ContactKind
from app.db.supply import Supply
from app.db.work import Task


@dataclass(frozen=True)
class Dates:
    """The dates of one pump that a bar is drawn from."""

    filled_on: date | None
    early_empty_on: date | None
    empty_on: date | None
    plan_by: date | None


def dates_of(session: Session, patients: Sequence[int]) -> dict[int, Dates]:
    """Return the dates of these patients' pumps, of whom they are known and not being worked out anew."""
    rows = session.execute(
        select(Supply.patient_id, Supply.filled_on, Supply.early_empty_on, Supply.empty_on, Supply.plan_by).where(
            among(Supply.patient_id, patients), Supply.stale.is_(False)
        )
    )
    return {patient_id: Dates(*dates) for patient_id, *dates in rows}


def carers_of(session: Session, patients: Sequence[int]) -> dict[int, str]:
    """Return what to call the first carer of each patient: the name, or what they are to the patient."""
    rows = session.execute(
        select(Contact.patient_id, Contact.name, Contact.relation)
        .where(among(Contact.patient_id, patients), Contact.kind == ContactKind.CARER)
        .order_by(Contact.id.desc())
    )
    return {patient_id: called for patient_id, name, relation in rows if (called := (name or relation or "").strip())}


@dataclass(frozen=True)
class Waits:
    """How long a person took after urgent texts."""

    median: timedelta
    longest: timedelta
    longest_at: datetime
    count: int


def waits(session: Session, clinic_id: int, since: datetime) -> Waits | None:
    """Return the waits for a person of the alerts since then that somebody acknowledged; None for none."""
    rows = session.execute(
        select(Task.opened_at, Task.acknowledged_at)
        .where(
            Task.clinic_id == clinic_id,
            text("task.kind = 'alert' AND task.acknowledged_at IS NOT NULL"),  # as the index says it
            Task.opened_at >= since,
        )
        .order_by(Task.opened_at.desc())
        .limit(500)
    ).all()
    took = sorted((taken - opened, opened) for opened, taken in rows if taken is not None)
    if not took:
        return None
    return Waits(took[(len(took) - 1) // 2][0], *took[-1], len(took))
