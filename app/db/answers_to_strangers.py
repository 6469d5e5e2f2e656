"""How often phones that are nobody's were answered: one of them in a day, all together in an hour."""

from datetime import datetime, timedelta
from weakref import WeakKeyDictionary

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from app.db.engine import Database
from app.db.messages import OutboundMessage, Purpose
from app.db.people import Contact

_NEWEST = 2_000  # texts that are looked at for the hour: enough to see any bound worth having reached
_COUNTED_AGAIN = timedelta(seconds=15)
_counts: WeakKeyDictionary[Database, tuple[datetime, int]] = WeakKeyDictionary()


def answered_today(session: Session, phone_id: int, now: datetime) -> int:
    newest = (
        select(OutboundMessage.created_at)
        .where(OutboundMessage.phone_id == phone_id, OutboundMessage.purpose == Purpose.REPLY)
        .order_by(OutboundMessage.id.desc())
        .limit(1_000)
        .subquery()
    )
    recent = select(func.count()).select_from(newest).where(newest.c.created_at > now - timedelta(days=1))
    return session.scalar(recent) or 0


def answered_this_hour(db: Database, session: Session, now: datetime) -> int:
    """Count for the whole installation; looked up every quarter of a minute, in between what this process answered."""
    counted = _counts.get(db)
    if counted is None or not timedelta(0) <= now - counted[0] < _COUNTED_AGAIN:
        counted = _counts[db] = (now, _count(session, now))
    return counted[1]


def answered_one(db: Database, replies: int) -> None:
    if (counted := _counts.get(db)) is not None:
        _counts[db] = (counted[0], counted[1] + replies)


def _count(session: Session, now: datetime) -> int:
    newest = (
        select(OutboundMessage.phone_id, OutboundMessage.purpose, OutboundMessage.created_at)
        .order_by(OutboundMessage.id.desc())
        .limit(_NEWEST)
        .subquery()
    )
    ours = select(Contact.id).where(Contact.phone_id == newest.c.phone_id).exists()
    asked = (
        select(func.count())
        .select_from(newest)
        .where(newest.c.purpose == Purpose.REPLY, newest.c.created_at > now - timedelta(hours=1), ~ours)
    )
    return session.scalar(asked) or 0
