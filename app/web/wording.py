"""How times, people and states are written on pages, in the reader's language. Every zone and every present moment is
an argument."""

import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from functools import cache
from typing import Any
from zoneinfo import ZoneInfo

from babel import Locale
from markupsafe import Markup, escape

from app.domain.consent_scope import in_words as scope_words
from app.domain.delivery import FAILURES, DeliveryState
from app.domain.phone import readable
from app.web.language import N_, ngettext, tr, twelve_hours
from app.web.language import gettext as _
from app.web.language import language as reader
from faq.language import detect
from faq.languages import languages

PURPOSES = {
    "reply": N_("reply"),
    "reminder": N_("reminder"),
    "missed": N_("missed refill"),
    "page": N_("page"),
    "staff": N_("by hand"),
    "book": N_("asks to book"),
    "check_in": N_("asks how somebody is"),
}


def day(moment: date | datetime, zone: ZoneInfo | None = None, *, year: bool = True, weekday: bool = True) -> str:
    """Return a day as "Thu 19-Nov-2026". An instant needs the zone it is read in."""
    local = moment.astimezone(zone) if isinstance(moment, datetime) else moment
    months, weekdays = _names(reader())
    words = f"{local.day}-{months[local.month]}"
    words = f"{words}-{local.year}" if year else words
    return f"{weekdays[local.weekday()]} {words}" if weekday else words


def weekday_name(on: date) -> str:
    """Return "Thu"."""
    return _names(reader())[1][on.weekday()]


@cache
def _names(code: str) -> tuple[dict[int, str], dict[int, str]]:
    """Return a language's short names of months, from 1, and of weekdays, from Monday's 0."""
    locale = Locale.parse(code)
    return dict(locale.months["format"]["abbreviated"]), dict(locale.days["format"]["abbreviated"])


def hour(moment: datetime, zone: ZoneInfo, *, name: bool = False) -> str:
    """Return "10:30", or "10:30 EST" with the zone's name."""
    local = moment.astimezone(zone)
    return f"{clock_time(local)} {local:%Z}" if name else clock_time(local)


def clock_time(at: datetime | time) -> str:
    """Return "14:30", or "2:30 PM" to whoever chose that."""
    return f"{at.hour % 12 or 12}:{at:%M} {'AM' if at.hour < 12 else 'PM'}" if twelve_hours() else f"{at:%H:%M}"


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
        return f"{weekday_name(at.astimezone(zone))} {hour(at, zone, name=True)}"
    return moment(at, zone, name=True)


@dataclass(frozen=True)
class DueWords:
    """When a task is to be done; `look` is urgent where that is now or past, soon for today. `late`: for how long."""

    say: str
    look: str = ""
    late: str = ""


AT_ONCE_FOR = timedelta(hours=1)  # so long a task that is due at once is not overdue yet


def due(due_at: datetime | None, raised_at: datetime, now: datetime, zone: ZoneInfo, verb: str = "") -> DueWords | None:
    """Return "call now", "today", "by Fri 11:00"; None for a task without an hour: as soon as somebody can."""
    if due_at is None:
        return None
    overdue = _("overdue %(span)s", span=spell(now - due_at))
    if due_at <= raised_at:
        at_once = _("%(verb)s now", verb=tr(verb)) if verb else _("now")
        return DueWords(at_once, "urgent", overdue if now >= due_at + AT_ONCE_FOR else "")
    if now > due_at:
        return DueWords(overdue, "urgent")
    local, today = due_at.astimezone(zone), now.astimezone(zone).date()
    by_midnight = local.time() == time(0)
    last = local.date() - timedelta(days=by_midnight)
    if last == today:
        return DueWords(_("today") if by_midnight else _("today by %(hour)s", hour=clock_time(local)), "soon")
    name = weekday_name(last) if (last - today).days < 6 else day(last, year=False)
    return DueWords(_("by %(day)s", day=name if by_midnight else f"{name} {clock_time(local)}"))


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
        return _("under 1 min")
    if minutes >= 1440:
        return plural(minutes // 1440, "day")
    hours = f"{minutes // 60} h " if minutes >= 60 else ""
    return f"{hours}{minutes % 60} min" if minutes % 60 or not hours else hours.strip()


def plural(count: int, word: str, many: str = "") -> str:
    """Return "1 day", "3 days"; a word's plural is given where it does not end in s."""
    return f"{count} {tr(word if count == 1 else many or word + 's')}"


def born(born_on: str | None, today: date) -> str:
    """Return "14-Jul-1945 (81 y)" from an ISO day; "Not known" for none, and what was written for no day."""
    if not born_on:
        return _("Not known")
    try:
        birthday = date.fromisoformat(born_on)
    except ValueError:
        return born_on
    years = today.year - birthday.year - ((today.month, today.day) < (birthday.month, birthday.day))
    months, _weekdays = _names(reader())
    return _("%(day)s (%(years)d y)", day=f"{birthday:%d}-{months[birthday.month]}-{birthday.year}", years=years)


def amount(value: Decimal) -> str:
    """Return a volume or dose without needless zeros, with thousands set apart."""
    return f"{value.normalize():,f}"


def rounded(value: Decimal) -> str:
    """Return a volume that was worked out, to a hundredth."""
    return amount(round(value, 2))


def initials(*names: str | None) -> str:
    return "".join(name.strip()[0].upper() for name in names if name and name.strip())[:2] or "?"


def language(code: str) -> str:
    known = languages().get(code)
    return tr(known.name) if known else code


@dataclass(frozen=True)
class StateWords:
    """A delivery state for a reader: what to say, which icon, and how it looks (pending, failed or plain)."""

    say: str
    icon: str = ""
    look: str = ""


_STATES = {
    DeliveryState.QUEUED: StateWords(N_("waiting to be sent"), "clock", "pending"),
    DeliveryState.SENDING: StateWords(N_("being sent"), "clock", "pending"),
    DeliveryState.UNKNOWN: StateWords(N_("not sure it left: asking the provider"), "question", "pending"),
    DeliveryState.HANDED_OVER: StateWords(N_("sent, not yet confirmed"), "check"),
    DeliveryState.ACCEPTED: StateWords(N_("sent, not yet confirmed"), "check"),
    DeliveryState.SENT: StateWords(N_("sent, not yet confirmed"), "check"),
    DeliveryState.DELIVERED: StateWords(N_("delivered"), "checks"),
    DeliveryState.UNCONFIRMED: StateWords(N_("sent, and nobody said whether it arrived"), "check"),
    DeliveryState.WITHDRAWN: StateWords(N_("not sent"), "ban", "pending"),
}


def delivery(state: DeliveryState, reason: str | None) -> StateWords:
    """Say in plain words what became of a text."""
    if state in FAILURES:
        word = _("not sent") if state is DeliveryState.EXPIRED else _("not delivered")
        why = tr(reason or "") or (_("too late to help") if state is DeliveryState.EXPIRED else "")
        return StateWords(f"{word}: {why}" if why else word, "x", "failed")
    words = _STATES[state]
    shown = tr(words.say)
    if reason and state in (DeliveryState.WITHDRAWN, DeliveryState.QUEUED):
        shown = f"{shown}: {tr(reason)}"
    return StateWords(shown, words.icon, words.look)


def what(text_id: str, version: int) -> str:
    """Name the reviewed words behind a text: "answer travel, version 5"."""
    kind, _colon, name = text_id.partition(":")
    if kind == "text":
        return _("text %(name)s", name=name.replace("_", " "))
    if not name:
        return text_id
    return _("%(kind)s %(name)s, version %(version)d", kind=tr(kind), name=name, version=version)


_CARE_STEPS = {
    "book": N_("text that asks to book"),
    "left": N_("text that the drug runs low"),
    "owner": N_("alert that nobody has taken the refill on"),
    "call": N_("call before the visit"),
    "arrive": N_("look whether the patient came"),
    "carer": N_("text to the carer about the missed visit"),
    "why": N_("question why the visit was missed"),
    "checkin": N_("question how the patient is"),
    "scan": N_("question whether the pump was checked after the scan"),
    "battery": N_("warning about the battery"),
    "eri": N_("warning about the replacement indicator"),
    "referral": N_("reminder of the referral"),
}


def step(name: str | None) -> str:
    """Name what a text was owed for: ladder:14 is "14-day reminder", missed:2 the second missed-refill text, a care
    step by what it asks."""
    kind, _colon, number = (name or "").partition(":")
    match kind:
        case "ladder":
            if not number.isdecimal():
                return _("reminder")
            return (
                _("reminder on the day")
                if number == "0"
                else ngettext("1-day reminder", "%(num)d-day reminder", int(number))
            )
        case "missed":
            return _("missed-refill text") if number == "1" else _("missed-refill text, the next morning")
        case other:
            return tr(_CARE_STEPS.get(other, "reminder"))


_TASKS = {
    "alert": N_("Alert"),
    "missed_refill": N_("Missed refill"),
    "supply": N_("Drug runs low"),
    "late_booking": N_("Booked late"),
    "second_person": N_("Waits for a second person"),
    "record_refill": N_("Record the refill"),
    "reschedule": N_("Wants another day"),
    "not_arrived": N_("Has not arrived"),
    "unconfirmed": N_("Not confirmed"),
    "call_instead": N_("Call instead"),
    "check_pump": N_("Check the pump"),
}


def task_kind(kind: str) -> str:
    """Name a task in a list of refills: "Missed refill"."""
    return tr(_TASKS.get(kind, sentence(kind.replace("_", " "))))


def first_name(name: str) -> str:
    """Return what colleagues call someone: "Ana" of "Ana Lindqvist, RN"; other words as they are."""
    return name.split()[0].rstrip(",") if name[:1].isupper() else name


def sentence(words: str) -> str:
    """Return words with a capital first letter."""
    return words[:1].upper() + words[1:]


_SOURCES = {
    "text": N_("by text"),
    "carrier": N_("through the carrier"),
    "import": N_("with the import"),
    "staff": N_("told to staff"),
    "demo": N_("for the demo"),
}


def consent_source(source: str) -> str:
    return tr(_SOURCES.get(source, source))


def lower_first(words: str) -> str:
    """Return words as they stand within a sentence."""
    return words[:1].lower() + words[1:]


_PHONE = re.compile(r"\b\d{3}-\d{3}-\d{4}\b")


def spoken(body: str) -> Markup:
    """Return a text with its phone numbers kept on one line each, everything in it escaped."""
    return Markup(_PHONE.sub(r'<span class="nowrap">\g<0></span>', str(escape(body))))  # noqa: S704


def outcome(words: str) -> str:
    """Return how a task ended, its chosen outcome in the reader's language, the note as it was written."""
    chosen, colon, note = words.partition(": ")
    return f"{tr(chosen)}{colon}{note}"


def tongue(body: str) -> str:
    """Return the language that somebody's words are in, for whoever hears them read out."""
    return detect(body, "en")


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
    "outcome": outcome,
    "tongue": tongue,
    "rounded": rounded,
    "task_kind": task_kind,
    "initials": initials,
    "language": language,
    "readable": readable,
    "delivery": delivery,
    "what": what,
    "step": step,
    "due": due,
    "spoken": spoken,
    "sentence": sentence,
    "lower_first": lower_first,
    "consent_source": consent_source,
    "scope_words": scope_words,
    "first_name": first_name,
}
