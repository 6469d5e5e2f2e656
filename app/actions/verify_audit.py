"""Walk the chain of the audit log from its beginning, and say whether it is whole."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import func, or_, select

from app.db.engine import Database
from app.db.work import AuditEvent
from app.domain.audit_chain import BEGINNING, Event, hash_of

AT_ONCE = 2_000

_table = AuditEvent.__table__


@dataclass(frozen=True)
class Chain:
    """What the walk found. `broken` says which event is the first that does not fit, and why; None: all fit."""

    events: int  # that fit, from the beginning
    first_at: datetime | None
    last_at: datetime | None
    head: str
    unsealed: int
    unsealed_since: datetime | None
    broken: str | None
    has_head: bool  # the head that was asked for is among the hashes; true where none was


def verify_audit(db: Database, head: str | None = None) -> Chain:
    """Compute every hash anew. `head`, noted earlier, is missing where the end was cut off."""
    position, before, first_at, last_at, broken = 0, BEGINNING, None, None, None
    has_head = head in {None, BEGINNING}
    with db.read() as session:
        found = session.execute(
            select(_table)
            .where(or_(_table.c.position.is_not(None), _table.c.hash.is_not(None)))
            .order_by(_table.c.position),
            execution_options={"yield_per": AT_ONCE},
        )
        for row in found:
            event = Event(row.position or 0, row.id, row.at, row.actor, row.verb, row.subject, row.detail)
            broken = _wrong(event, row.prev_hash, row.hash, position, before)
            if broken:
                break
            position, before, last_at = event.position, row.hash, event.at
            first_at = first_at or event.at
            has_head = has_head or before == head
        found.close()
        count, since = session.execute(
            select(func.count(), func.min(_table.c.at)).select_from(_table).where(_table.c.hash.is_(None))
        ).one()
    return Chain(position, first_at, last_at, before, count, since, broken, has_head)


def _wrong(event: Event, prev_hash: str | None, own: str | None, position: int, before: str) -> str | None:
    named = f"event {event.id}"
    if event.position != position + 1:
        return f"{named}: it stands at position {event.position}, and position {position + 1} is missing"
    if prev_hash != before:
        return f"{named}: it does not go on from the event before it"
    if own != hash_of(event, before):
        return f"{named}: it was changed after it was sealed"
    return None
