"""Where a process may be killed, by name, and the command that dies there: `python -m tests.chaos.crash_points run`.

PUMPLINE_TEST_CRASH_AT names a point, after how many passes it kills, and a file that says that it did. The kill is
SIGKILL for the whole process group: no handler, no `finally`, no flush, as when the power goes.
"""

import os
import signal
import sys
from collections.abc import Callable
from dataclasses import dataclass
from functools import wraps
from importlib import import_module
from itertools import count
from pathlib import Path
from typing import Any

VARIABLE = "PUMPLINE_TEST_CRASH_AT"


@dataclass(frozen=True)
class Point:
    """`where` is module:name, as the caller knows it; killed before or after it ran. `passes` go well first.

    `beat`: only a run that did something counts.
    """

    where: str
    before: bool = False
    passes: int = 2
    beat: bool = False


WEB = {
    "text written down, not answered": Point("app.web.twilio:receive_text"),
    "text about to be written down": Point("app.web.twilio:receive_text", before=True),
    "report written down, not answered": Point("app.web.twilio:record_status"),
}
SENDING = {
    "claimed, not called": Point("app.channels.twilio_sms:TwilioSms.send", before=True),
    "called, not recorded": Point("app.channels.twilio_sms:TwilioSms.send"),
    "recorded, beat not ended": Point("app.jobs:send_outbox", passes=0, beat=True),
    "asked, not settled": Point("app.channels.twilio_sms:TwilioSms.find", passes=0),
    "reminder claimed, text not owed": Point("app.actions.queue_due_reminders:owe", before=True),
    "text owed, not committed": Point("app.actions.queue_due_reminders:owe"),
    "reminders queued, beat not ended": Point("app.jobs:queue_due_reminders", passes=0, beat=True),
    "page owed, not committed": Point("app.actions.alerts:owe", passes=0),
}
SPOOL = {
    "spooled, not answered": Point("app.db.spool:Spool.keep"),
    "replayed, still in the spool": Point("app.actions.replay_spool:receive_late", passes=1),
}
MISSED = {"missed text taken in, list not done": Point("app.actions.catch_up:receive_late", passes=1)}
POINTS = WEB | SENDING | SPOOL | MISSED


def holder_of(point: Point) -> tuple[Any, str]:
    """Return what holds the point's function, and under which name. Raises AttributeError where it is gone."""
    module, _, path = point.where.partition(":")
    holder: Any = import_module(module)
    *within, name = path.split(".")
    for one in within:
        holder = getattr(holder, one)
    getattr(holder, name)
    return holder, name


def asked_for(point: str, marker: Path) -> str:
    """Return the variable's value."""
    return f"{point}|{marker}"


def arm(asked: str) -> None:
    """Put the kill in its place, in this process and those it forks."""
    name, _, marker = asked.partition("|")
    point = POINTS[name]
    holder, attribute = holder_of(point)
    setattr(holder, attribute, _deadly(getattr(holder, attribute), point, Path(marker)))


def _deadly(ours: Callable[..., Any], point: Point, marker: Path) -> Callable[..., Any]:
    passes = count()

    @wraps(ours)
    def wrapped(*args: Any, **kwargs: Any) -> Any:
        if point.before and next(passes) >= point.passes:
            _die(marker)
        result = ours(*args, **kwargs)
        if not point.before and (result or not point.beat) and next(passes) >= point.passes:
            _die(marker)
        return result

    return wrapped


def _die(marker: Path) -> None:
    marker.touch()
    os.killpg(os.getpgrp(), signal.SIGKILL)


if __name__ == "__main__":
    if asked := os.environ.pop(VARIABLE, ""):
        arm(asked)
    from app.cli import cli

    sys.exit(cli(prog_name="pumpline"))
