"""Settle texts that are on their way and of which nobody reports anything: the provider is asked about each."""

from collections.abc import Callable
from datetime import datetime, timedelta

from sqlalchemy import or_, select
from sqlalchemy.orm import Session

from app.actions.asking import AT_MOST, Asking
from app.actions.each import each
from app.actions.failed_text import ask_for_a_call, expired, matters_at_once
from app.actions.line import Line
from app.actions.record_status import StatusReport, record_status
from app.actions.settle_unknown import CANNOT_ASK, ids_of_others
from app.channels.base import Channel, Told
from app.db.messages import ON_THE_WAY, OutboundMessage, Purpose
from app.db.people import Phone
from app.db.reading import passing_over
from app.domain.delivery import DeliveryState
from app.domain.silence import (
    ANSWER_HELPS,
    ASK_UNTIL,
    PERSON_AFTER,
    SAFETY_HELPS,
    SILENT_FOR,
    ask_again_in,
    still_helps,
)
from app.domain.unreadable import UNREADABLE

Ask = Callable[[Channel], tuple[str | None, Told | None]]
Change = Callable[[Session, OutboundMessage, datetime], bool]
NEVER_LEFT = "the answer to the webhook never arrived: sent as a text of its own"
NOBODY_SAID = "nobody said whether it arrived"
NOT_KNOWN = "the provider knows nothing of it"


def settle_silent(line: Line, channel: Channel, now: datetime) -> int:
    """Ask about every text without a report for a minute, then ever more rarely; return how many got further.

    An answer that was handed over in a webhook's answer and is not at the provider goes out as a text of its own.
    """
    if line.channel == "simulator":
        return 0  # its carrier reports everything within seconds
    with line.db.read() as session:
        ids = session.scalars(
            select(OutboundMessage.id)
            .where(
                ON_THE_WAY,
                OutboundMessage.state_at <= now - SILENT_FOR,
                or_(OutboundMessage.ask_at.is_(None), OutboundMessage.ask_at <= now),
            )
            .order_by(OutboundMessage.urgent.desc(), OutboundMessage.id)
            .limit(AT_MOST)
        ).all()
    asking = Asking(channel)
    return each(ids, "silent message", lambda message_id: _settle(line, asking, message_id, now))


def _settle(line: Line, asking: Asking, message_id: int, now: datetime) -> bool:
    token, handed_over, known, via, ask = _question(line, message_id)
    answer = asking.ask(ask, via) if ask else None
    if answer is None:
        return _changed(line, message_id, now, _cannot_ask)
    provider_id, told = answer
    if told is None:
        return _changed(line, message_id, now, _never_left if handed_over and provider_id is None else _not_known)
    report = StatusReport(
        told.status, token=token, provider_id=provider_id, error_code=told.error_code, by_words=not known
    )
    moved = record_status(line, report, now)
    return _changed(line, message_id, now, _look_later) or moved


@passing_over()
def _question(line: Line, message_id: int) -> tuple[str, bool, bool, str | None, Ask | None]:
    """Return the text's token, whether it was handed over in an answer, whether its id is known, and whom to ask about
    it and how: not at all where it can be looked for by its words only, and they or the number cannot be read."""
    with line.db.read() as session:
        message = session.get_one(OutboundMessage, message_id)
        number = session.get_one(Phone, message.phone_id).number
        made_at = message.created_at
        others = ids_of_others(session, message)
        known, body = message.provider_id, message.body
        token, handed_over = message.token, message.state is DeliveryState.HANDED_OVER
        via = message.via

    def ask(channel: Channel) -> tuple[str | None, Told | None]:
        provider_id = known or channel.find(number, body, made_at, others)
        return provider_id, channel.told_of(provider_id) if provider_id else None

    can_ask = known or UNREADABLE not in (number, body)
    return token, handed_over, known is not None, via, ask if can_ask else None


@passing_over()
def _changed(line: Line, message_id: int, now: datetime, change: Change) -> bool:
    """Change the text in a transaction of its own, where it is still as silent as before the provider was asked."""
    with line.db.begin() as session:
        message = session.get_one(OutboundMessage, message_id, with_for_update=True)
        if message.state not in (DeliveryState.HANDED_OVER, DeliveryState.ACCEPTED, DeliveryState.SENT):
            return False
        return change(session, message, now)


def _never_left(session: Session, message: OutboundMessage, now: datetime) -> bool:
    """The provider certainly does not have it: the answer to the webhook was lost on its way.

    Unless somebody else found that too while we asked, and it has gone since.
    """
    if message.state is not DeliveryState.HANDED_OVER or message.provider_id is not None:
        return False
    if not still_helps(_age(message, now), urgent=message.urgent):
        expired(session, message, now)
        return True
    message.state, message.state_at, message.due_at = DeliveryState.QUEUED, now, now
    message.reason, message.via = NEVER_LEFT, None
    helps = SAFETY_HELPS if message.urgent else ANSWER_HELPS
    ends_at = message.created_at + helps  # sooner than an answer that says to which text it comes late
    message.expires_at = min(message.expires_at or ends_at, ends_at)
    return True


def _look_later(session: Session, message: OutboundMessage, now: datetime) -> bool:
    """The provider holds it, and does not know more than we do."""
    age = _age(message, now)
    if message.state is DeliveryState.HANDED_OVER and message.provider_id:
        message.state, message.reason = DeliveryState.ACCEPTED, "found at the provider"
    if age >= ASK_UNTIL:
        return _ends(message, NOBODY_SAID, now)
    _tell_a_nurse(session, message, NOBODY_SAID, now)
    message.ask_at = now + ask_again_in(age)
    return False


def _cannot_ask(session: Session, message: OutboundMessage, now: datetime) -> bool:
    age = _age(message, now)
    if age >= ASK_UNTIL:
        ask_for_a_call(session, message, CANNOT_ASK, now)
        return _ends(message, CANNOT_ASK, now)
    _tell_a_nurse(session, message, CANNOT_ASK, now)
    message.ask_at = now + min(ask_again_in(age), PERSON_AFTER)
    return False


def _not_known(session: Session, message: OutboundMessage, now: datetime) -> bool:
    """It was taken, we have its id, and the provider denies it: nobody will ever know more."""
    ask_for_a_call(session, message, NOT_KNOWN, now)
    return _ends(message, NOT_KNOWN, now)


def _ends(message: OutboundMessage, reason: str, now: datetime) -> bool:
    message.state, message.state_at, message.reason = DeliveryState.UNCONFIRMED, now, reason
    return True


def _age(message: OutboundMessage, now: datetime) -> timedelta:
    """Since when it could have arrived: a text may have waited for its hour."""
    return now - message.due_at


def _tell_a_nurse(session: Session, message: OutboundMessage, reason: str, now: datetime) -> None:
    """Once: a safety text, or an answer that may never have left, of which nothing is known for too long."""
    if message.state is DeliveryState.SENT or message.purpose is Purpose.PAGE:
        return  # the carrier has it; a page comes again by itself
    matters = matters_at_once(message) or message.state is DeliveryState.HANDED_OVER
    if matters and _age(message, now) >= PERSON_AFTER and message.reason != reason:
        message.reason = reason
        ask_for_a_call(session, message, reason, now)
