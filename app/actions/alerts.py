"""Alerts: tasks that page the on-call phone until somebody acknowledges."""

import secrets
from datetime import date, datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from app.actions.audit import audit
from app.actions.line import Line, staff_link, voice_of
from app.actions.outbox import owe
from app.actions.tasks import RESOLVED_EACH_TIME, TRIES, UNRESOLVED, add_text, unresolved
from app.actions.threads import alert_raised
from app.db.directory import has_opted_out, open_alert_codes, phone_named
from app.db.inserts import insert_once
from app.db.messages import Purpose
from app.db.people import Clinic
from app.db.work import Task, TaskKind, TaskState, TaskText
from app.domain.urgency import danger
from scheduler.policy import ReminderPolicy

# not from the clinic's row: reminder hours that cannot be kept must not keep an alarm from being answered
PAGE_EVERY = ReminderPolicy().page_every


def raise_alert(
    line: Line,
    session: Session,
    now: datetime,
    clinic: Clinic,
    subject: str,
    category: str,
    reason: str,
    *,
    needed_by: date | None = None,
    inbound_id: int | None = None,
    **about: int | None,
) -> int:
    """Open the alert about a phone or a patient, or raise the open one again, and page the on-call phone in the same
    transaction; return its id. `about`: phone_id, patient_id."""
    task, new = _open_or_find(session, now, clinic, subject, category, reason, needed_by, about)
    last_page_at = task.next_page_at - PAGE_EVERY if task.next_page_at else None
    if not new:
        if task.state is TaskState.ACKNOWLEDGED:  # someone took it, and now there is more: it waits again
            task.code = _new_code(session, clinic.id)
        task.state, task.acknowledged_at, task.acknowledged_by = TaskState.OPEN, None, None
        if danger(category) <= danger(task.category):  # a milder text after a worse one leaves the worse in view
            task.category, task.reason = category, reason
        task.raised_at, task.version = now, task.version + 1
    if inbound_id is not None:
        add_text(session, task.id, inbound_id, now)
    if last_page_at is None or now - last_page_at >= line.urgent_apart:
        page(line, session, now, clinic, task)
    alert_raised(session, clinic.id, task.phone_id, task.patient_id, task.opened_at)
    audit(session, now, "system", "alert raised", f"task:{task.id}", category=category)
    return task.id


def _open_or_find(
    session: Session,
    now: datetime,
    clinic: Clinic,
    subject: str,
    category: str,
    reason: str,
    needed_by: date | None,
    about: dict[str, int | None],
) -> tuple[Task, bool]:
    """Return the alert about this subject, and whether it is new."""
    for _ in range(TRIES):
        task_id = insert_once(
            session,
            Task,
            ("kind", "subject"),
            where=UNRESOLVED,
            clinic_id=clinic.id,
            kind=TaskKind.ALERT,
            subject=subject,
            category=category,
            reason=reason,
            state=TaskState.OPEN,
            code=_new_code(session, clinic.id),
            opened_at=now,
            raised_at=now,
            pages=0,
            version=1,
            needed_by=needed_by,
            phone_id=about.get("phone_id"),
            patient_id=about.get("patient_id"),
        )
        task = session.get_one(Task, task_id) if task_id else unresolved(session, TaskKind.ALERT, subject)
        if task is not None:
            return task, task_id is not None
    raise RuntimeError(RESOLVED_EACH_TIME)


def note_on_alert(session: Session, now: datetime, phone_id: int, reason: str, inbound_id: int) -> None:
    """Say better what this phone's open alert is about, and add the text. It keeps its danger, code and pages."""
    task = unresolved(session, TaskKind.ALERT, f"phone:{phone_id}")
    if task is None:
        return
    task.reason, task.version = reason, task.version + 1
    known = select(TaskText.id).where(TaskText.task_id == task.id, TaskText.inbound_id == inbound_id)
    if session.scalars(known).first() is None:
        add_text(session, task.id, inbound_id, now)


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


def _new_code(session: Session, clinic_id: int) -> str:
    """Return four digits that no open alert of the clinic has."""
    taken = set(open_alert_codes(session, clinic_id))
    while (code := f"{secrets.randbelow(9000) + 1000}") in taken:
        pass
    return code
