"""Where the time comes from. Everything below this takes `now` as an argument."""

from collections.abc import Callable
from datetime import UTC, datetime

Clock = Callable[[], datetime]


def system_clock() -> datetime:
    """Return the present instant, aware UTC."""
    return datetime.now(UTC)
