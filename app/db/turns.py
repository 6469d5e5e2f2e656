"""When each sender may send again: one row a sender, the same for every machine."""

from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Mapped, Session, mapped_column

from app.db.base import Base
from app.db.inserts import insert_once


class SenderTurn(Base):
    """A sender whose pace is limited."""

    __tablename__ = "sender_turn"
    sender: Mapped[str] = mapped_column(primary_key=True)  # our own number, short code or Messaging Service
    free_at: Mapped[datetime]


def turns_of(session: Session, senders: set[str], now: datetime) -> dict[str, SenderTurn]:
    """Return the rows of these senders, locked for this transaction, always in the same order."""
    query = select(SenderTurn).where(SenderTurn.sender.in_(senders)).order_by(SenderTurn.sender).with_for_update()
    found = {turn.sender: turn for turn in session.scalars(query)}
    for sender in sorted(senders - found.keys()):
        insert_once(session, SenderTurn, ("sender",), sender=sender, free_at=now)
    if senders - found.keys():
        found = {turn.sender: turn for turn in session.scalars(query)}
    return found
