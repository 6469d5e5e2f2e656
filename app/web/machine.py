"""What the application hangs beside the line: the machine's own clock, and what does everything that is due."""

from collections.abc import Callable
from datetime import datetime
from typing import cast

from flask import current_app

from app.clock import Clock, system_clock


def machine_clock() -> Clock:
    """Return real time's clock, whatever a simulator's says."""
    return cast(Clock, current_app.extensions.get("session_clock", system_clock))


def run_due() -> Callable[[datetime], None]:
    """Return what does, at an instant, all that the heartbeat would do then."""
    return cast(Callable[[datetime], None], current_app.extensions["run_due"])
