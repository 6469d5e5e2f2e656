"""Tasks for nurses: opened once about each subject, added to while open, closed when their cause is gone."""

from datetime import date, datetime

from sqlalchemy import bindparam, insert, select, update
from sqlalchemy.orm import Session

from app.actions.audit import audit
from app.actions.outbox import taking_back, withdraw
from app.actions.threads import task_settled
from app.db.inserts import insert_once
from app.db.messages import OutboundMessage, Purpose
from app.db.prepared import Prepared
from app.db.work import Task, TaskKind, TaskState, TaskText

UNRESOLVED = "state != 'resolved'"
TRIES = 5  # a task found open may be resolved before it is added to: then a new one is opened
RESOLVED_EACH_TIME = "the task was resolved each time it was to be added to"


_task = Task.__table__.c
_RAISE = Prepared(
    lambda _: (
        update(Task.__table__)
        .where(
            _task.kind == bindparam("of_kind", type_=_task.kind.type),
            _task.subject == bindparam("about"),
            _task.state != bindparam("ended", type_=_task.state.type),
        )
        .values(version=_task.version + 1)
        .returning(_task.id)
    ),
    ("acknowledged_at", "acknowledged_by", "reason", "raised_at", "state"),
)
_ADD_TEXT = Prepared(lambda _: insert(TaskText.__table__), ("task_id", "inbound_id", "at"))


def open_task(
    session: Session,
    now: datetime,
    clinic_id: int,
    kind: TaskKind,
    subject: str,
    reason: str,
    *,
    phone_id: int | None = None,
    patient_id: int | None = None,
    inbound_id: int | None = None,
    due_at: datetime | None = None,
    needed_by: date | None = None,
    keep: bool = False,
) -> int:
    """Open a task, or add to the one that is open about the same subject; return its id.

    `keep`: whoever has the open one keeps it, and hears the reason and the days as they are now. Without it, it waits
    for somebody again.
    """
    task_id = None
    for _ in range(TRIES):
        task_id = insert_once(
            session,
            Task,
            ("kind", "subject"),
            where=UNRESOLVED,
            clinic_id=clinic_id,
            kind=kind,
            subject=subject,
            reason=reason,
            state=TaskState.OPEN,
            phone_id=phone_id,
            patient_id=patient_id,
            due_at=due_at,
            needed_by=needed_by,
            opened_at=now,
            raised_at=now,
            pages=0,
            version=1,
        )
        if task_id is not None:
            audit(session, now, "system", "task opened", f"task:{task_id}", kind=kind)
            break
        if keep:
            task_id = _told_again(session, kind, subject, reason, due_at, needed_by)
        else:  # someone may have had it, and now there is more: it waits again
            again = {"acknowledged_at": None, "acknowledged_by": None, "reason": reason, "raised_at": now}
            about = {"of_kind": kind, "about": subject, "ended": TaskState.RESOLVED}
            rows = _RAISE.run(session, **about, state=TaskState.OPEN, **again)
            task_id = int(rows[0][0]) if rows else None
            if task_id is not None and (due_at or needed_by):
                _told_again(session, kind, subject, reason, due_at, needed_by)
        if task_id is not None:
            break
    if task_id is None:
        raise RuntimeError(RESOLVED_EACH_TIME)
    if inbound_id is not None:
        add_text(session, task_id, inbound_id, now)
    return task_id


def _told_again(
    session: Session, kind: TaskKind, subject: str, reason: str, due_at: datetime | None, needed_by: date | None
) -> int | None:
    task = unresolved(session, kind, subject)
    if task is None:
        return None
    sooner = min((at for at in (task.due_at, due_at) if at is not None), default=None)
    values = (reason, sooner, needed_by or task.needed_by)
    if values != (task.reason, task.due_at, task.needed_by):
        task.reason, task.due_at, task.needed_by = values
        task.version += 1
        session.flush()
    return task.id


def add_text(session: Session, task_id: int, inbound_id: int, now: datetime) -> None:
    _ADD_TEXT.run(session, task_id=task_id, inbound_id=inbound_id, at=now)


def acknowledge(session: Session, now: datetime, task: Task, staff_id: int | None, actor: str) -> None:
    """Record who took it. Taking it twice changes nothing."""
    if task.state is not TaskState.OPEN:
        return
    task.state, task.acknowledged_at, task.acknowledged_by = TaskState.ACKNOWLEDGED, now, staff_id
    task.next_page_at, task.version = None, task.version + 1
    audit(session, now, actor, "task acknowledged", f"task:{task.id}")


_ABOUT = select(Task).where(
    Task.subject == bindparam("subject"),
    Task.kind.in_(bindparam("kinds", expanding=True)),
    Task.state != TaskState.RESOLVED,
)


def close_tasks(
    session: Session, now: datetime, subject: str, kinds: tuple[TaskKind, ...], outcome: str, *, because: str = ""
) -> None:
    """Resolve what is open about a subject because its cause is gone; `because`: how its reason must begin."""
    for task in session.scalars(_ABOUT, {"subject": subject, "kinds": list(kinds)}).all():
        if not task.reason.startswith(because):
            continue
        task.state, task.resolved_at, task.outcome, task.version = TaskState.RESOLVED, now, outcome, task.version + 1
        task.next_page_at = None
        task_settled(session, task)


def unresolved(session: Session, kind: TaskKind, subject: str) -> Task | None:
    """Return the open task, locked and as it is now; None where it was resolved a moment ago."""
    statement = select(Task).where(Task.kind == kind, Task.subject == subject, Task.state != TaskState.RESOLVED)
    return session.scalars(statement.with_for_update().execution_options(populate_existing=True)).one_or_none()


_PAGES = taking_back(OutboundMessage.task_id == bindparam("task"), OutboundMessage.purpose == Purpose.PAGE)


def stop_pages(session: Session, now: datetime, task_id: int) -> None:
    """Withdraw pages that have not left yet: somebody has the alert."""
    withdraw(session, now, "acknowledged", _PAGES, task=task_id)


def close_alerts(session: Session, now: datetime, subject: str, outcome: str) -> None:
    """Close the alert about a subject because its cause is gone, and take back pages that have not left."""
    alerts = select(Task.id).where(
        Task.kind == TaskKind.ALERT, Task.subject == subject, Task.state != TaskState.RESOLVED
    )
    for task_id in session.scalars(alerts).all():
        stop_pages(session, now, task_id)
    close_tasks(session, now, subject, (TaskKind.ALERT,), outcome)
