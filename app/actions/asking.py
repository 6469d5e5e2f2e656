"""Asking the provider about many texts in one beat, for as long as it answers."""

from collections.abc import Callable
from typing import TypeVar

from app.channels.base import Channel, ChannelError

Answer = TypeVar("Answer")
AT_MOST = 60  # texts a beat; the rest comes with the next
GIVES_UP_AFTER = 3  # questions in a row without an answer: each may have waited ten seconds


class Asking:
    """One beat's questions. Once the provider answers none of them, the rest of the beat asks no more."""

    def __init__(self, channel: Channel) -> None:
        self._channel = channel
        self._in_vain = 0

    def ask(self, question: Callable[[Channel], Answer]) -> Answer | None:
        """Return the answer; None where the provider cannot be asked."""
        if self._in_vain >= GIVES_UP_AFTER:
            return None
        try:
            answer = question(self._channel)
        except ChannelError:
            self._in_vain += 1
            return None
        self._in_vain = 0
        return answer
