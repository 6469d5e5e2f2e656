"""What every channel offers: it turns our words into a provider's, and names each failure by what we may do next."""

from collections.abc import Collection
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Protocol

from app.domain.breaker import Via
from app.domain.delivery import Failure, Next


@dataclass(frozen=True)
class Outgoing:
    """One text to hand over. Its repr leaves out who gets it and what it says: it ends up in logs and tracebacks."""

    recipient: str = field(repr=False)  # E.164
    body: str = field(repr=False)
    status_callback: str | None = field(default=None, repr=False)  # where the provider reports; holds our token
    sender: str | None = None  # instead of the channel's own: a number, a short code or a Messaging Service
    validity_seconds: int | None = None  # after this the provider drops it instead of sending it late
    via: Via = Via.FIRST  # by which account, where there are two


@dataclass(frozen=True)
class Accepted:
    """The provider holds the text under this id."""

    provider_id: str
    segments: int


@dataclass(frozen=True)
class Came:
    """One text that the provider took in for us, as its own list tells. Its repr leaves out who said what."""

    provider_id: str
    at: datetime
    sender: str = field(repr=False)
    recipient: str = field(repr=False)
    body: str = field(repr=False)
    media: int = 0  # how many pictures or files came along


@dataclass(frozen=True)
class Told:
    """What the provider says of one text when it is asked: its own word for the state."""

    status: str
    error_code: int | None = None


class ChannelError(Exception):
    """A text was not accepted. str(error) is the reason in plain words, without number or text."""

    def __init__(self, failure: Failure, code: int | None = None, retry_after: timedelta | None = None) -> None:
        super().__init__(failure.reason)
        self.failure = failure
        self.code = code  # the provider's own, where it gave one
        self.retry_after = retry_after  # likewise: how long it wants to be left alone


class NotSent(ChannelError):
    """The provider certainly does not hold it, and the cause may pass: safe to repeat."""


class Rejected(ChannelError):
    """The provider certainly does not hold it and never will: do not repeat."""


class OptedOut(ChannelError):
    """This phone has opted out at the carrier: record it and do not repeat."""


class Unknown(ChannelError):
    """The provider may or may not hold it: ask before repeating."""


_BY_NEXT: dict[Next, type[ChannelError]] = {
    Next.REPEAT: NotSent,
    Next.NEVER: Rejected,
    Next.OPTED_OUT: OptedOut,
    Next.ASK: Unknown,
}


def error_for(failure: Failure, code: int | None = None, retry_after: timedelta | None = None) -> ChannelError:
    """Return the error that says what may be done after `failure`."""
    return _BY_NEXT[failure.next](failure, code, retry_after)


class Channel(Protocol):
    name: str

    def send(self, message: Outgoing) -> Accepted:
        """Hand one text over.

        Raises NotSent (safe to repeat), Rejected or OptedOut (never repeat), or Unknown (ask with `find` first).
        """

    def find(self, recipient: str, body: str, made_at: datetime, but: Collection[str] = ()) -> str | None:
        """Return the provider's id of the text with exactly this body that it got nearest to `made_at`.

        `made_at`: by our clock, which may have been CLOCKS_APART ahead. `but`: the ids of our other texts, which are
        not looked for. Raises Unknown when the provider cannot be asked.
        """

    def told_of(self, provider_id: str) -> Told | None:
        """Return what the provider says of a text; None where it knows nothing of it. Raises Unknown."""

    def came_since(self, since: datetime) -> tuple[Came, ...]:
        """Return the texts that came in for us at `since` or later. Raises Unknown when it cannot be asked."""

    def check_credentials(self) -> str:
        """Return one sentence on the account. Raises ChannelError with what is wrong with it."""
