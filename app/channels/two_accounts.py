"""Two accounts at the provider, each with its own sender: each text goes by the one that it names."""

from collections.abc import Collection
from datetime import datetime

from app.channels.base import Accepted, Came, Channel, Outgoing, Told, Unknown
from app.domain.breaker import Via
from app.domain.delivery import Failure, Next

_GONE = Failure(Next.ASK, "the second account is no longer in the settings")


class TwoAccounts:
    """A channel like any other; `account_of` gives the one that is meant, where it matters which is asked."""

    def __init__(self, first: Channel, second: Channel) -> None:
        self.name = first.name
        self._of = {Via.FIRST: first, Via.SECOND: second}

    def of(self, via: Via) -> Channel:
        return self._of[via]

    def send(self, message: Outgoing) -> Accepted:
        return self._of[message.via].send(message)

    def find(self, recipient: str, body: str, made_at: datetime, but: Collection[str] = ()) -> str | None:
        return self._of[Via.FIRST].find(recipient, body, made_at, but)

    def told_of(self, provider_id: str) -> Told | None:
        return self._of[Via.FIRST].told_of(provider_id)

    def came_since(self, since: datetime) -> tuple[Came, ...]:
        return self._of[Via.FIRST].came_since(since)

    def check_credentials(self) -> str:
        return self._of[Via.FIRST].check_credentials()


def account_of(channel: Channel, via: str | None) -> Channel:
    """Return the account that was given a text. Raises Unknown where that one is no longer there to be asked."""
    if isinstance(channel, TwoAccounts):
        return channel.of(Via(via or Via.FIRST))
    if via == Via.SECOND:
        raise Unknown(_GONE)  # the other one would deny it, and it would go out twice
    return channel


def accounts_of(channel: Channel) -> dict[Via, Channel]:
    """Return each account there is."""
    vias = Via if isinstance(channel, TwoAccounts) else (Via.FIRST,)
    return {via: account_of(channel, via) for via in vias}
