"""Settle texts whose fate is unknown: ask the provider before anything is repeated."""

import logging
from collections.abc import Callable
from datetime import datetime, timedelta

from sqlalchemy import select
from sqlalchemy.orm import Session

from app.actions.asking import AT_MOST, Asking
from app.actions.each import each
from app.actions.failed_text import ask_for_a_call, expired, matters_at_once
from app.actions.line import Line
from app.actions.send_outbox import release_claims
from app.channels.base import Channel
from app.db.messages import WITHOUT_END, OutboundMessage
from app.db.people import Phone
from app.db.reading import passing_over
from app.domain.breaker import Via
from app.domain.delivery import ATTEMPTS, DeliveryState, Failure, Next, wait_before
from app.domain.silence import CLOCKS_APART
from app.domain.unreadable import UNREADABLE
from app.logs import following, request_named_by, tell

log = logging.getLogger(__name__)
CLAIM_LASTS = timedelta(minutes=3)  # no call takes this long
ASK_AFTER = timedelta(seconds=45)  # the provider's list may lag; what a dead worker held is settled in a minute
PERSON_AFTER = timedelta(minutes=15)
CANNOT_ASK = "not known whether it arrived, and the provider cannot be asked"
LONGEST = timedelta(hours=24)
NO_ANSWER = Failure(Next.ASK, "the provider gives no clear answer")


def settle_unknown(line: Line, channel: Channel, now: datetime, jitter: Callable[[], float] = lambda: 0.0) -> int:
    """Ask about every unknown text and return how many were settled: found at the provider, or sent again.

    `jitter` gives numbers from 0 to 1, as for `send_outbox`: what was lost together is not sent again together.
    """
    with line.db.read() as session:
        forgotten = session.scalars(
            select(OutboundMessage.id)
            .where(
                WITHOUT_END,
                OutboundMessage.state == DeliveryState.SENDING,
                OutboundMessage.state_at <= now - CLAIM_LASTS,
            )
            .limit(1)
        ).first()
    if forgotten is not None:  # the usual beat takes no writer's turn
        release_claims(line, now, CLAIM_LASTS)
    with line.db.read() as session:
        ids = session.scalars(
            select(OutboundMessage.id)
            .where(
                WITHOUT_END,
                OutboundMessage.state == DeliveryState.UNKNOWN,
                OutboundMessage.state_at <= now - ASK_AFTER,
            )
            .order_by(OutboundMessage.urgent.desc(), OutboundMessage.state_at, OutboundMessage.id)
            .limit(AT_MOST)
        ).all()
    asking = Asking(channel)
    return each(ids, "unknown message", lambda message_id: _settle(line, asking, message_id, now, jitter()))


@passing_over()
def _settle(line: Line, asking: Asking, message_id: int, now: datetime, jitter: float) -> bool:
    with line.db.read() as session:
        message = session.get_one(OutboundMessage, message_id)
        number = session.get_one(Phone, message.phone_id).number
        body, made_at, via = message.body, message.created_at, message.via
        others = ids_of_others(session, message)
    can_ask = UNREADABLE not in (number, body)
    found = asking.ask(lambda channel: (channel.find(number, body, made_at, others),), via) if can_ask else None
    asked, provider_id = found is not None, found[0] if found else None
    with line.db.begin() as session:
        message = session.get_one(OutboundMessage, message_id, with_for_update=True)
        if message.state is not DeliveryState.UNKNOWN:
            return False
        if provider_id and not _belongs_to_another(session, provider_id, message_id):
            message.provider_id, message.state, message.state_at = provider_id, DeliveryState.ACCEPTED, now
            message.reason = "found at the provider"
        elif asked:
            _again(session, message, now, jitter)
        else:
            if now - message.state_at >= LONGEST:
                message.state, message.state_at, message.reason = DeliveryState.UNCONFIRMED, now, CANNOT_ASK
                ask_for_a_call(session, message, CANNOT_ASK, now)
            elif now - message.created_at >= PERSON_AFTER and message.reason != CANNOT_ASK:
                message.reason = CANNOT_ASK  # once: this is looked at every few seconds
                ask_for_a_call(session, message, CANNOT_ASK, now)
            return False
        token, about = message.token, {"outbound_id": message_id, "state": message.state.value}
    with following(request_named_by(token)):
        tell(log, "unknown text settled", **about)
    return True


def _again(session: Session, message: OutboundMessage, now: datetime, jitter: float) -> None:
    """The provider certainly does not have it: send it once more, ever more slowly, with a person told in time."""
    message.state, message.state_at = DeliveryState.QUEUED, now
    message.reason = "the provider does not have it: sent again"
    message.via = Via(message.via).other if message.via else None  # the account that gave no answer is not tried twice
    message.due_at = now if message.attempts <= 1 else now + wait_before(message.attempts, NO_ANSWER, jitter)
    ends_at = message.expires_at or message.created_at + LONGEST
    if ends_at <= now:
        expired(session, message, now)
    elif message.attempts >= ATTEMPTS or matters_at_once(message):
        ask_for_a_call(session, message, "the provider gives no clear answer", now)


def ids_of_others(session: Session, message: OutboundMessage) -> list[str]:
    """Return the provider's ids of our other texts to the same phone: what it holds besides is the one we look for."""
    return list(
        session.scalars(
            select(OutboundMessage.provider_id).where(
                OutboundMessage.phone_id == message.phone_id,
                OutboundMessage.id != message.id,
                OutboundMessage.provider_id.is_not(None),
                OutboundMessage.created_at >= message.created_at - CLOCKS_APART - LONGEST,
            )
        )
    )


def _belongs_to_another(session: Session, provider_id: str, message_id: int) -> bool:
    other = select(OutboundMessage.id).where(
        OutboundMessage.provider_id == provider_id, OutboundMessage.id != message_id
    )
    return session.execute(other).first() is not None
