"""The line's own texts: what a test phone sends every quarter of an hour, taken in and answered beside everything else.

No row of a text, phone, patient or task comes of them, so they count nowhere and stand on no list. All that is
kept are three instants among the jobs' health: sent, came in, and the answer seen back.
"""

import hmac
from datetime import datetime, timedelta
from typing import Protocol

from sqlalchemy.orm import Session

from app.actions.line import Line
from app.db.heartbeat import CHECK_BACK, note
from app.domain.delivery import DeliveryState, state_named
from app.domain.phone import sender_key

EVERY = timedelta(minutes=15)
SENT, CAME, BACK = "check_sent", "check_came", CHECK_BACK

_WORDS = "PUMPLINE CHECK "
_OK = " OK"
_TOKEN = "check-"  # noqa: S105 in front of a code, in the status callback of an answer


class Text(Protocol):
    """As a channel delivered it."""

    @property
    def sender(self) -> str: ...
    @property
    def recipient(self) -> str: ...
    @property
    def body(self) -> str: ...


def words_of(line: Line, now: datetime) -> str:
    """Return what the test phone sends now."""
    return _WORDS + _code(line, now)


def is_check(line: Line, text: Text) -> bool:
    """Whether a text is the line's own: from the test phone in these words, or from us to it.

    What anybody else texts to that number is a text like any other: nobody in danger may be met by silence.
    """
    if line.check_phone is None:
        return False
    if text.recipient == line.check_phone:
        return sender_key(text.sender) == line.check_number
    return text.body.startswith(_WORDS) and sender_key(text.sender) == line.check_phone


def take_check(line: Line, text: Text, now: datetime, *, late: bool) -> tuple[str, str] | None:
    """Note that one came, and return its answer with the token for it; None for what is too late to prove anything."""
    code = _code_in(line, text.body, now)
    if code is None or late:
        return None
    if text.recipient == line.check_phone:  # our own answer, at the test phone: Twilio's webhook says so
        if text.body.endswith(_OK):
            _note(line, BACK, now)
        return None
    _note(line, CAME, now)
    return _TOKEN + code, text.body.strip() + _OK


def is_check_token(token: str | None) -> bool:
    return token is not None and token.startswith(_TOKEN)


def check_reported(line: Line, token: str, status: str, now: datetime) -> bool:
    """Note that an answer was delivered; return whether it was one of the last half hour."""
    if state_named(status) is not DeliveryState.DELIVERED or _code_in(line, _WORDS + token[len(_TOKEN) :], now) is None:
        return False
    _note(line, BACK, now)
    return True


def _note(line: Line, name: str, now: datetime) -> None:
    with line.db.begin() as session:
        note(session, name, now)


def slot_of(now: datetime) -> datetime:
    """Return the beginning of the quarter of an hour."""
    return now - timedelta(minutes=now.minute % 15, seconds=now.second, microseconds=now.microsecond)


def first_time(session: Session, now: datetime) -> None:
    """Count from now on, where none was ever sent."""
    note(session, BACK, now, only_new=True)


def _code(line: Line, at: datetime) -> str:
    """Return what names a quarter of an hour and nobody else can make."""
    return hmac.digest(line.db.lookup_key.encode(), slot_of(at).isoformat().encode(), "sha256").hex()[:8]


def _code_in(line: Line, body: str, now: datetime) -> str | None:
    """Return the code of a text where it is of this quarter of an hour or the one before."""
    said = body.removeprefix(_WORDS)[:8]
    for at in (now, now - EVERY):
        if hmac.compare_digest(said.encode(), (code := _code(line, at)).encode()):
            return code
    return None
