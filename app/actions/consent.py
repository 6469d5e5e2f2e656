"""Opting out and in: a history of who, when, how and in which words, and what follows for texts that wait."""

from datetime import datetime

from sqlalchemy import bindparam, update
from sqlalchemy.orm import Session

from app.actions.audit import audit
from app.actions.outbox import taking_back, withdraw
from app.db.messages import ASKED_FOR, OutboundMessage
from app.db.people import ConsentEvent, ConsentKind, Phone

_ROUTINE = taking_back(OutboundMessage.phone_id == bindparam("phone"), OutboundMessage.purpose.in_(ASKED_FOR))


def opt_out(
    session: Session,
    now: datetime,
    phone_id: int,
    source: str,
    *,
    words: str | None = None,
    inbound_id: int | None = None,
) -> None:
    """Record it and take back what waits for this phone. The first time counts; each word of it is kept."""
    session.add(
        ConsentEvent(
            phone_id=phone_id, kind=ConsentKind.OPT_OUT, at=now, source=source, words=words, inbound_id=inbound_id
        )
    )
    session.execute(update(Phone).where(Phone.id == phone_id, Phone.opted_out_at.is_(None)).values(opted_out_at=now))
    withdraw(session, now, "opted out", _ROUTINE, phone=phone_id)
    audit(session, now, f"phone:{phone_id}", "opted out", f"phone:{phone_id}", source=source)


def opt_in(
    session: Session,
    now: datetime,
    phone_id: int,
    source: str,
    *,
    words: str | None = None,
    inbound_id: int | None = None,
    staff_id: int | None = None,
) -> None:
    session.add(
        ConsentEvent(
            phone_id=phone_id,
            kind=ConsentKind.OPT_IN,
            at=now,
            source=source,
            words=words,
            inbound_id=inbound_id,
            staff_id=staff_id,
        )
    )
    session.execute(update(Phone).where(Phone.id == phone_id).values(opted_out_at=None))
    audit(session, now, f"phone:{phone_id}", "opted in", f"phone:{phone_id}", source=source)
