"""Sessions of an account: which there are, ending them, and proving again who sits there."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from app.actions.audit import audit
from app.actions.sign_in import TimeOuts
from app.db.engine import Database
from app.db.people import StaffSession


@dataclass(frozen=True)
class SessionRow:
    id: int
    browser: str
    created_at: datetime
    seen_at: datetime


def open_sessions(session: Session, staff_id: int, now: datetime, last: TimeOuts) -> tuple[SessionRow, ...]:
    """Return the sessions of an account that would still open a page, the newest first."""
    rows = session.scalars(
        select(StaffSession)
        .where(
            StaffSession.staff_id == staff_id,
            StaffSession.ended_at.is_(None),
            StaffSession.pending.is_(False),
            StaffSession.created_at > now - last.longest,
            StaffSession.seen_at > now - last.idle,
        )
        .order_by(StaffSession.seen_at.desc(), StaffSession.id.desc())
    )
    return tuple(SessionRow(row.id, row.browser, row.created_at, row.seen_at) for row in rows)


def end_sessions(
    db: Database, staff_id: int, now: datetime, actor: str, *, only: int | None = None, but: int | None = None
) -> int:
    """End one session of an account, or all but one; return how many ended."""
    with db.begin() as session:
        ended = end_all(session, staff_id, now, only=only, but=but)
        if ended:
            audit(session, now, actor, "sessions ended", f"staff:{staff_id}", count=ended)
        return ended


def end_all(session: Session, staff_id: int, now: datetime, *, only: int | None = None, but: int | None = None) -> int:
    ending = (
        update(StaffSession)
        .where(StaffSession.staff_id == staff_id, StaffSession.ended_at.is_(None))
        .values(ended_at=now)
        .returning(StaffSession.id)
    )
    if only is not None:
        ending = ending.where(StaffSession.id == only)
    if but is not None:
        ending = ending.where(StaffSession.id != but)
    return len(session.scalars(ending).all())


def proved_again(db: Database, session_id: int, now: datetime) -> None:
    with db.begin() as session:
        session.execute(update(StaffSession).where(StaffSession.id == session_id).values(proven_at=now))
