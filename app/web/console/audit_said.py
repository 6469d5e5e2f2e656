"""The audit log as a page says it, in the reader's language. In English it is what app.domain.audit_words says."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from app.db.audit_log import LISTED, READ
from app.domain.audit_words import about, particulars, place, shown_with, who
from app.web.language import N_, language, ngettext, twelve_hours
from app.web.language import gettext as _

# What a verb says of itself in another language, where the English one has two meanings.
_FULLER = {
    "attended": N_("visit attended"),
    "booked": N_("visit booked"),
    "cancelled": N_("visit cancelled"),
    "confirmed": N_("entry confirmed by a second person"),
    "declined": N_("entry declined by a second person"),
    "import": N_("patients imported"),
    "missed": N_("visit missed"),
    "moved": N_("visit moved"),
    "opted in": N_("phone opted in"),
    "opted out": N_("phone opted out"),
    "read": N_("record opened"),
}
_SUBJECTS = {
    "appointment": N_("visit %(number)s"),
    "clinic": N_("clinic %(number)s"),
    "closure": N_("closure %(number)s"),
    "inbound": N_("text in %(number)s"),
    "installation": N_("installation %(number)s"),
    "invitation": N_("invitation %(number)s"),
    "message": N_("text out %(number)s"),
    "note": N_("note %(number)s"),
    "patient": N_("patient %(number)s"),
    "phone": N_("phone %(number)s"),
    "program": N_("program %(number)s"),
    "pump": N_("pump %(number)s"),
    "referral": N_("referral %(number)s"),
    "refill": N_("refill %(number)s"),
    "saved_view": N_("saved view %(number)s"),
    "scan": N_("scan %(number)s"),
    "staff": N_("staff %(number)s"),
    "task": N_("task %(number)s"),
}
_PARTICULARS = {
    "before": N_("before %(value)s"),
    "category": N_("category %(value)s"),
    "change": N_("change %(value)s"),
    "consents": N_("consents %(value)s"),
    "contact": N_("contact %(value)s"),
    "contacts": N_("contacts %(value)s"),
    "count": N_("count %(value)s"),
    "days": N_("days %(value)s"),
    "digit": N_("digit %(value)s"),
    "failed": N_("failed %(value)s"),
    "fields": N_("fields %(value)s"),
    "first": N_("first %(value)s"),
    "helped": N_("helped %(value)s"),
    "hold": N_("hold %(value)s"),
    "key": N_("key %(value)s"),
    "kind": N_("kind %(value)s"),
    "known browser": N_("known browser %(value)s"),
    "language": N_("language %(value)s"),
    "left": N_("left %(value)s"),
    "outcome": N_("outcome %(value)s"),
    "owner": N_("owner %(value)s"),
    "phones": N_("phones %(value)s"),
    "programs": N_("programs %(value)s"),
    "pump": N_("pump %(value)s"),
    "pumps": N_("pumps %(value)s"),
    "reason": N_("reason %(value)s"),
    "refills": N_("refills %(value)s"),
    "replaces": N_("replaces %(value)s"),
    "resealed": N_("resealed %(value)s"),
    "role": N_("role %(value)s"),
    "room": N_("room %(value)s"),
    "rows": N_("rows %(value)s"),
    "batch": N_("batch %(value)s"),
    "same": N_("same %(value)s"),
    "scope": N_("scope %(value)s"),
    "search": N_("search %(value)s"),
    "shared": N_("shared %(value)s"),
    "sort": N_("sort %(value)s"),
    "source": N_("source %(value)s"),
    "state": N_("state %(value)s"),
    "step": N_("step %(value)s"),
    "to": N_("to %(value)s"),
    "topic": N_("topic %(value)s"),
    "until": N_("until %(value)s"),
    "visit": N_("visit %(value)s"),
    "visits": N_("visits %(value)s"),
    "was": N_("was %(value)s"),
    "way": N_("way %(value)s"),
    "zone": N_("zone %(value)s"),
}


def who_said(actor: str, name: str | None) -> str:
    """Return whose deed it was: a name, or what did it."""
    kind, _colon, number = actor.partition(":")
    if name is None and kind == "phone":
        return _("somebody texting from phone %(number)s", number=number)
    if name is None and number and kind in _SUBJECTS:
        return _(_SUBJECTS[kind], number=number)
    return name or _word(who(actor, None))


def did_said(verb: str, detail: Mapping[str, Any]) -> str:
    """Return what was done: "opened the pump page", "refill recorded (state waiting)"."""
    if verb == READ:
        return _("opened %(place)s", place=_word(place(detail)))
    if verb == LISTED:
        return ngettext(
            "saw in %(place)s, with %(num)d patient shown",
            "saw in %(place)s, with %(num)d patients shown",
            shown_with(detail),
            place=_word(place(detail)),
        )
    more = ", ".join(_particular(name, values) for name, values in particulars(detail))
    return f"{verb_said(verb)} ({more})" if more else verb_said(verb)


def verb_said(verb: str) -> str:
    """Return a verb by itself, as one chooses it from a list."""
    fuller = _FULLER.get(verb, verb)
    said = _word(fuller)
    return verb if said == fuller else said


def about_said(subject: str) -> str:
    """Return which row: "visit 12"."""
    kind, _colon, number = subject.partition(":")
    return _(_SUBJECTS[kind], number=number) if number and kind in _SUBJECTS else about(subject)


def clock_said(at: datetime, zone: ZoneInfo) -> str:
    """Return an instant's time of day to the second: "14:30:05", or "2:30:05 PM" to whoever chose that."""
    local = at.astimezone(zone)
    if twelve_hours():
        return f"{local.hour % 12 or 12}:{local:%M:%S} {'AM' if local.hour < 12 else 'PM'}"
    return f"{local:%H:%M:%S}"


def _particular(name: str, values: tuple[str, ...]) -> str:
    """Return "state booked". What a value means beside this name has a message of its own: "state: booked"."""
    if language() == "en":
        return f"{name} {' '.join(values)}"
    said = ", ".join(_value(name, value) for value in values)
    return _(_PARTICULARS[name], value=said) if name in _PARTICULARS else f"{name} {said}"


def _value(name: str, value: str) -> str:
    beside = f"{name}: {value}"
    said = _word(beside)
    return _word(value) if said == beside else said


def _word(word: str) -> str:
    """Return a known word in the reader's language; a name of the database's is known by its words."""
    if not word.strip():
        return word
    said, spaced = _(word), word.replace("_", " ")
    if said == word and spaced != word and (known := _(spaced)) != spaced:
        return known
    return said
