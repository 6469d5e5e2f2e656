"""The audit trail: who did what to which row. Ids only, written in the transaction of the deed."""

from datetime import datetime
from typing import Any

from sqlalchemy import insert
from sqlalchemy.orm import Session

from app.db.prepared import Prepared
from app.db.work import AuditEvent

_INSERT = Prepared(lambda _: insert(AuditEvent.__table__), ("at", "actor", "verb", "subject", "detail"))


def audit(session: Session, now: datetime, actor: str, verb: str, subject: str, **detail: Any) -> None:
    """Record a deed. `detail` holds states, ids and counts, never a name, a number or a text."""
    _INSERT.run_later(session, at=now, actor=actor, verb=verb, subject=subject, detail=detail or None)
