"""Seal the audit log: chain what was committed since, so that nothing of it can be changed or taken out unseen.

Deeds only insert their event: no deed waits for another's hash. Sealing follows within seconds, under a lock that one
process holds at a time. What is to be sealed is told by the row itself (it has no hash yet), never by comparing ids: on
PostgreSQL an event with a lower id may be committed after one with a higher, and then simply takes a later position.
"""

from datetime import datetime

from sqlalchemy import bindparam, select, text, update
from sqlalchemy.orm import Session

from app.actions.line import Line
from app.db.work import AuditEvent
from app.domain.audit_chain import BEGINNING, Event, hash_of

BATCH = 1_000  # a transaction; on SQLite everybody else waits for it
MOST_BATCHES = 100  # a beat; the first beats after an upgrade seal what there was before
_LOCK = 7236122  # of PostgreSQL, for this alone

_table = AuditEvent.__table__
_UNSEALED = _table.c.hash.is_(None)
_SEAL = (
    update(_table)
    .where(_table.c.id == bindparam("event_id"))
    .values(position=bindparam("place"), prev_hash=bindparam("before"), hash=bindparam("own"))
)


def seal_audit(line: Line, _: datetime) -> int:
    """Chain every committed event that is not yet; return how many."""
    sealed = 0
    for _batch in range(MOST_BATCHES):
        with line.db.read() as session:  # an idle beat takes no writer's turn
            if session.scalar(select(_table.c.id).where(_UNSEALED).limit(1)) is None:
                break
        with line.db.begin() as session:
            done = _seal_some(session, line.db.is_sqlite)
        sealed += done
        if done < BATCH:
            break
    return sealed


def _seal_some(session: Session, is_sqlite: bool) -> int:
    if not is_sqlite:  # there, whoever writes is alone
        session.execute(text("SELECT pg_advisory_xact_lock(:lock)"), {"lock": _LOCK})
    position, before = _head(session)
    found = session.execute(
        select(_table.c.id, _table.c.at, _table.c.actor, _table.c.verb, _table.c.subject, _table.c.detail)
        .where(_UNSEALED)
        .order_by(_table.c.id)
        .limit(BATCH)
    ).all()
    seals = []
    for row in found:
        position += 1
        own = hash_of(Event(position, row.id, row.at, row.actor, row.verb, row.subject, row.detail), before)
        seals.append({"event_id": row.id, "place": position, "before": before, "own": own})
        before = own
    if seals:
        session.connection().execute(_SEAL, seals)
    return len(seals)


def _head(session: Session) -> tuple[int, str]:
    """Return position and hash of the last event in the chain."""
    last = session.execute(
        select(_table.c.position, _table.c.hash)
        .where(_table.c.position.is_not(None))
        .order_by(_table.c.position.desc())
        .limit(1)
    ).first()
    return (last.position, last.hash) if last else (0, BEGINNING)
