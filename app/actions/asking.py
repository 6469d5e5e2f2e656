"""Asking the provider about many texts in one beat, for as long as it answers."""

from collections.abc import Callable
from typing import TypeVar

from app.channels.base import Channel, ChannelError
from app.channels.two_accounts import account_of
from app.domain.breaker import Via

Answer = TypeVar("Answer")
AT_MOST = 60  # texts a beat; the rest comes with the next
GIVES_UP_AFTER = 3  # questions in a row without an answer: each may have waited ten seconds


class Asking:
    """One beat's questions. Once an account answers none of them, the rest of the beat asks it no more."""

    def __init__(self, channel: Channel) -> None:
        self._channel = channel
        self._in_vain = dict.fromkeys(Via, 0)

    def ask(self, question: Callable[[Channel], Answer], via: str | None) -> Answer | None:
        """Return the answer of the account that has, or was given, the text; None where it cannot be asked."""
        asked = Via(via or Via.FIRST)
        if self._in_vain[asked] >= GIVES_UP_AFTER:
            return None
        try:
            answer = question(account_of(self._channel, asked))
        except ChannelError:
            self._in_vain[asked] += 1
            return None
        self._in_vain[asked] = 0
        return answer
