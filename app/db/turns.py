"""When each sender may send again: one row a sender, the same for every machine."""

from collections.abc import Collection
from datetime import datetime, timedelta

from sqlalchemy import select
from sqlalchemy.orm import Mapped, Session, mapped_column

from app.db.base import Base
from app.db.inserts import insert_once
from app.domain.rate import SLOWED_AFRESH, slowed_for


class SenderTurn(Base):
    """A sender whose pace is limited, or whom its provider asked to slow down."""

    __tablename__ = "sender_turn"
    sender: Mapped[str] = mapped_column(primary_key=True)  # our own number, short code or Messaging Service
    free_at: Mapped[datetime]
    slowed: Mapped[int] = mapped_column(default=0)  # refusals in a row for being too fast
    slowed_at: Mapped[datetime | None]  # the last of them


def turns_of(session: Session, senders: set[str], now: datetime) -> dict[str, SenderTurn]:
    """Return the rows of these senders, locked for this transaction, always in the same order."""
    query = select(SenderTurn).where(SenderTurn.sender.in_(senders)).order_by(SenderTurn.sender).with_for_update()
    found = {turn.sender: turn for turn in session.scalars(query)}
    for sender in sorted(senders - found.keys()):
        insert_once(session, SenderTurn, ("sender",), sender=sender, free_at=now, slowed=0)
    if senders - found.keys():
        found = {turn.sender: turn for turn in session.scalars(query)}
    return found


def held_until(session: Session, senders: Collection[str], now: datetime) -> dict[str, datetime]:
    """Return which of these senders, who have no pace of their own, must wait now, and until when."""
    query = select(SenderTurn.sender, SenderTurn.free_at).where(
        SenderTurn.sender.in_(senders), SenderTurn.free_at > now
    )
    return dict(session.execute(query).all()) if senders else {}


def slow_down(session: Session, sender: str, now: datetime, told: timedelta | None, jitter: float) -> datetime:
    """Hold a sender back on every machine, for its provider refused it for being too fast; return until when."""
    turn = turns_of(session, {sender}, now)[sender]
    in_a_row = turn.slowed_at is not None and now - turn.slowed_at < SLOWED_AFRESH
    if not in_a_row or turn.free_at <= now:  # texts that were under way together are one refusal
        turn.slowed = turn.slowed + 1 if in_a_row else 1
    turn.slowed_at = now
    turn.free_at = max(turn.free_at, now + slowed_for(turn.slowed, told, jitter))
    return turn.free_at
