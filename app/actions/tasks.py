"""Tasks for nurses, and alerts: tasks that page the on-call phone until somebody acknowledges."""

import secrets
from datetime import datetime

from sqlalchemy import bindparam, insert, select, update
from sqlalchemy.orm import Session

from app.actions.audit import audit
from app.actions.line import Line, staff_link, voice_of
from app.actions.outbox import owe, withdraw
from app.db.directory import has_opted_out, open_alert_codes, phone_named
from app.db.inserts import insert_once
from app.db.messages import OutboundMessage, Purpose
from app.db.people import Clinic
from app.db.prepared import Prepared
from app.db.work import Task, TaskKind, TaskState, TaskText
from app.domain.urgency import danger
from scheduler.policy import ReminderPolicy

# not from the clinic's row: reminder hours that cannot be kept must not keep an alarm from being answered
PAGE_EVERY = ReminderPolicy().page_every
_UNRESOLVED = "state != 'resolved'"
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
) -> int:
    """Open a task, or add to the one that is open about the same subject; return its id."""
    task_id = None
    for _ in range(TRIES):
        task_id = insert_once(
            session,
            Task,
            ("kind", "subject"),
            where=_UNRESOLVED,
            clinic_id=clinic_id,
            kind=kind,
            subject=subject,
            reason=reason,
            state=TaskState.OPEN,
            phone_id=phone_id,
            patient_id=patient_id,
            opened_at=now,
            raised_at=now,
            pages=0,
            version=1,
        )
        if task_id is not None:
            audit(session, now, "system", "task opened", f"task:{task_id}", kind=kind)
            break
        # someone may have had it, and now there is more: it waits again
        again = {"acknowledged_at": None, "acknowledged_by": None, "reason": reason, "raised_at": now}
        rows = _RAISE.run(session, of_kind=kind, about=subject, ended=TaskState.RESOLVED, state=TaskState.OPEN, **again)
        if rows:
            task_id = int(rows[0][0])
            break
    if task_id is None:
        raise RuntimeError(RESOLVED_EACH_TIME)
    if inbound_id is not None:
        _ADD_TEXT.run(session, task_id=task_id, inbound_id=inbound_id, at=now)
    return task_id


def raise_alert(
    line: Line,
    session: Session,
    now: datetime,
    clinic: Clinic,
    phone_id: int,
    category: str,
    reason: str,
    **about: int | None,
) -> int:
    """Open this phone's alert, or raise the open one again, and page the on-call phone in the same transaction."""
    subject = f"phone:{phone_id}"
    inbound_id = about.get("inbound_id")
    task = None
    for _ in range(TRIES):
        task_id = insert_once(
            session,
            Task,
            ("kind", "subject"),
            where=_UNRESOLVED,
            clinic_id=clinic.id,
            kind=TaskKind.ALERT,
            subject=subject,
            category=category,
            reason=reason,
            state=TaskState.OPEN,
            code=_new_code(session, clinic.id),
            phone_id=phone_id,
            patient_id=about.get("patient_id"),
            opened_at=now,
            raised_at=now,
            pages=0,
            version=1,
        )
        task = session.get_one(Task, task_id) if task_id else _unresolved(session, TaskKind.ALERT, subject)
        if task is not None:
            break
    if task is None:
        raise RuntimeError(RESOLVED_EACH_TIME)
    last_page_at = task.next_page_at - PAGE_EVERY if task.next_page_at else None
    if task_id is None:
        if task.state is TaskState.ACKNOWLEDGED:  # someone took it, and now there is more: it waits again
            task.code = _new_code(session, clinic.id)
        task.state, task.acknowledged_at, task.acknowledged_by = TaskState.OPEN, None, None
        if danger(category) <= danger(task.category):  # a milder text after a worse one leaves the worse in view
            task.category, task.reason = category, reason
        task.raised_at, task.version = now, task.version + 1
    if inbound_id is not None:
        _ADD_TEXT.run(session, task_id=task.id, inbound_id=inbound_id, at=now)
    if last_page_at is None or now - last_page_at >= line.urgent_apart:
        page(line, session, now, clinic, task)
    audit(session, now, "system", "alert raised", f"task:{task.id}", category=category)
    return task.id


def note_on_alert(session: Session, now: datetime, phone_id: int, reason: str, inbound_id: int) -> None:
    """Say better what this phone's open alert is about, and add the text. It keeps its danger, code and pages."""
    task = _unresolved(session, TaskKind.ALERT, f"phone:{phone_id}")
    if task is None:
        return
    task.reason, task.version = reason, task.version + 1
    known = select(TaskText.id).where(TaskText.task_id == task.id, TaskText.inbound_id == inbound_id)
    if session.scalars(known).first() is None:
        _ADD_TEXT.run(session, task_id=task.id, inbound_id=inbound_id, at=now)


def page(line: Line, session: Session, now: datetime, clinic: Clinic, task: Task) -> None:
    """Owe the on-call phone one text about this alert: a code and a link, nothing about the patient."""
    if not clinic.on_call_phone or not task.code:
        task.next_page_at = None
        return
    task.pages += 1
    voice = voice_of(clinic)
    name = "page" if task.pages == 1 else "page_again"
    words = line.words.system(name, voice, "en", code=task.code, link=staff_link(line), number=str(task.pages))
    phone_id = phone_named(line.db, session, clinic.id, clinic.on_call_phone, now)
    key = f"page:{task.id}:{task.pages}"
    owe(
        session,
        clinic_id=clinic.id,
        phone_id=phone_id,
        words=words,
        purpose=Purpose.PAGE,
        dedupe_key=key,
        now=now,
        urgent=True,
        task_id=task.id,
        expires_at=now + PAGE_EVERY * 2,
    )
    task.next_page_at = now + PAGE_EVERY


def can_page(line: Line, session: Session, clinic: Clinic) -> bool:
    """Whether a page can reach the on-call phone: there is one, and it has not opted out."""
    if not clinic.on_call_phone:
        return False
    return not has_opted_out(session, clinic.id, line.db.hash_of(clinic.on_call_phone))


def acknowledge(session: Session, now: datetime, task: Task, staff_id: int | None, actor: str) -> None:
    """Record who took it. Taking it twice changes nothing."""
    if task.state is not TaskState.OPEN:
        return
    task.state, task.acknowledged_at, task.acknowledged_by = TaskState.ACKNOWLEDGED, now, staff_id
    task.next_page_at, task.version = None, task.version + 1
    audit(session, now, actor, "task acknowledged", f"task:{task.id}")


def close_tasks(
    session: Session, now: datetime, subject: str, kinds: tuple[TaskKind, ...], outcome: str, *, because: str = ""
) -> None:
    """Resolve what is open about a subject because its cause is gone; `because`: how its reason must begin."""
    for task in session.scalars(
        select(Task).where(Task.subject == subject, Task.kind.in_(kinds), Task.state != TaskState.RESOLVED)
    ):
        if not task.reason.startswith(because):
            continue
        task.state, task.resolved_at, task.outcome, task.version = TaskState.RESOLVED, now, outcome, task.version + 1
        task.next_page_at = None


def stop_pages(session: Session, now: datetime, task_id: int) -> None:
    """Withdraw pages that have not left yet: somebody has the alert."""
    withdraw(session, now, "acknowledged", OutboundMessage.task_id == task_id, OutboundMessage.purpose == Purpose.PAGE)


def _unresolved(session: Session, kind: TaskKind, subject: str) -> Task | None:
    """Return the open task, locked and as it is now; None where it was resolved a moment ago."""
    statement = select(Task).where(Task.kind == kind, Task.subject == subject, Task.state != TaskState.RESOLVED)
    return session.scalars(statement.with_for_update().execution_options(populate_existing=True)).one_or_none()


def _new_code(session: Session, clinic_id: int) -> str:
    """Return four digits that no open alert of the clinic has."""
    taken = set(open_alert_codes(session, clinic_id))
    while (code := f"{secrets.randbelow(9000) + 1000}") in taken:
        pass
    return code
