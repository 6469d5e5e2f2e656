"""What was done to a thread, in words; and which language a text is in."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Protocol
from zoneinfo import ZoneInfo

from app.db.thread import TextIn, TextOut
from app.web.wording import first_name, moment, since, spell
from faq.language import detect


class Change(Protocol):
    """A ThreadChange, or Beside: what both know."""

    @property
    def staff_id(self) -> int | None: ...
    @property
    def did(self) -> str: ...
    @property
    def to_id(self) -> int | None: ...
    @property
    def until(self) -> datetime | None: ...


def did_words(change: Change, names: Mapping[int, str], now: datetime, zone: ZoneInfo, *, mine: bool = False) -> str:
    """Say what somebody did: "Ana claimed this", "Ana snoozed this until Wed 25-Nov, 09:00"."""
    who = "You" if mine else first_name(names.get(change.staff_id or 0, "Somebody"))
    match change.did:
        case "assigned" if change.to_id is None:
            return f"{who} let this go: nobody has it"
        case "assigned" if change.to_id == change.staff_id:
            return f"{who} claimed this"
        case "assigned":
            return f"{who} assigned this to {first_name(names.get(change.to_id or 0, 'somebody'))}"
        case "snoozed":
            return f"{who} snoozed this{f' until {moment(change.until, zone)}' if change.until else ''}"
        case "paused":
            return f"{who} paused the assistant{f' until {since(change.until, now, zone)}' if change.until else ''}"
        case "resumed":
            return f"{who} let the assistant answer again"
        case "undone":
            return f"{who} undid the change before"
        case "woken":
            return "The snooze is over"
        case did:
            return f"{who} {did} this"


def ago(at: datetime, now: datetime) -> str:
    """Return "3 s ago", or "5 min ago"."""
    span = max(now - at, timedelta(0))
    return f"{int(span.total_seconds())} s ago" if span < timedelta(minutes=1) else f"{spell(span)} ago"


def spoken_in(text: TextIn | TextOut, usual: str) -> str:
    """Return the language that a text is in, as its own words tell; `usual` where they do not."""
    return detect(text.body, usual)
