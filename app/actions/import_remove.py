"""The rows that an import created go, and what was planned because of them."""

from collections import Counter
from datetime import datetime
from typing import Any

from sqlalchemy import CursorResult, String, cast, delete, literal, or_, select, update
from sqlalchemy.orm import Session

from app.actions.care_steps import BATTERY, SUPPLY, withdraw_step_texts
from app.actions.import_journal import TABLES
from app.actions.tasks import stop_pages
from app.actions.threads import task_settled
from app.db.care import Appointment, Program, Pump, Refill, Reminder
from app.db.finding import NameKey
from app.db.import_undo import Made, idle_phones
from app.db.people import Contact, Phone
from app.db.supply import CareStep, StepState, Supply
from app.db.work import Task, TaskKind, TaskState

UNDONE = "the import was undone"


def surviving_owners(session: Session, made: Made) -> set[int]:
    """Return the patients who were there before and from whom something of this import goes."""
    old: set[int] = set()
    for table, kind in ((Contact, "contacts"), (Pump, "pumps"), (Appointment, "visits")):
        old |= set(session.scalars(select(table.patient_id).where(table.id.in_(made.of(kind)))))
    for entry, kind in ((Program, "programs"), (Refill, "refills")):
        of_pump = select(Pump.patient_id).join(entry, entry.pump_id == Pump.id)
        old |= set(session.scalars(of_pump.where(entry.id.in_(made.of(kind)))))
    return old - set(session.scalars(made.of("patients")))


def remove_all(session: Session, made: Made, now: datetime, counts: Counter[str]) -> None:
    """Remove what was created, whatever hangs on it first. Raises IntegrityError where a row still refers to it."""
    session.flush()
    patients, visits, pumps = made.of("patients"), made.of("visits"), made.of("pumps")
    _settle_tasks(session, made, now)
    _stop_pumps(session, made, now)
    _gone(session, delete(Reminder).where(Reminder.appointment_id.in_(visits)))
    _gone(session, delete(CareStep).where(or_(CareStep.patient_id.in_(patients), CareStep.appointment_id.in_(visits))))
    _gone(session, update(CareStep).where(CareStep.pump_id.in_(pumps)).values(pump_id=None))
    _gone(session, delete(Supply).where(or_(Supply.patient_id.in_(patients), Supply.pump_id.in_(pumps))))
    _gone(session, delete(NameKey).where(NameKey.patient_id.in_(patients)))
    for kind in ("programs", "refills", "pumps", "contacts", "visits", "patients"):
        table: Any = TABLES[kind]
        counts[kind] += _gone(session, delete(table).where(table.id.in_(made.of(kind))))
    phones = list(session.scalars(idle_phones(made)))
    counts["phones"] = 0
    for start in range(0, len(phones), 500):
        counts["phones"] += _gone(session, delete(Phone).where(Phone.id.in_(phones[start : start + 500])))
    session.expire_all()  # what it held of them is not what stands there now


def _gone(session: Session, statement: Any) -> int:
    """Write past the objects of the session, and return how many rows that was."""
    done: CursorResult[Any] = session.execute(  # type: ignore[assignment]
        statement.execution_options(synchronize_session=False)
    )
    return done.rowcount


def _settle_tasks(session: Session, made: Made, now: datetime) -> None:
    """Resolve what was opened because of these rows, and let it name nobody who is gone."""
    patients, visits = made.of("patients"), made.of("visits")
    named = select(literal("appointment:") + cast(Appointment.id, String)).where(Appointment.id.in_(visits))
    mine = or_(Task.patient_id.in_(patients), Task.subject.in_(named))
    for task in session.scalars(select(Task).where(mine, Task.state != TaskState.RESOLVED)).all():
        if task.kind is TaskKind.ALERT:
            stop_pages(session, now, task.id)
        task.state, task.resolved_at, task.outcome, task.version = TaskState.RESOLVED, now, UNDONE, task.version + 1
        task.next_page_at = None
        task_settled(session, task)
    session.flush()
    about_nobody = update(Task).where(Task.patient_id.in_(patients))
    session.execute(about_nobody.values(patient_id=None, subject=f"import:{made.batch_id}"))
    others = update(Task).where(Task.subject.in_(named))
    session.execute(others.values(subject=literal("patient:") + cast(Task.patient_id, String)))


def _stop_pumps(session: Session, made: Made, now: datetime) -> None:
    """End what is planned for patients who stay and whose pump goes; one of their other pumps is planned anew."""
    owners = select(Pump.patient_id).where(Pump.id.in_(made.of("pumps")), Pump.patient_id.not_in(made.of("patients")))
    for patient_id in session.scalars(owners.distinct()).all():
        for ladder in (SUPPLY, BATTERY):
            withdraw_step_texts(session, patient_id, ladder, now, UNDONE)
    session.execute(
        update(CareStep)
        .where(
            CareStep.patient_id.in_(owners),
            CareStep.ladder.in_((SUPPLY, BATTERY)),
            CareStep.state == StepState.PLANNED,
        )
        .values(state=StepState.CANCELLED, reason=UNDONE, settled_at=now)
    )
