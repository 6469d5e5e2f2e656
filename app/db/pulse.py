"""Marks that move whenever something that a staff page shows has changed: what a live page waits for."""

from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import Select, func, select, text
from sqlalchemy.orm import Session

from app.db.messages import DeliveryEvent, InboundMessage, OutboundMessage
from app.db.threads import PhoneThread
from app.db.work import AuditEvent, Task

# written as the partial indexes are, so that either database looks at those few rows alone
_QUEUED = text("state = 'queued'")
LATELY = 100  # more than are ever written at the same instant
LATELY_DEEDS = 20  # among many reads, which must be passed over
READS = ("read", "saw a list")
_OPEN = text("state IN ('sending', 'unknown')")


@dataclass(frozen=True)
class Pulse:
    """One look at the database. Two that are equal: nothing happened in between."""

    marks: tuple[int, ...]
    texts_in: int  # the newest text's id
    tasks: dict[int, tuple[int, int]] = field(default_factory=dict)  # by clinic: how many are open, versions added up
    waiting: dict[int, int] = field(default_factory=dict)  # by clinic: alerts that nobody has acknowledged


def _highest(column: Any) -> Any:
    return select(func.coalesce(func.max(column), 0)).scalar_subquery()


def _lately(column: Any) -> Any:
    """Count the last ones: on PostgreSQL a row may be committed after one with a higher id, and moves no highest."""
    newest = select(func.max(column)).scalar_subquery()
    return select(func.count()).where(column > newest - LATELY).scalar_subquery()


def _newest_deeds() -> tuple[Any, Any]:
    """Return the newest event that changed something, and the sum of the last few: staff's reading changes no page."""
    deeds = select(AuditEvent.id).where(AuditEvent.verb.not_in(READS)).order_by(AuditEvent.id.desc())
    ids = deeds.limit(LATELY_DEEDS).subquery().c.id
    return (
        func.coalesce(deeds.limit(1).scalar_subquery(), 0),
        func.coalesce(select(func.sum(ids)).scalar_subquery(), 0),
    )


def _held(which: Any) -> tuple[Any, Any]:
    """Count the texts in a passing state, and add up their ids: one that came while another left shows too."""
    ids = OutboundMessage.id
    return (
        select(func.count()).select_from(OutboundMessage).where(which).scalar_subquery(),
        select(func.coalesce(func.sum(ids), 0)).where(which).scalar_subquery(),
    )


_MARKS: Select[Any] = select(
    _highest(InboundMessage.id),
    _highest(OutboundMessage.id),
    _highest(DeliveryEvent.id),
    _lately(InboundMessage.id),
    _lately(OutboundMessage.id),
    _lately(DeliveryEvent.id),
    *_newest_deeds(),
    *_held(_QUEUED),
    *_held(_OPEN),
)
_TASKS = (
    select(
        Task.clinic_id,
        func.count(),
        func.sum(Task.version),
        func.count().filter(text("task.kind = 'alert' AND task.state = 'open'")),
    )
    .where(text("state != 'resolved'"))
    .group_by(Task.clinic_id)
)


def pulse(session: Session) -> Pulse:
    """Return the marks as they are now: two statements over indexes, whatever the size of the tables."""
    marks = tuple(int(mark) for mark in session.execute(_MARKS).one())
    rows = session.execute(_TASKS).all()
    return Pulse(
        marks,
        marks[0],
        {clinic: (count, int(versions)) for clinic, count, versions, _ in rows},
        {clinic: waiting for clinic, _, _, waiting in rows},
    )


def texts_after(session: Session, clinic_id: int, staff_id: int, text_id: int) -> tuple[int, int]:
    """Return how many texts came to a clinic after one, and how many of them to threads that this nurse has."""
    texts, mine = session.execute(
        select(func.count(), func.count().filter(PhoneThread.assignee_id == staff_id))
        .select_from(InboundMessage)
        .join(PhoneThread, PhoneThread.phone_id == InboundMessage.phone_id)
        .where(InboundMessage.id > text_id, PhoneThread.clinic_id == clinic_id)
    ).one()
    return texts, mine
