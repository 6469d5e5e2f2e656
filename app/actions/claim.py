"""Which texts leave next: urgent ones first, every clinic in its turn, no sender faster than it may."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from math import ceil
from typing import Any

from sqlalchemy import Row, bindparam, exists, literal_column, select, text
from sqlalchemy.orm import Session

from app.actions.failed_text import expired, put_off_unreadable
from app.actions.line import Line
from app.actions.still_right import Cause, StepCause, causes_of, step_causes_of
from app.actions.ways import Way, Ways, ways_now
from app.db import reading
from app.db.crypto import WrongDataKey
from app.db.messages import ASKED_FOR, OutboundMessage
from app.db.people import Clinic, Phone
from app.db.turns import SenderTurn, held_until, turns_of
from app.domain.delivery import DeliveryState
from app.domain.rate import take_turn

A_HAIR_SLOWER = 0.99  # threads hand texts over a little unevenly, and the limit is never to be exceeded
_QUEUED = text("outbound_message.state = 'queued'")  # as the partial index is written
_IS_DUE = (_QUEUED, OutboundMessage.due_at <= bindparam("now"))
_DUE = select(OutboundMessage.id).where(*_IS_DUE).limit(1)
_OF_CLINIC = exists(literal_column("1")).where(*_IS_DUE, OutboundMessage.clinic_id == Clinic.id)
_CLINICS = (
    select(Clinic.id, Clinic.sender, _OF_CLINIC.where(OutboundMessage.urgent.is_(True)).label("urgent"))
    .where(_OF_CLINIC)
    .order_by(Clinic.id)
)
_TEXT = select(OutboundMessage, Phone.number, Phone.opted_out_at).join(Phone, Phone.id == OutboundMessage.phone_id)
_CLAIM = (
    _TEXT.where(
        *_IS_DUE, OutboundMessage.clinic_id == bindparam("clinic"), OutboundMessage.urgent == bindparam("urgent")
    )
    .order_by(OutboundMessage.due_at, OutboundMessage.id)
    .limit(bindparam("most"))
    .with_for_update(of=OutboundMessage, skip_locked=True)
)
_CLAIM_IDS = _CLAIM.with_only_columns(OutboundMessage.id)
_CLAIM_ONE = _TEXT.where(OutboundMessage.id == bindparam("message"))


@dataclass(frozen=True)
class ToSend:
    message: OutboundMessage
    number: str
    way: Way
    proves: tuple[str, ...]  # what a success says is well again: accounts and senders by their keys


@dataclass
class Picked:
    """`more`: there may be more to claim at once; `free_at`: when a sender that is not free yet will be."""

    claimed: list[ToSend] = field(default_factory=list)
    more: bool = False
    free_at: datetime | None = None


def anything_due(line: Line, now: datetime) -> bool:
    with line.db.read() as session:
        return session.execute(_DUE, {"now": now}).first() is not None


def claim(line: Line, session: Session, now: datetime, limit: int, turn: int, exactly: datetime) -> Picked:
    """Claim at most `limit` due texts. With the next `turn` another clinic comes first.

    `exactly`: now, to the fraction of a second that a sender's turn takes.
    """
    clinics = session.execute(_CLINICS, {"now": now}).all()
    first = turn % len(clinics) if clinics else 0
    clinics = [*clinics[first:], *clinics[:first]]
    ways = ways_now(line, session, exactly)
    pace = _Pace(line, session, ways.senders(clinic.sender for clinic in clinics), exactly)
    picked, looked_at = Picked(), 0
    for urgent in (True, False):
        waiting = [clinic for clinic in clinics if clinic.urgent or not urgent]
        for place, clinic in enumerate(waiting):
            share = ceil((limit - looked_at) / (len(waiting) - place))
            if share <= 0:
                picked.more = True
                break
            if not any(pace.is_free(sender) for sender in ways.possible(clinic.id, clinic.sender, urgent=urgent)):
                continue
            wanted = {"now": now, "clinic": clinic.id, "urgent": urgent, "most": share}
            rows = _readable(session, wanted, now)
            looked_at += len(rows)
            got_on = _settle(session, rows, clinic.sender, ways, pace, picked, now)
            picked.more = picked.more or (got_on and len(rows) == share)
    picked.free_at = pace.free_at()
    return picked


@reading.exactly()  # whoever asks: what leaves is what was kept
def _readable(
    session: Session, wanted: dict[str, Any], now: datetime
) -> Sequence[Row[OutboundMessage, str, datetime | None]]:
    """Return the next texts; one whose words or number cannot be opened stops no other, and waits with a nurse told."""
    try:
        return session.execute(_CLAIM, wanted).all()
    except WrongDataKey:
        found = []
        for message_id in session.scalars(_CLAIM_IDS, wanted).all():
            try:
                found.append(session.execute(_CLAIM_ONE, {"message": message_id}).one())
            except WrongDataKey:
                put_off_unreadable(session, message_id, now)
        return found


def _settle(
    session: Session,
    rows: Sequence[Row[OutboundMessage, str, datetime | None]],
    sender: str | None,
    ways: Ways,
    pace: "_Pace",
    picked: Picked,
    now: datetime,
) -> bool:
    """Claim those that are ours to send now; what is no longer right, or not yet, is settled without a call.

    Return whether anything became of any of them: else all wait for their senders' turns.
    """
    got_on = False
    causes = causes_of(session, [row[0].reminder_id for row in rows if row[0].reminder_id is not None])
    steps = step_causes_of(session, [row[0].care_step_id for row in rows if row[0].care_step_id is not None])
    for message, number, opted_out_at in rows:
        cause = causes.get(message.reminder_id or 0) or steps.get(message.care_step_id or 0)
        if _kept_back(session, message, cause, opted_out_at, now):
            got_on = True
            continue
        way = ways.way_of(message, sender)
        if not pace.takes(way.paced_as, message.segments):
            if ways.one_only:
                break
            continue  # the next may leave by the other account
        ways.taken(message, way)
        message.state, message.state_at = DeliveryState.SENDING, now
        message.attempts += 1  # counted before the call: a text that kills its sender is counted too
        picked.claimed.append(ToSend(message, number, way, proves=ways.to_prove(way)))
        got_on = True
    return got_on


def _kept_back(
    session: Session,
    message: OutboundMessage,
    cause: Cause | StepCause | None,
    opted_out_at: datetime | None,
    now: datetime,
) -> bool:
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
        return False
    return True


class _Pace:
    """The turns of this claim's senders: of those with a limit, and of those that were asked to slow down."""

    def __init__(self, line: Line, session: Session, names: set[str], now: datetime) -> None:
        self._line, self._now = line, now
        limited = {name for name in names if self._per_second(name)}
        self._held = held_until(session, names - limited, now)
        self._turns: dict[str, SenderTurn] = turns_of(session, limited, now) if limited else {}
        self._refused: set[str] = set()

    def _per_second(self, sender: str) -> float:
        return self._line.rates.of(sender) * A_HAIR_SLOWER if sender else 0

    def is_free(self, name: str) -> bool:
        turn = self._turns.get(name)
        if name not in self._held and (turn is None or turn.free_at <= self._now):
            return True
        self._refused.add(name)
        return False

    def takes(self, name: str, segments: int) -> bool:
        if name in self._held:
            self._refused.add(name)
            return False
        turn = self._turns.get(name)
        if turn is None:
            return True
        free_at = take_turn(turn.free_at, self._now, segments, self._per_second(turn.sender))
        if free_at is None:
            self._refused.add(turn.sender)
            return False
        turn.free_at = free_at
        return True

    def free_at(self) -> datetime | None:
        """Return when the first of those that had to wait is free."""
        return min((self._held.get(name) or self._turns[name].free_at for name in self._refused), default=None)
