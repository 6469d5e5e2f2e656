"""By which account a text leaves: the first one, the second while that fails, and back again."""

import logging
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime

from sqlalchemy import bindparam, select, text, update
from sqlalchemy.orm import Session

from app.actions.line import Line
from app.db.among import among
from app.db.messages import OutboundMessage, Purpose
from app.db.provider_account import breakers, change_breaker
from app.db.types import Instant
from app.domain.breaker import Breaker, Via, after_fault, after_success, after_trial_began, way_for
from app.domain.delivery import Failure
from app.logs import tell

log = logging.getLogger(__name__)
# what it refused before it was known to fail: whether they may go at this hour is asked when they are claimed
_WAIT_FOR_IT = (
    select(OutboundMessage.id)
    .where(
        text("outbound_message.state = 'queued'"),
        OutboundMessage.via == bindparam("failing"),
        OutboundMessage.attempts > 0,
        OutboundMessage.due_at > bindparam("now", type_=Instant()),
    )
    .with_for_update(skip_locked=True)  # one that is being claimed waits for this row
)
_SAFETY = (Purpose.MISSED, Purpose.CHECK_IN, Purpose.PAGE, Purpose.REPLY)  # no patient in danger is anybody's trial


@dataclass(frozen=True)
class Way:
    """By which account and from which sender a text leaves."""

    via: Via
    sender: str | None  # of the clinic; None for the account's own
    paced_as: str  # the sender whose pace it is, and whom the provider may ask to slow down
    trial: bool = False  # of an account that failed and may be well again


@dataclass
class Ways:
    """How the texts of one claim leave."""

    line: Line
    session: Session
    now: datetime
    accounts: dict[Via, Breaker] = field(default_factory=lambda: {via: Breaker() for via in Via})

    @property
    def one_only(self) -> bool:
        return not self.line.second_sender

    def senders(self, of_clinics: Iterable[str | None]) -> set[str]:
        """Return the senders whose pace may matter."""
        names = {sender or self.line.sender for sender in of_clinics}
        return {name for name in (*names, self.line.second_sender) if name}

    def possible(self, of_clinic: str | None, *, urgent: bool) -> tuple[str, ...]:
        """Return the senders by which a clinic's texts may leave."""
        first = of_clinic or self.line.sender
        if self.one_only:
            return (first,)
        wishes = (None, *Via) if urgent else (None,)
        vias = {self._way(wish, urgent=urgent, routine=kind)[0] for wish in wishes for kind in {not urgent, False}}
        return tuple(first if via is Via.FIRST else self.line.second_sender for via in Via if via in vias)

    def way_of(self, message: OutboundMessage, of_clinic: str | None) -> Way:
        wish = Via(message.via) if message.via else None
        routine = not message.urgent and message.purpose not in _SAFETY
        via, trial = self._way(wish, urgent=message.urgent, routine=routine)
        if via is Via.SECOND:
            return Way(via, None, self.line.second_sender, trial)
        return Way(via, of_clinic, of_clinic or self.line.sender, trial)

    def _way(self, wish: Via | None, *, urgent: bool, routine: bool) -> tuple[Via, bool]:
        if self.one_only:
            return Via.FIRST, False
        return way_for(self.accounts, wanted=wish, urgent=urgent, routine=routine)

    def taken(self, message: OutboundMessage, way: Way) -> None:
        """Note by which account a claimed text leaves; where it is a trial, no other text is one meanwhile."""
        if self.one_only:
            return
        message.via = way.via
        if way.trial:
            _, self.accounts[way.via] = change_breaker(
                self.session, way.via, lambda breaker: after_trial_began(breaker, self.now)
            )

    def is_spotless(self, via: Via) -> bool:
        return self.accounts[via].is_spotless


def ways_now(line: Line, session: Session, now: datetime) -> Ways:
    ways = Ways(line, session, now)
    if not ways.one_only:
        ways.accounts.update(breakers(session))
    return ways


def note_fault(
    line: Line,
    session: Session,
    via: Via,
    failure: Failure,
    now: datetime,
    *,
    well_at: datetime | None = None,
    trial: bool = False,
) -> bool:
    """Count what was said of an account, not of a text; return whether it fails now: texts leave by the other one."""
    if not line.second_sender or not failure.of_account:
        return False
    before, after = change_breaker(
        session, via, lambda breaker: after_fault(breaker, now, well_at, trial=trial, certain=failure.certain)
    )
    if after.is_failing and not before.is_failing:
        waiting = session.scalars(_WAIT_FOR_IT, {"failing": via.value, "now": now}).all()
        session.execute(update(OutboundMessage).where(among(OutboundMessage.id, waiting)).values(due_at=now))
        log.critical("the %s account at the provider fails (%s): texts leave by the other one", via, failure.reason)
    return after.is_failing


def note_success(session: Session, via: Via, now: datetime) -> None:
    """An account took a text: it is well, and texts leave by it again."""
    before, _ = change_breaker(session, via, lambda breaker: after_success(breaker, now))
    if before.is_failing:
        tell(log, "an account at the provider is well again: texts leave by it", account=via.value)
