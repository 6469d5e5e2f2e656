"""What was done to a thread, in words; and which language a text is in."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Protocol
from zoneinfo import ZoneInfo

from app.db.thread import TextIn, TextOut
from app.web.language import N_
from app.web.language import gettext as _
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
    who = _("You") if mine else first_name(names.get(change.staff_id or 0, _("Somebody")))
    match change.did:
        case "assigned" if change.to_id is None:
            return _("%(name)s let this go: nobody has it", name=who)
        case "assigned" if change.to_id == change.staff_id:
            return _("%(name)s claimed this", name=who)
        case "assigned":
            to = first_name(names.get(change.to_id or 0, _("somebody")))
            return _("%(name)s assigned this to %(to)s", name=who, to=to)
        case "snoozed" if change.until:
            return _("%(name)s snoozed this until %(time)s", name=who, time=moment(change.until, zone))
        case "paused" if change.until:
            until = since(change.until, now, zone)
            return _("%(name)s paused the assistant until %(time)s", name=who, time=until)
        case "woken":
            return _("The snooze is over")
        case did:
            return _(_DID.get(did, _DID["changed"]), name=who)


_DID = {
    "closed": N_("%(name)s closed this"),
    "reopened": N_("%(name)s reopened this"),
    "snoozed": N_("%(name)s snoozed this"),
    "paused": N_("%(name)s paused the assistant"),
    "resumed": N_("%(name)s let the assistant answer again"),
    "undone": N_("%(name)s undid the change before"),
    "changed": N_("%(name)s changed this"),
}


def ago(at: datetime, now: datetime) -> str:
    """Return "3 s ago", or "5 min ago"."""
    span = max(now - at, timedelta(0))
    words = f"{int(span.total_seconds())} s" if span < timedelta(minutes=1) else spell(span)
    return _("%(span)s ago", span=words)


def spoken_in(text: TextIn | TextOut, usual: str) -> str:
    """Return the language that a text is in, as its own words tell; `usual` where they do not."""
    return detect(text.body, usual)
