"""What happened to a text: states only move forward, and each failure says what we may do next."""

from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum


class DeliveryState(StrEnum):
    QUEUED = "queued"  # owed
    SENDING = "sending"  # claimed by one sender; the provider may or may not hold it
    UNKNOWN = "unknown"  # the provider's answer was lost: ask before repeating
    HANDED_OVER = "handed_over"  # in the answer to a webhook
    ACCEPTED = "accepted"  # the provider holds it
    SENT = "sent"  # the carrier holds it
    UNCONFIRMED = "unconfirmed"  # on its way, and nobody ever said whether it arrived: we no longer ask
    DELIVERED = "delivered"
    UNDELIVERED = "undelivered"
    FAILED = "failed"
    REFUSED = "refused"  # the provider would not take it
    WITHDRAWN = "withdrawn"  # no longer right: attended, moved, opted out
    EXPIRED = "expired"  # too late to help


_RANK = {
    DeliveryState.QUEUED: 0,
    DeliveryState.SENDING: 1,
    DeliveryState.UNKNOWN: 2,
    DeliveryState.HANDED_OVER: 3,
    DeliveryState.ACCEPTED: 3,
    DeliveryState.SENT: 4,
    DeliveryState.UNCONFIRMED: 5,
}
FINAL = frozenset(DeliveryState) - _RANK.keys()
WITHOUT_END = _RANK.keys() - {DeliveryState.UNCONFIRMED}  # something is still to come of it, and is seen to
FAILURES = frozenset({DeliveryState.UNDELIVERED, DeliveryState.FAILED, DeliveryState.REFUSED, DeliveryState.EXPIRED})


def moves(old: DeliveryState, new: DeliveryState) -> bool:
    """Whether a message in state `old` becomes `new`. Callbacks arrive in any order: nothing ever moves back."""
    if old in FINAL:
        return False
    return new in FINAL or _RANK[new] > _RANK[old]


# https://www.twilio.com/docs/messaging/api/message-resource (status values); M30 in faq/sources.yaml
_TWILIO = {
    "accepted": DeliveryState.ACCEPTED,
    "scheduled": DeliveryState.ACCEPTED,
    "queued": DeliveryState.ACCEPTED,
    "sending": DeliveryState.ACCEPTED,
    "sent": DeliveryState.SENT,
    "delivered": DeliveryState.DELIVERED,
    "read": DeliveryState.DELIVERED,
    "undelivered": DeliveryState.UNDELIVERED,
    "failed": DeliveryState.FAILED,
    "canceled": DeliveryState.WITHDRAWN,
}


def state_named(status: str) -> DeliveryState | None:
    """Return our state for a provider's status word, None for one we do not know."""
    return _TWILIO.get(status.strip().lower())


class Next(StrEnum):
    """What may be done after a failure."""

    REPEAT = "repeat later"
    NEVER = "never repeat"
    OPTED_OUT = "opted out"
    ASK = "unknown: ask the provider first"


@dataclass(frozen=True)
class Failure:
    next: Next
    reason: str  # in plain words, for a nurse
    wait: timedelta = timedelta(minutes=1)
    slows: bool = False  # said of the sender, not of this text: all of its texts wait
    of_account: bool = False  # said of the account or its sender, not of this text: another account may take it
    certain: bool = False  # likewise, and true of every text to come
    of_sender: bool = False  # said of the sender: texts by another sender of the same account may well leave


_SUSPENDED = Failure(
    Next.REPEAT, "our account at Twilio is not active", timedelta(minutes=5), of_account=True, certain=True
)
_WRONG_SENDER = Failure(
    Next.REPEAT, "our number may not send texts", timedelta(minutes=5), of_account=True, of_sender=True
)
# docs/messaging.md, "What Twilio's errors mean for us"; sources M1-M38
_CODES = {
    10001: _SUSPENDED,
    20003: Failure(Next.REPEAT, "Twilio refused our account's credentials", timedelta(minutes=5), of_account=True),
    20005: _SUSPENDED,
    20429: Failure(Next.REPEAT, "Twilio asked us to slow down", slows=True),
    21211: Failure(Next.NEVER, "not a valid phone number: ask for the right one"),
    21606: _WRONG_SENDER,
    21610: Failure(Next.OPTED_OUT, "this phone has opted out of our texts"),
    21611: Failure(Next.REPEAT, "Twilio's queue for our number is full", slows=True),
    21614: Failure(Next.NEVER, "not a mobile phone: call instead"),
    21617: Failure(Next.NEVER, "the text is too long"),
    21659: _WRONG_SENDER,
    21660: _WRONG_SENDER,
    21661: _WRONG_SENDER,
    21703: Failure(
        Next.REPEAT, "our Messaging Service has no number", timedelta(minutes=5), of_account=True, of_sender=True
    ),
    30001: Failure(Next.REPEAT, "the provider's queue overflowed", timedelta(minutes=5)),
    30002: Failure(Next.NEVER, "Twilio has suspended our account", of_account=True, certain=True),
    30003: Failure(Next.REPEAT, "phone off or out of reach", timedelta(minutes=30)),
    30004: Failure(Next.NEVER, "blocked by the person or the carrier: ask by phone"),
    30005: Failure(Next.NEVER, "unknown or inactive phone: check the number"),
    30006: Failure(Next.NEVER, "a landline, or the carrier cannot be reached: call instead"),
    30007: Failure(Next.NEVER, "the carrier's filter stopped it: call instead"),
    30008: Failure(Next.REPEAT, "the carrier gave no reason", timedelta(minutes=5)),
    30019: Failure(Next.NEVER, "the carrier refused a text this long"),
    30032: Failure(Next.NEVER, "our toll-free number is not verified", of_account=True, certain=True, of_sender=True),
    30034: Failure(
        Next.NEVER, "our number is not registered with the carriers", of_account=True, certain=True, of_sender=True
    ),
    63014: Failure(Next.OPTED_OUT, "the person blocked us or opted out"),
}

NO_TEXTS_REACH = frozenset({21614, 30006})  # a landline, by its error code


def failure(status: int | None, code: int | None) -> Failure:
    """Classify a refusal by its error code, then by its HTTP status.

    Codes split and change: one we do not know counts as permanent until somebody looks. A 5xx is no answer:
    the provider may hold the message.
    """
    if code in _CODES:
        return _CODES[code]
    if status == 429:
        return _CODES[20429]
    if status in (401, 403):
        return _CODES[20003]
    if status is not None and status >= 500:
        return Failure(Next.ASK, "the provider gave no clear answer", of_account=True)
    return Failure(Next.NEVER, f"the provider refused it (error {code or status or 'without a code'})")


ATTEMPTS = 3  # tries of one text after definite refusals that may pass


def wait_before(attempt: int, failure: Failure, jitter: float = 0) -> timedelta:
    """How long to wait before try number `attempt` + 1 (1 is the first retry): doubling, at most an hour.

    `jitter`, from 0 to 1, adds up to a quarter: what was refused together does not come back together.
    """
    doublings = min(max(attempt - 1, 0), 16)
    return min(failure.wait * (1 << doublings), max(timedelta(hours=1), failure.wait)) * (1 + jitter / 4)
