"""Send what is owed: claim and commit, one call to the provider with no transaction held, record the result."""

import logging
from collections.abc import Callable
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from time import monotonic
from typing import Any

from sqlalchemy import bindparam, select, update
from sqlalchemy.orm import Session

from app.actions.failed_text import expired, refused_for_good, refused_for_now
from app.actions.line import Line
from app.actions.still_right import causes_of, step_causes_of
from app.channels.base import Accepted, Channel, ChannelError, NotSent, OptedOut, Outgoing, Rejected, Unknown
from app.db.messages import ASKED_FOR, WITHOUT_END, OutboundMessage
from app.db.people import Clinic, Phone
from app.db.prepared import Prepared
from app.db.tally import count_provider_error
from app.domain.delivery import DeliveryState, Next, moves
from app.logs import following, request_named_by, tell

log = logging.getLogger(__name__)
SENDERS = 16
AHEAD = 8  # claimed while all senders are busy, so that none waits for a claim; few, for a claim lasts only minutes
BEAT_SECONDS = 30  # then the next beat goes on
LOOK_AGAIN_SECONDS = 1  # for a page that fell due while a slow call is under way
LOST = "the provider's answer was lost"


@dataclass(frozen=True)
class Claimed:
    message_id: int
    outgoing: Outgoing
    token: str = field(repr=False)
    about: dict[str, Any]  # for the log: ids and states


def send_outbox(
    line: Line,
    channel: Channel,
    now: datetime,
    *,
    senders: int = SENDERS,
    steady: Callable[[], float] = monotonic,
) -> int:
    """Send every text that is due, urgent ones first; return how many the provider took.

    A crash between the call and its record leaves the row claimed: `settle_unknown` asks the provider about it.
    `steady` counts the seconds that a beat takes; under a virtual clock it takes none.
    """
    if not _anything_due(line, now):
        return 0  # the usual beat takes no writer's turn
    began = steady()

    def at() -> datetime:
        """The line's time now: a beat may last half a minute, and what it records is dated when it happened."""
        return now + timedelta(seconds=int(steady() - began))

    send = _one(line, channel, at)
    taken, more, running = 0, True, set[Future[bool]]()
    with ThreadPoolExecutor(senders) as pool:
        while True:
            room = senders + AHEAD - len(running)
            goes_on = steady() - began < BEAT_SECONDS
            if goes_on and room >= AHEAD and (more or _anything_due(line, at())):
                # a slow call holds up no other: whoever is done finds the next one claimed
                seen, claimed = _claim(line, at(), room)
                more = seen == room
                running |= {pool.submit(send, one) for one in claimed}
            if not running and not (more and goes_on):
                return taken
            done, running = wait(running, LOOK_AGAIN_SECONDS, FIRST_COMPLETED) if running else (set(), running)
            taken += sum(sent.result() for sent in done)


_IS_DUE = (OutboundMessage.state == DeliveryState.QUEUED, OutboundMessage.due_at <= bindparam("now"))
_DUE = select(OutboundMessage.id).where(*_IS_DUE).limit(1)
_CLAIM = (
    select(OutboundMessage, Phone.number, Phone.opted_out_at, Clinic.sender)
    .join(Phone, Phone.id == OutboundMessage.phone_id)
    .join(Clinic, Clinic.id == OutboundMessage.clinic_id)
    .where(*_IS_DUE)
    .order_by(OutboundMessage.urgent.desc(), OutboundMessage.due_at, OutboundMessage.id)
    .limit(bindparam("most"))
    .with_for_update(of=OutboundMessage, skip_locked=True)
)


def _anything_due(line: Line, now: datetime) -> bool:
    with line.db.read() as session:
        return session.execute(_DUE, {"now": now}).first() is not None


def _claim(line: Line, now: datetime, limit: int) -> tuple[int, list[Claimed]]:
    """Return how many due texts were looked at, and those of them that are ours to send."""
    with line.db.begin() as session:
        rows = session.execute(_CLAIM, {"now": now, "most": limit}).all()
        causes = causes_of(session, [row[0].reminder_id for row in rows if row[0].reminder_id is not None])
        steps = step_causes_of(session, [row[0].care_step_id for row in rows if row[0].care_step_id is not None])
        claimed = []
        for message, number, opted_out_at, sender in rows:
            cause = causes.get(message.reminder_id or 0) or steps.get(message.care_step_id or 0)
            cause = cause if message.purpose in ASKED_FOR else None
            if message.expires_at is not None and message.expires_at <= now:
                expired(session, message, now)
            elif opted_out_at is not None and message.purpose in ASKED_FOR:
                message.state, message.state_at, message.reason = DeliveryState.WITHDRAWN, now, "opted out"
            elif cause and (why := cause.wrong_by_now()):
                message.state, message.state_at, message.reason = DeliveryState.WITHDRAWN, now, why
            elif cause and not message.urgent and (allowed_at := cause.allowed_at(now)) > now:
                message.due_at = allowed_at
            else:
                message.state, message.state_at = DeliveryState.SENDING, now
                message.attempts += 1  # counted before the call: a text that kills its sender is counted too
                claimed.append(
                    Claimed(message.id, _outgoing(line, message, number, sender, now), message.token, _about(message))
                )
        return len(rows), claimed


def _outgoing(line: Line, message: OutboundMessage, number: str, sender: str | None, now: datetime) -> Outgoing:
    validity = None
    if message.expires_at is not None:
        validity = max(1, min(int((message.expires_at - now).total_seconds()), 36_000))
    callback = f"{line.public_url}/twilio/status?m={message.token}"
    return Outgoing(number, message.body, callback, sender, validity)


def _about(message: OutboundMessage) -> dict[str, Any]:
    return {"outbound_id": message.id, "purpose": message.purpose.value, "task_id": message.task_id}


def _one(line: Line, channel: Channel, at: Callable[[], datetime]) -> Callable[[Claimed], bool]:
    def send(claimed: Claimed) -> bool:
        with following(request_named_by(claimed.token)):
            return hand_over(claimed)

    def hand_over(claimed: Claimed) -> bool:
        try:
            accepted = channel.send(claimed.outgoing)
        except ChannelError as error:
            refusal = error
            log.warning("text not sent: %s", refusal.failure.next, extra=claimed.about | {"code": refusal.code})
            _record(line, claimed.message_id, lambda session, message: _failed(session, message, refusal, at()))
            return False
        except Exception as error:  # whatever it was, the provider may hold the text
            log.error("sending message %s: %s", claimed.message_id, type(error).__name__)
            _record(line, claimed.message_id, lambda session, message: _lost(session, message, at()))
            return False
        if not _record_accepted(line, claimed.message_id, accepted, at()):
            _record(line, claimed.message_id, lambda _, message: _accepted(message, accepted, at()))
        tell(log, "text sent", **claimed.about)
        return True

    return send


def _record(line: Line, message_id: int, change: Callable[[Session, OutboundMessage], None]) -> None:
    with line.db.begin() as session:
        change(session, session.get_one(OutboundMessage, message_id, with_for_update=True))


_messages = OutboundMessage.__table__.c
_ACCEPTED = Prepared(
    lambda _: (
        update(OutboundMessage.__table__)
        .where(
            _messages.id == bindparam("message"), _messages.state == bindparam("claimed", type_=_messages.state.type)
        )
        .returning(_messages.id)
    ),
    ("provider_id", "segments", "state", "state_at", "reason"),
)


def _record_accepted(line: Line, message_id: int, accepted: Accepted, now: datetime) -> bool:
    """Record what nearly always happens, shortly; False where a status callback was faster than our record."""
    if not accepted.segments:
        return False
    with line.db.begin() as session:
        recorded = _ACCEPTED.run(
            session,
            message=message_id,
            claimed=DeliveryState.SENDING,
            provider_id=accepted.provider_id,
            segments=accepted.segments,
            state=DeliveryState.ACCEPTED,
            state_at=now,
            reason=None,
        )
        return bool(recorded)


def _accepted(message: OutboundMessage, accepted: Accepted, now: datetime) -> None:
    message.provider_id, message.segments = accepted.provider_id, accepted.segments or message.segments
    if moves(message.state, DeliveryState.ACCEPTED):  # a status callback may have been faster than our record
        message.state, message.state_at, message.reason = DeliveryState.ACCEPTED, now, None


def _unknown(message: OutboundMessage, reason: str, now: datetime) -> None:
    if moves(message.state, DeliveryState.UNKNOWN):
        message.state, message.state_at, message.reason = DeliveryState.UNKNOWN, now, reason


def _lost(session: Session, message: OutboundMessage, now: datetime) -> None:
    _unknown(message, LOST, now)
    count_provider_error(session, Next.ASK.name.lower(), None)


def _failed(session: Session, message: OutboundMessage, error: ChannelError, now: datetime) -> None:
    _follow_up(session, message, error, now)
    count_provider_error(session, error.failure.next.name.lower(), error.code)


def _follow_up(session: Session, message: OutboundMessage, error: ChannelError, now: datetime) -> None:
    if message.state is not DeliveryState.SENDING:
        return  # a callback knew better
    message.error_code, message.reason = error.code, error.failure.reason
    match error:
        case NotSent():
            refused_for_now(session, message, error.failure, now)
        case Rejected() | OptedOut():
            refused_for_good(session, message, error.failure, now)
        case Unknown():
            _unknown(message, error.failure.reason, now)


def release_claims(line: Line, now: datetime, older_than: timedelta) -> int:
    """Turn claims that nobody recorded (a crash in the middle) into *unknown*; return how many."""
    with line.db.begin() as session:
        result = session.execute(
            update(OutboundMessage)
            .where(
                WITHOUT_END,
                OutboundMessage.state == DeliveryState.SENDING,
                OutboundMessage.state_at <= now - older_than,
            )
            .values(state=DeliveryState.UNKNOWN, reason="we stopped while sending it")
            .returning(OutboundMessage.id)
        )
        return len(result.all())
