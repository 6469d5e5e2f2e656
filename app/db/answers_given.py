"""How often phones were answered: any one in a day; those that are nobody's, all together, in an hour."""

from datetime import datetime, timedelta
from typing import Any
from weakref import WeakKeyDictionary

from sqlalchemy import Select, bindparam, func, literal_column, select
from sqlalchemy.orm import Session

from app.db.engine import Database
from app.db.messages import OutboundMessage, Purpose
from app.db.people import Contact
from app.db.prepared import Prepared

_NEWEST = 2_000  # texts that are looked at for the hour: enough to see any bound worth having reached
_COUNTED_AGAIN = timedelta(seconds=15)
_counts: WeakKeyDictionary[Database, tuple[datetime, int]] = WeakKeyDictionary()


_text = OutboundMessage.__table__.c


def _today() -> Select[Any]:
    newest = (
        select(_text.created_at)
        .where(_text.phone_id == bindparam("phone"), _text.purpose == literal_column("'reply'"))
        .order_by(_text.id.desc())
        .limit(literal_column("1000"))
        .subquery()
    )
    since = bindparam("since", type_=_text.created_at.type)
    return select(func.count()).select_from(newest).where(newest.c.created_at > since)


_TODAY = Prepared(lambda _: _today())


def answered_today(session: Session, phone_id: int, now: datetime) -> int:
    """Count the answers that went to a phone within a day, a thousand at most."""
    return int(_TODAY.run(session, phone=phone_id, since=now - timedelta(days=1))[0][0])


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
