"""What a nurse is told about a text before it is sent: length and cost, quiet hours, saved replies filled in."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import ROUND_HALF_UP, Decimal
from zoneinfo import ZoneInfo

from app.db.inbox import Voice as Speaker
from app.db.inbox_thread import Head, PumpLine
from app.db.people import PatientState
from app.domain.phone import readable
from app.domain.replies import SavedReply, filled, pieces
from app.domain.texts import ClinicVoice, Words
from app.domain.unreadable import UNREADABLE
from app.web.language import gettext as _
from faq.segments import measure, not_gsm7
from scheduler.policy import Hours
from scheduler.quiet_hours import next_allowed

# What can be written in the plain SMS alphabet without changing a word; composer.js has the same list.
PLAIN = {
    "á": "a",
    "í": "i",
    "ó": "o",
    "ú": "u",
    "Á": "A",
    "Í": "I",
    "Ó": "O",
    "Ú": "U",
    "\u2018": "'",
    "\u2019": "'",
    "\u201c": '"',
    "\u201d": '"',
    "\u2013": "-",
    "\u2014": "-",
    "\u2026": "...",
    "\u00a0": " ",
    "\u2009": " ",
    "\u202f": " ",
    "`": "'",
    "\u00b4": "'",
    "\t": " ",
    "ç": "c",
    "ª": "a",
    "º": "o",
    "\u2022": "-",
}
CENT = Decimal("0.01")


@dataclass(frozen=True)
class Meter:
    """How long a text is as the networks count it, and about what it costs."""

    characters: int
    units: int
    encoding: str
    segments: int
    cost: str  # "$0.02"; empty where nothing is known of prices
    strange: tuple[str, ...] = ()  # the characters that force UCS-2
    plain_segments: int = 0  # without them

    @property
    def said(self) -> str:
        if self.segments == 1 and self.encoding == "GSM-7":
            return _("%(units)s of 160", units=self.units)
        if self.encoding == "UCS-2":
            return _("%(units)s units", units=self.units)
        return _("%(units)s characters", units=self.units)


def meter(body: str, price: Decimal) -> Meter:
    found = measure(body)
    strange = not_gsm7(body)
    plain = measure(written_plainly(body)).count if strange else found.count
    return Meter(len(body), found.units, found.encoding, found.count, cost_of(found.count, price), strange, plain)


def written_plainly(body: str) -> str:
    return "".join(PLAIN.get(character, character) for character in body)


def cost_of(segments: int, price: Decimal) -> str:
    """Return about what so many segments cost; a part of a cent is a cent."""
    if price <= 0:
        return ""
    cost = max(CENT, (segments * price).quantize(CENT, ROUND_HALF_UP))
    return f"${cost}"


@dataclass(frozen=True)
class Recipient:
    """To whom a reply goes."""

    name: str  # as one calls them; a number for somebody unknown
    relation: str
    number: str
    zone: ZoneInfo
    language: str
    stopped: str  # why no text goes there; empty while texts do


def recipient(head: Head, speakers: Sequence[Speaker], clinic_zone: ZoneInfo, country: str) -> Recipient:
    shown = readable(head.number, country)
    zone = speakers[0].person.zone if speakers else clinic_zone
    if not speakers:
        return Recipient(shown, "", shown, zone, head.language, _stopped(head, speakers))
    first = speakers[0]
    name = (first.name or first.person.given_name) if first.is_carer else first.person.given_name
    relation = (first.relation or _("carer")) if first.is_carer else ""
    return Recipient(name, relation, shown, zone, head.language, _stopped(head, speakers))


def _stopped(head: Head, speakers: Sequence[Speaker]) -> str:
    if head.opted_out_at is not None:
        return _("Opted out of texts: call instead. An emergency text is still answered.")
    own = [speaker for speaker in speakers if not speaker.is_carer]
    if speakers and all(speaker.person.state is PatientState.DECEASED for speaker in own or speakers):
        return _("Deceased. No text is sent.")
    return ""


def allowed_at(head: Head, zone: ZoneInfo, now: datetime) -> datetime:
    """Return when a routine text may reach this phone: now, or when its quiet hours end."""
    try:
        hours = Hours(head.texts_from, head.texts_until)
    except ValueError:  # hours that cannot be kept: the settings page says so
        return now
    return next_allowed(now, zone, hours)


@dataclass(frozen=True)
class Offered:
    """One saved reply as the composer offers it: filled as far as is known."""

    id: str
    title: str
    text: str
    pieces: tuple[tuple[str, str], ...]
    segments: int
    language: str


def offered(words: Words, language: str, values: Mapping[str, str]) -> tuple[Offered, ...]:
    """Return the saved replies in the language of the phone, in English where there are none."""
    saved = words.replies.get(language) or words.replies.get("en")
    return tuple(_offered(reply, values, saved.language) for reply in saved.replies.values()) if saved else ()


def _offered(reply: SavedReply, values: Mapping[str, str], language: str) -> Offered:
    text = filled(reply.text, values)
    return Offered(reply.id, reply.title, text, pieces(reply.text, values), measure(text).count, language)


def places(
    words: Words,
    clinic: ClinicVoice,
    nurse: str,
    speakers: Sequence[Speaker],
    pumps: Mapping[int, PumpLine],
    language: str,
) -> dict[str, str]:
    """Return what can be filled in for a phone. Of several patients nobody can tell whose name or visit is meant."""
    found = {**clinic.fillings(), "nurse": nurse}
    if len(speakers) != 1:
        return found
    speaker, voice = speakers[0], words.voice(language)
    called = speaker.name if speaker.is_carer else speaker.person.given_name
    if called and called != UNREADABLE:
        found["given_name"] = called.split()[0] if speaker.is_carer else called
    pump = pumps.get(speaker.person.id)
    if pump and pump.next_visit:
        found["visit_day"] = voice.day(pump.next_visit, clinic.zone)
        found["visit_time"] = voice.hour(pump.next_visit, clinic.zone)
    return found
