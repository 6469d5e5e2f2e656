"""A conversation as a page shows it: texts in and out of one or several phones, newest last."""

import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import func, select, union_all
from sqlalchemy.orm import Session, aliased

from app.db.care import Reminder
from app.db.messages import InboundMessage, OutboundMessage, Purpose
from app.db.people import Contact, Staff
from app.db.supply import CareStep
from app.db.work import Task, TaskKind, TaskText
from app.domain.delivery import DeliveryState


@dataclass(frozen=True)
class TextIn:
    """A text a phone sent us, and what was made of it."""

    id: int
    phone_id: int
    at: datetime
    body: str
    kind: str
    topic: str | None
    category: str | None
    media: tuple[str, ...]  # content types; the files stay with the provider
    trace: tuple[str, ...]
    alert: bool
    intent: str | None = None
    incoming: bool = True
    note: bool = False


@dataclass(frozen=True)
class TextOut:
    """A text we owe or sent."""

    id: int
    phone_id: int
    at: datetime
    body: str
    purpose: Purpose
    urgent: bool
    text_id: str
    version: int
    segments: int
    state: DeliveryState
    state_at: datetime
    reason: str | None
    staff_name: str | None
    step: str | None  # of the reminder or care step that it was owed for
    answers: int | None  # the inbound text it answers
    due_at: datetime | None = None  # when it leaves, while it is owed
    incoming: bool = False
    note: bool = False


@dataclass(frozen=True)
class Thread:
    texts: tuple[TextIn | TextOut, ...] = ()
    earlier: int = 0  # texts not shown
    notes: tuple["TaskNote", ...] = field(default=())

    @property
    def entries(self) -> list["TextIn | TextOut | TaskNote"]:
        """Return texts and notes in the order of time; a note after the texts of its moment."""
        every: list[TextIn | TextOut | TaskNote] = [*self.texts, *self.notes]
        return sorted(every, key=lambda entry: entry.at)


@dataclass(frozen=True)
class TaskNote:
    """Between the texts: who took an alert, or closed it, and how long after its first text."""

    at: datetime
    did: str  # acknowledged, resolved
    by: str | None  # None: the on-call phone
    after: timedelta | None = None
    outcome: str | None = None
    note: bool = True


def thread(session: Session, phone_ids: Sequence[int], limit: int) -> Thread:
    """Return the newest `limit` texts of these phones."""
    if not phone_ids:
        return Thread()
    came, went = _texts_in(session, phone_ids, limit), _texts_out(session, phone_ids, limit)
    texts: list[TextIn | TextOut] = sorted([*came, *went], key=_order)
    total = len(texts)
    if limit in (len(came), len(went)):  # else these are all there are
        total = _count(session, phone_ids)
    shown = tuple(texts[-limit:])
    first = shown[0].at if shown and total > len(shown) else None
    return Thread(shown, total - len(shown), _alerts(session, phone_ids, first))


def _count(session: Session, phone_ids: Sequence[int]) -> int:
    counts = (
        select(func.count()).select_from(table).where(table.phone_id.in_(phone_ids)).scalar_subquery()
        for table in (InboundMessage, OutboundMessage)
    )
    return sum(session.execute(select(*counts)).one())


def _order(text: TextIn | TextOut) -> tuple[datetime, bool, int, bool, int]:
    """By time; of one moment, a text with its replies behind it, then what was sent for other reasons."""
    about = text.id if isinstance(text, TextIn) else text.answers
    return (text.at, about is None, about or 0, not text.incoming, text.id)


def _texts_in(session: Session, phone_ids: Sequence[int], limit: int) -> list[TextIn]:
    alerts = (
        select(TaskText.inbound_id)
        .join(Task, Task.id == TaskText.task_id)
        .where(Task.kind == TaskKind.ALERT, Task.phone_id.in_(phone_ids))
    )
    rows = session.execute(
        select(InboundMessage, InboundMessage.id.in_(alerts))
        .where(InboundMessage.phone_id.in_(phone_ids))
        .order_by(InboundMessage.id.desc())
        .limit(limit)
    )
    return [
        TextIn(
            row.id,
            row.phone_id,
            row.received_at,
            row.body,
            row.kind,
            row.topic,
            row.category,
            tuple(str(item.get("content_type", "file")) for item in _listed(row.media) if isinstance(item, dict)),
            tuple(str(line) for line in _listed(row.trace)),
            bool(alert),
            row.intent,
        )
        for row, alert in rows
    ]


def _texts_out(session: Session, phone_ids: Sequence[int], limit: int) -> list[TextOut]:
    rows = session.execute(
        select(OutboundMessage, Staff.name, func.coalesce(Reminder.step, CareStep.step))
        .outerjoin(Staff, Staff.id == OutboundMessage.staff_id)
        .outerjoin(Reminder, Reminder.id == OutboundMessage.reminder_id)
        .outerjoin(CareStep, CareStep.id == OutboundMessage.care_step_id)
        .where(OutboundMessage.phone_id.in_(phone_ids))
        .order_by(OutboundMessage.id.desc())
        .limit(limit)
    )
    return [
        TextOut(
            row.id,
            row.phone_id,
            row.created_at,
            row.body,
            row.purpose,
            row.urgent,
            row.text_id,
            row.text_version,
            row.segments,
            row.state,
            row.state_at,
            row.reason,
            staff_name,
            step,
            row.inbound_id,
            row.due_at,
        )
        for row, staff_name, step in rows
    ]


def _alerts(session: Session, phone_ids: Sequence[int], first: datetime | None) -> tuple[TaskNote, ...]:
    taker, closer = aliased(Staff), aliased(Staff)
    served = select(Contact.patient_id).where(Contact.phone_id.in_(phone_ids))
    of_nobodys_phone = func.coalesce(Task.phone_id, 0) == 0
    these = union_all(  # an index each: said with OR, or "IS NULL", all there are would be looked through
        select(Task.id).where(Task.phone_id.in_(phone_ids)),
        select(Task.id).where(of_nobodys_phone, Task.patient_id.in_(served)),
    )
    rows = session.execute(
        select(Task, taker.name, closer.name)
        .outerjoin(taker, taker.id == Task.acknowledged_by)
        .outerjoin(closer, closer.id == Task.resolved_by)
        .where(
            Task.id.in_(these),
            Task.kind == TaskKind.ALERT,
            Task.acknowledged_at.is_not(None),
        )
        .order_by(Task.id.desc())
        .limit(20)
    )
    notes = []
    for task, took, closed in rows:
        if task.acknowledged_at:
            after = task.acknowledged_at - task.opened_at if task.phone_id else None
            notes.append(TaskNote(task.acknowledged_at, "acknowledged", took, after))
        if task.resolved_at:
            notes.append(TaskNote(task.resolved_at, "resolved", closed, outcome=task.outcome))
    return tuple(note for note in notes if first is None or note.at >= first)


def _listed(kept: str | None) -> list[Any]:
    """Return a JSON list as kept in a sealed column; nothing for a text that holds none."""
    if not kept:
        return []
    try:
        found = json.loads(kept)
    except ValueError:
        return [kept]
    return found if isinstance(found, list) else [found]
