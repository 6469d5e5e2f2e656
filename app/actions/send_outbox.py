"""Send what is owed: claim and commit, one call to the provider with no transaction held, record the result."""

import logging
from collections.abc import Callable
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from time import monotonic, sleep
from typing import Any

from sqlalchemy import bindparam, update
from sqlalchemy.orm import Session

from app.actions.claim import Picked, ToSend, anything_due, claim
from app.actions.failed_text import by_other_way, refused_for_good, refused_for_now
from app.actions.line import Line
from app.actions.ways import Way, note_fault, note_success
from app.channels.base import Accepted, Channel, ChannelError, NotSent, OptedOut, Outgoing, Rejected, Unknown
from app.db.messages import WITHOUT_END, OutboundMessage
from app.db.prepared import Prepared
from app.db.tally import count_provider_error
from app.db.turns import slow_down
from app.domain.delivery import DeliveryState, Failure, Next, moves
from app.logs import following, request_named_by, tell

log = logging.getLogger(__name__)
SENDERS = 16
AHEAD = 8  # claimed while all senders are busy, so that none waits for a claim; few, for a claim lasts only minutes
BEAT_SECONDS = 30  # then the next beat goes on
LOOK_AGAIN_SECONDS = 1  # for a page that fell due while a slow call is under way
LOST = Unknown(Failure(Next.ASK, "the provider's answer was lost", of_account=True))


@dataclass(frozen=True)
class Claimed:
    message_id: int
    outgoing: Outgoing
    token: str = field(repr=False)
    way: Way
    proves: tuple[str, ...]  # the keys of accounts and senders that a success says are well
    about: dict[str, Any]  # for the log: ids and states


def send_outbox(
    line: Line,
    channel: Channel,
    now: datetime,
    *,
    senders: int = SENDERS,
    steady: Callable[[], float] = monotonic,
    pause: Callable[[float], None] = sleep,
    jitter: Callable[[], float] = lambda: 0.0,
) -> int:
    """Send every text that is due, urgent ones first; return how many the provider took.

    A crash between the call and its record leaves the row claimed: `settle_unknown` asks the provider about it.
    `steady` counts the seconds that a beat takes, and `pause` lets some pass; under a virtual clock it takes none.
    `jitter` gives numbers from 0 to 1: by so much of a quarter a refused text waits longer, so that not all come back
    at once.
    """
    if not anything_due(line, now):
        return 0  # the usual beat takes no writer's turn
    began = steady()

    def at() -> datetime:
        """The line's time now: a beat may last half a minute, and what it records is dated when it happened."""
        return now + timedelta(seconds=int(steady() - began))

    def exactly() -> datetime:
        return now + timedelta(seconds=steady() - began)

    send = _Sending(line, channel, at, jitter).one
    taken, turn, running = 0, int(now.timestamp()), set[Future[bool]]()
    picked, claim_at = Picked(more=True), now
    with ThreadPoolExecutor(senders) as pool:
        while True:
            room = senders + AHEAD - len(running)
            goes_on = steady() - began < BEAT_SECONDS
            ready = picked.more or exactly() >= claim_at
            if goes_on and room >= AHEAD and ready and (picked.more or anything_due(line, at())):
                # a slow call holds up no other: whoever is done finds the next one claimed
                picked, claimed = _claim(line, at(), exactly(), room, turn)
                turn += bool(claimed)
                claim_at = min(picked.free_at or now, exactly() + timedelta(seconds=LOOK_AGAIN_SECONDS))
                running |= {pool.submit(send, one) for one in claimed}
            until_turn = max((claim_at - exactly()).total_seconds(), 0.001) if picked.free_at else LOOK_AGAIN_SECONDS
            if running:
                done, running = wait(running, until_turn, FIRST_COMPLETED)
                taken += sum(sent.result() for sent in done)
            elif not goes_on or not (picked.more or picked.free_at):
                return taken
            elif not picked.more:  # every text that is due waits for its sender's turn
                before = steady()
                pause(until_turn)
                if steady() == before:
                    return taken  # a clock that stands still brings no turn


def _claim(line: Line, now: datetime, exactly: datetime, limit: int, turn: int) -> tuple[Picked, list[Claimed]]:
    with line.db.begin() as session:
        picked = claim(line, session, now, limit, turn, exactly)
        claimed = [
            Claimed(
                one.message.id,
                _outgoing(line, one, now),
                one.message.token,
                one.way,
                one.proves,
                _about(one.message),
            )
            for one in picked.claimed
        ]
        return picked, claimed


def _outgoing(line: Line, one: ToSend, now: datetime) -> Outgoing:
    message, validity = one.message, None
    if message.expires_at is not None:
        validity = max(1, min(int((message.expires_at - now).total_seconds()), 36_000))
    callback = f"{line.public_url}/twilio/status?m={message.token}"
    return Outgoing(one.number, message.body, callback, one.way.sender, validity, one.way.via)


def _about(message: OutboundMessage) -> dict[str, Any]:
    return {"outbound_id": message.id, "purpose": message.purpose.value, "task_id": message.task_id}


@dataclass(frozen=True)
class _Sending:
    """Hands claimed texts over and records what became of each: one a beat, for all its threads."""

    line: Line
    channel: Channel
    at: Callable[[], datetime]
    jitter: Callable[[], float]
    well_at: dict[str, datetime] = field(default_factory=dict)  # when each account and sender last took a text

    def one(self, claimed: Claimed) -> bool:
        with following(request_named_by(claimed.token)):
            return self._hand_over(claimed)

    def _hand_over(self, claimed: Claimed) -> bool:
        try:
            accepted = self.channel.send(claimed.outgoing)
        except ChannelError as error:
            log.warning("text not sent: %s", error.failure.next, extra=claimed.about | {"code": error.code})
            self._record_failed(claimed, error)
            return False
        except Exception as error:  # whatever it was, the provider may hold the text
            log.error("sending message %s: %s", claimed.message_id, type(error).__name__)
            self._record_failed(claimed, LOST)
            return False
        self.well_at.update(dict.fromkeys(claimed.way.keys, self.at()))
        if not _record_accepted(self.line, claimed.message_id, accepted, self.at()):
            _record(self.line, claimed.message_id, lambda _, message: _accepted(message, accepted, self.at()))
        if claimed.proves:
            with self.line.db.begin() as session:
                note_success(session, claimed.proves, self.at())
        tell(log, "text sent", **claimed.about)
        return True

    def _record_failed(self, claimed: Claimed, error: ChannelError) -> None:
        _record(self.line, claimed.message_id, lambda session, message: self._failed(session, message, error, claimed))

    def _failed(self, session: Session, message: OutboundMessage, error: ChannelError, claimed: Claimed) -> None:
        now, jitter, via = self.at(), self.jitter(), claimed.way.via
        other_way = message.urgent and error.failure.of_account and bool(self.line.second_sender)
        _follow_up(session, message, error, now, jitter, other_way=other_way)
        if error.failure.slows and claimed.way.paced_as:
            free_at = slow_down(session, claimed.way.paced_as, now, error.retry_after, jitter)
            if message.state is DeliveryState.QUEUED and message.urgent:
                message.due_at = min(message.due_at, free_at)  # it goes as soon as anything does
        failing = note_fault(self.line, session, claimed.way, error.failure, now, well_at=self.well_at)
        if message.state is DeliveryState.QUEUED and (other_way or failing):
            by_other_way(session, message, via.other, now)
        count_provider_error(session, error.failure.next.name.lower(), error.code)


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


def _follow_up(
    session: Session, message: OutboundMessage, error: ChannelError, now: datetime, jitter: float, *, other_way: bool
) -> None:
    if message.state is not DeliveryState.SENDING:
        return  # a callback knew better
    message.error_code, message.reason = error.code, error.failure.reason
    match error:
        case NotSent():
            refused_for_now(session, message, error.failure, now, jitter, other_way=other_way)
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
