"""How times, people and states are written on pages. Pure: every zone and every present moment is an argument."""

import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

from markupsafe import Markup, escape

from app.domain.delivery import FAILURES, DeliveryState
from app.domain.phone import readable
from faq.languages import languages

PURPOSES = {"reply": "reply", "reminder": "reminder", "missed": "missed refill", "page": "page", "staff": "by hand"}


def day(moment: date | datetime, zone: ZoneInfo | None = None, *, year: bool = True, weekday: bool = True) -> str:
    """Return a day as "Thu 19-Nov-2026". An instant needs the zone it is read in."""
    local = moment.astimezone(zone) if isinstance(moment, datetime) else moment
    words = f"{local.day}-{local:%b-%Y}" if year else f"{local.day}-{local:%b}"
    return f"{local:%a} {words}" if weekday else words


def hour(moment: datetime, zone: ZoneInfo, *, name: bool = False) -> str:
    """Return "10:30", or "10:30 EST" with the zone's name."""
    local = moment.astimezone(zone)
    return f"{local:%H:%M} {local:%Z}" if name else f"{local:%H:%M}"


def moment(at: datetime, zone: ZoneInfo, *, year: bool = False, name: bool = False) -> str:
    """Return "Thu 19-Nov, 10:30"."""
    return f"{day(at, zone, year=year)}, {hour(at, zone, name=name)}"


def zone_name(at: datetime, zone: ZoneInfo) -> str:
    return f"{at.astimezone(zone):%Z}"


def since(at: datetime, now: datetime, zone: ZoneInfo) -> str:
    """Return the hour of something today, the day of anything older."""
    if at.astimezone(zone).date() == now.astimezone(zone).date():
        return hour(at, zone)
    return day(at, zone, weekday=False, year=at.astimezone(zone).year != now.astimezone(zone).year)


def soon(at: datetime, now: datetime, zone: ZoneInfo) -> str:
    """Return "Fri 11:00 EST" for an instant within six days, with its date beyond."""
    if at - now < timedelta(days=6):
        return f"{at.astimezone(zone):%a} {hour(at, zone, name=True)}"
    return moment(at, zone, name=True)


def waited(span: timedelta) -> str:
    """Return a wait that counts up: "3:12", "1:20:05", "2 days"."""
    seconds = max(0, int(span.total_seconds()))
    if seconds >= 86400:
        return plural(seconds // 86400, "day")
    hours, minutes = seconds // 3600, seconds % 3600 // 60
    return f"{hours}:{minutes:02}:{seconds % 60:02}" if hours else f"{minutes}:{seconds % 60:02}"


def spell(span: timedelta) -> str:
    """Return a wait in words: "under 1 min", "16 min", "1 h 20 min", "2 days"."""
    minutes = max(0, int(span.total_seconds())) // 60
    if minutes == 0:
        return "under 1 min"
    if minutes >= 1440:
        return plural(minutes // 1440, "day")
    hours = f"{minutes // 60} h " if minutes >= 60 else ""
    return f"{hours}{minutes % 60} min" if minutes % 60 or not hours else hours.strip()


def plural(count: int, word: str, many: str = "") -> str:
    return f"{count} {word}" if count == 1 else f"{count} {many or word + 's'}"


def born(born_on: str | None, today: date) -> str:
    """Return "14-Jul-1945 (81 y)" from an ISO day; "Not known" for none, and what was written for no day."""
    if not born_on:
        return "Not known"
    try:
        birthday = date.fromisoformat(born_on)
    except ValueError:
        return born_on
    years = today.year - birthday.year - ((today.month, today.day) < (birthday.month, birthday.day))
    return f"{birthday:%d-%b-%Y} ({years} y)"


def amount(value: Decimal) -> str:
    """Return a volume or dose without needless zeros, with thousands set apart."""
    return f"{value.normalize():,f}"


def initials(*names: str | None) -> str:
    return "".join(name.strip()[0].upper() for name in names if name and name.strip())[:2] or "?"


def language(code: str) -> str:
    known = languages().get(code)
    return known.name if known else code


@dataclass(frozen=True)
class StateWords:
    """A delivery state for a reader: what to say, which icon, and how it looks (pending, failed or plain)."""

    say: str
    icon: str = ""
    look: str = ""


_STATES = {
    DeliveryState.QUEUED: StateWords("waiting to be sent", "clock", "pending"),
    DeliveryState.SENDING: StateWords("being sent", "clock", "pending"),
    DeliveryState.UNKNOWN: StateWords("not sure it left: asking the provider", "question", "pending"),
    DeliveryState.HANDED_OVER: StateWords("sent, not yet confirmed", "check"),
    DeliveryState.ACCEPTED: StateWords("sent, not yet confirmed", "check"),
    DeliveryState.SENT: StateWords("sent, not yet confirmed", "check"),
    DeliveryState.DELIVERED: StateWords("delivered", "checks"),
    DeliveryState.WITHDRAWN: StateWords("not sent", "ban", "pending"),
}


def delivery(state: DeliveryState, reason: str | None) -> StateWords:
    """Say in plain words what became of a text."""
    if state in FAILURES:
        word = "not sent" if state is DeliveryState.EXPIRED else "not delivered"
        why = reason or ("too late to help" if state is DeliveryState.EXPIRED else "")
        return StateWords(f"{word}: {why}" if why else word, "x", "failed")
    words = _STATES[state]
    if reason and state in (DeliveryState.WITHDRAWN, DeliveryState.QUEUED):
        return StateWords(f"{words.say}: {reason}", words.icon, words.look)
    return words


def what(text_id: str, version: int) -> str:
    """Name the reviewed words behind a text: "answer travel, version 5"."""
    kind, _, name = text_id.partition(":")
    if kind == "text":
        return f"text {name.replace('_', ' ')}"
    if not name:
        return text_id
    return f"{kind} {name}, version {version}"


def step(reminder_step: str | None) -> str:
    """Name a reminder's step: ladder:14 is "14-day reminder", missed:2 the second missed-refill text."""
    kind, _, number = (reminder_step or "").partition(":")
    match kind:
        case "ladder":
            return "reminder on the day" if number == "0" else f"{number}-day reminder"
        case "missed":
            return "missed-refill text" if number == "1" else "missed-refill text, the next morning"
        case _:
            return "reminder"


def first_name(name: str) -> str:
    """Return what colleagues call someone: "Ana" of "Ana Lindqvist, RN"; other words as they are."""
    return name.split()[0].rstrip(",") if name[:1].isupper() else name


def sentence(words: str) -> str:
    """Return words with a capital first letter."""
    return words[:1].upper() + words[1:]


_PHONE = re.compile(r"\b\d{3}-\d{3}-\d{4}\b")


def spoken(body: str) -> Markup:
    """Return a text with its phone numbers kept on one line each, everything in it escaped."""
    return Markup(_PHONE.sub(r'<span class="nowrap">\g<0></span>', str(escape(body))))  # noqa: S704


FILTERS: dict[str, Callable[..., Any]] = {
    "day": day,
    "hour": hour,
    "moment": moment,
    "zone_name": zone_name,
    "since": since,
    "soon": soon,
    "waited": waited,
    "spell": spell,
    "plural": plural,
    "born": born,
    "amount": amount,
    "initials": initials,
    "language": language,
    "readable": readable,
    "delivery": delivery,
    "what": what,
    "step": step,
    "spoken": spoken,
    "sentence": sentence,
    "first_name": first_name,
}
