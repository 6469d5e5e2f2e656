"""By which account a text leaves: the first one, the second while that fails, and back again."""

import logging
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime

from sqlalchemy import bindparam, select, text, update
from sqlalchemy.orm import Session

from app.actions.line import Line
from app.db.among import among
from app.db.messages import OutboundMessage, Purpose
from app.db.people import Clinic
from app.db.provider_account import Breakers, all_breakers, change_breaker, sender_of
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
_OF_CLINIC = _WAIT_FOR_IT.where(OutboundMessage.clinic_id == bindparam("clinic"))
NEVER_SEEN: Mapping[str, datetime] = {}
NO_FAULTS = Breakers({via: Breaker() for via in Via}, {})
_SAFETY = (Purpose.MISSED, Purpose.CHECK_IN, Purpose.PAGE, Purpose.REPLY)  # no patient in danger is anybody's trial


@dataclass(frozen=True)
class Way:
    """By which account and from which sender a text leaves."""

    via: Via
    sender: str | None  # of the clinic; None for the account's own
    paced_as: str  # the sender whose pace it is, and whom the provider may ask to slow down
    clinic_id: int
    own: bool = False  # the sender is this clinic's alone
    trial: str | None = None  # the key of what failed and may be well again: an account, or the clinic's own sender

    @property
    def keys(self) -> tuple[str, ...]:
        """Of what a success proves well."""
        return (self.via, sender_of(self.clinic_id)) if self.own else (self.via,)


@dataclass
class Ways:
    """How the texts of one claim leave."""

    line: Line
    session: Session
    now: datetime
    known: Breakers

    @property
    def one_only(self) -> bool:
        return not self.line.second_sender

    def senders(self, of_clinics: Iterable[str | None]) -> set[str]:
        """Return the senders whose pace may matter."""
        names = {sender or self.line.sender for sender in of_clinics}
        return {name for name in (*names, self.line.second_sender) if name}

    def possible(self, clinic_id: int, of_clinic: str | None, *, urgent: bool) -> tuple[str, ...]:
        """Return the senders by which a clinic's texts may leave."""
        first = of_clinic or self.line.sender
        if self.one_only:
            return (first,)
        accounts = self._accounts(clinic_id, of_clinic)
        wishes = (None, *Via) if urgent else (None,)
        vias = {
            way_for(accounts, wanted=wish, urgent=urgent, routine=kind)[0]
            for wish in wishes
            for kind in {not urgent, False}
        }
        return tuple(first if via is Via.FIRST else self.line.second_sender for via in Via if via in vias)

    def way_of(self, message: OutboundMessage, of_clinic: str | None) -> Way:
        clinic_id = message.clinic_id
        first = Way(Via.FIRST, of_clinic, of_clinic or self.line.sender, clinic_id, is_own(self.line, of_clinic))
        if self.one_only:
            return first
        wish = Via(message.via) if message.via else None
        routine = not message.urgent and message.purpose not in _SAFETY
        accounts = self._accounts(clinic_id, of_clinic)
        via, trial = way_for(accounts, wanted=wish, urgent=message.urgent, routine=routine)
        if via is Via.SECOND:
            return Way(via, None, self.line.second_sender, clinic_id)
        tried = Via.FIRST if self.known.accounts[Via.FIRST].is_failing else sender_of(clinic_id)
        return replace(first, trial=tried) if trial else first

    def _accounts(self, clinic_id: int, of_clinic: str | None) -> Mapping[Via, Breaker]:
        return self.known.for_clinic(clinic_id) if is_own(self.line, of_clinic) else self.known.accounts

    def taken(self, message: OutboundMessage, way: Way) -> None:
        """Note by which account a claimed text leaves; where it is a trial, no other text is one meanwhile."""
        if self.one_only:
            return
        message.via = way.via
        if way.trial:
            change_breaker(self.session, way.trial, lambda breaker: after_trial_began(breaker, self.now))
            self.known = all_breakers(self.session)

    def to_prove(self, way: Way) -> tuple[str, ...]:
        """Return the keys of what a success would prove well again, or end a row of faults of."""
        known = self.known.by_name()
        return tuple(key for key in way.keys if key in known and not known[key].is_spotless)


def ways_now(line: Line, session: Session, now: datetime) -> Ways:
    return Ways(line, session, now, all_breakers(session) if line.second_sender else NO_FAULTS)


def is_own(line: Line, sender: str | None) -> bool:
    """Whether a clinic's sender is its own, and not the account's."""
    return sender is not None and sender != line.sender


def way_gone(line: Line, session: Session, message: OutboundMessage) -> Way:
    """Return the way that a text took: of what a report says later."""
    via = Via(message.via or Via.FIRST)
    sender = session.get_one(Clinic, message.clinic_id).sender if via is Via.FIRST else None
    return Way(via, sender, "", message.clinic_id, is_own(line, sender))


def note_fault(
    line: Line,
    session: Session,
    way: Way,
    failure: Failure,
    now: datetime,
    *,
    well_at: Mapping[str, datetime] = NEVER_SEEN,
) -> bool:
    """Count what was said of an account or its sender, not of a text; return whether that fails now: texts leave by
    the other account. What is said of a clinic's own sender counts for this clinic alone."""
    if not line.second_sender or not failure.of_account:
        return False
    of_clinic = failure.of_sender and way.own
    key = sender_of(way.clinic_id) if of_clinic else way.via.value
    before, after = change_breaker(
        session,
        key,
        lambda breaker: after_fault(breaker, now, well_at.get(key), trial=way.trial == key, certain=failure.certain),
    )
    if after.is_failing and not before.is_failing:
        theirs = _OF_CLINIC if of_clinic else _WAIT_FOR_IT
        wanted = {"failing": way.via.value, "now": now} | ({"clinic": way.clinic_id} if of_clinic else {})
        waiting = session.scalars(theirs, wanted).all()
        session.execute(update(OutboundMessage).where(among(OutboundMessage.id, waiting)).values(due_at=now))
        log.critical("%s at the provider fails (%s): texts leave by the other account", _named(key), failure.reason)
    return after.is_failing


def note_success(session: Session, keys: Iterable[str], now: datetime) -> None:
    """A text was taken: its account and sender are well, and texts leave by them again."""
    for key in keys:
        before, _ = change_breaker(session, key, lambda breaker: after_success(breaker, now))
        if before.is_failing:
            tell(log, "an account or sender at the provider is well again: texts leave by it", account=key)


def _named(key: str) -> str:
    return f"the {key} account" if key in set(Via) else f"the own sender of {key.replace(':', ' ')}"
