"""Texts out that are longer in a state without an end than they may be: something is wrong, and a person looks."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import and_, or_, select
from sqlalchemy.orm import Session

from app.db.messages import ON_THE_WAY, WITHOUT_END, OutboundMessage
from app.db.reading import passing_over
from app.domain.delivery import DeliveryState
from app.domain.silence import MAY_LAST

_STEPS = (
    (WITHOUT_END, (DeliveryState.SENDING, DeliveryState.UNKNOWN)),
    (ON_THE_WAY, (DeliveryState.HANDED_OVER, DeliveryState.ACCEPTED, DeliveryState.SENT)),
)


@dataclass(frozen=True)
class StuckLine:
    """`since`: when it came into this state; of a queued text, when it was due."""

    id: int
    purpose: str
    state: str
    since: datetime
    attempts: int
    reason: str | None


@passing_over()
def list_stuck(session: Session, now: datetime, limit: int = 0) -> list[StuckLine]:
    """List them, the longest first. Each question is answered by the small index of what has no end yet."""
    queued = select(OutboundMessage).where(
        OutboundMessage.state == DeliveryState.QUEUED,
        OutboundMessage.due_at <= now - MAY_LAST[DeliveryState.QUEUED],
    )
    found = [_line(message, message.due_at) for message in session.scalars(queued.limit(limit or None))]
    for where, states in _STEPS:
        late = or_(
            *[and_(OutboundMessage.state == state, OutboundMessage.due_at <= now - MAY_LAST[state]) for state in states]
        )
        rows = session.scalars(select(OutboundMessage).where(where, late).limit(limit or None))
        found += [_line(message, message.state_at) for message in rows]
    found.sort(key=lambda line: (line.since, line.id))
    return found[:limit] if limit else found


def _line(message: OutboundMessage, since: datetime) -> StuckLine:
    return StuckLine(message.id, message.purpose.value, message.state.value, since, message.attempts, message.reason)
