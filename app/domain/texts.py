"""The words: reviewed answers (faq) and the system's own texts (app/texts), filled in for one clinic."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from functools import cache
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import yaml

from app.domain.crisis import crisis_line
from app.domain.phone import readable
from app.domain.replies import SavedReplies, load_replies
from app.domain.unreadable import UNREADABLE
from faq.library import Library, load, render
from faq.understand import prepare

TEXTS_DIR = Path(__file__).parent.parent / "texts"


@dataclass(frozen=True)
class SystemText:
    id: str
    version: int
    text: str
    sources: tuple[str, ...]
    awaiting_clinical_review: tuple[str, ...]


@dataclass(frozen=True)
class Voice:
    """The system's texts in one language, with its way of writing a moment."""

    language: str
    state: str
    reviewed_on: date
    reviewed_by: str
    review_by: date
    texts: Mapping[str, SystemText]
    days: tuple[str, ...]
    months: tuple[str, ...]
    day_pattern: str
    moment_pattern: str
    clock: int
    unnamed: str  # a patient whose given name cannot be read
    groups: Mapping[str, str]  # how the menu calls the groups of topics, where not in English
    translation: str | None  # who vouches for the translation; None for English

    def called(self, given_name: str) -> str:
        """Return how a text calls a patient: by given name, and by none where it cannot be read."""
        return self.unnamed if given_name == UNREADABLE else given_name

    def moment(self, at: datetime, zone: ZoneInfo, *, name_zone: bool = False) -> str:
        """Return day and hour as patients read it: "Thu Dec 3, 10:30 AM", with the zone's name when asked."""
        hour = self.hour(at, zone)
        if name_zone:
            hour += f" {at.astimezone(zone):%Z}"
        return self.moment_pattern.format(day=self.day(at, zone), hour=hour)

    def hour(self, at: datetime, zone: ZoneInfo) -> str:
        """Return the hour as patients read it: "10:30 AM"."""
        local = at.astimezone(zone)
        return f"{local:%H:%M}" if self.clock == 24 else f"{local.hour % 12 or 12}:{local:%M} {local:%p}"

    def day(self, at: datetime, zone: ZoneInfo) -> str:
        """Return the day as patients read it: "Thu Dec 3"."""
        local = at.astimezone(zone)
        return self.day_pattern.format(
            weekday=self.days[local.weekday()], month=self.months[local.month - 1], date=local.day
        )


@dataclass(frozen=True)
class ClinicVoice:
    """What every text may be filled with: the clinic as patients know it."""

    name: str
    phone: str
    after_hours_phone: str
    emergency_number: str
    zone: ZoneInfo
    crisis: str = ""  # the country's free line for somebody who may harm themselves, if we know of one

    @staticmethod
    def of(name: str, phone: str, after_hours: str, emergency: str, time_zone: str, country: str) -> "ClinicVoice":
        line = crisis_line(country)
        return ClinicVoice(
            name,
            readable(phone, country),
            readable(after_hours, country),
            emergency,
            ZoneInfo(time_zone),
            line.number if line else "",
        )

    def fillings(self) -> dict[str, str]:
        return {
            "clinic": self.name,
            "phone": self.phone,
            "after_hours": self.after_hours_phone,
            "emergency": self.emergency_number,
        }


@dataclass(frozen=True)
class Rendered:
    """One text ready to go, and which reviewed words it came from."""

    body: str
    text_id: str  # answer:travel, more:travel, text:help
    version: int
    draft: bool


@dataclass(frozen=True)
class Words:
    library: Library
    voices: Mapping[str, Voice]
    replies: Mapping[str, SavedReplies] = field(default_factory=dict)  # what nurses often send

    def voice(self, language: str) -> Voice:
        return self.voices.get(language) or self.voices["en"]

    def system(self, name: str, clinic: ClinicVoice, language: str, **fill: str) -> Rendered:
        """Render one of the system's own texts. Raises KeyError for a name nobody wrote."""
        voice = self.voice(language)
        entry = voice.texts[name]
        body = _fill(entry.text, clinic.fillings() | {"crisis": clinic.crisis} | fill)
        return Rendered(body, f"text:{name}", entry.version, voice.state != "signed")

    def answer(self, topic: str, clinic: ClinicVoice, language: str, *, more: bool = False) -> Rendered:
        """Render a reviewed answer, or what it says on MORE. Raises KeyError where there is none."""
        found = self.library.get(topic, language)
        if found is None:
            raise KeyError(topic)
        words = found.more if more else found.short
        if words is None:
            raise KeyError(f"{topic} has no more")
        body = render(words, clinic.fillings())
        return Rendered(body, f"{'more' if more else 'answer'}:{topic}", found.version, found.state != "signed")


def load_words(answers_dir: Path | None = None, texts_dir: Path = TEXTS_DIR) -> Words:
    """Return every word we may send. Raises ContentError or ValueError naming the file and what is wrong.

    Those that come with the program are read once in a process: they change with it, never under it.
    """
    return _shipped() if answers_dir is None and texts_dir == TEXTS_DIR else _read(answers_dir, texts_dir)


@cache
def _shipped() -> Words:
    return _read(None, TEXTS_DIR)


def _read(answers_dir: Path | None, texts_dir: Path) -> Words:
    library = load(answers_dir) if answers_dir else load()
    prepare(library)
    voices = {voice.language: voice for voice in map(_load_voice, sorted(texts_dir.glob("*.yaml")))}
    if "en" not in voices:
        raise ValueError(f"{texts_dir}/en.yaml is missing: the system's own words live there")
    return Words(library, voices, load_replies(texts_dir / "replies"))


def _load_voice(path: Path) -> Voice:
    try:
        data: dict[str, Any] = yaml.safe_load(path.read_text("utf-8"))
        texts = {
            name: SystemText(
                name,
                int(entry["version"]),
                entry["text"],
                tuple(entry.get("sources", ())),
                tuple(entry.get("awaiting_clinical_review", ())),
            )
            for name, entry in data["texts"].items()
        }
        return Voice(
            language=data["language"],
            state=data["state"],
            reviewed_on=data["reviewed_on"],
            reviewed_by=data["reviewed_by"],
            review_by=data["review_by"],
            texts=texts,
            days=tuple(data["days"]),
            months=tuple(data["months"]),
            day_pattern=data["day"],
            moment_pattern=data["moment"],
            clock=int(data["clock"]),
            unnamed=data["unnamed"],
            groups=data.get("groups") or {},
            translation=data["translation"] if data["language"] != "en" else None,
        )
    except (KeyError, TypeError, yaml.YAMLError) as error:
        raise ValueError(
            f"{path.name}: {error!r} is missing or malformed; compare it with app/texts/en.yaml"
        ) from error


def _fill(text: str, fillings: Mapping[str, str]) -> str:
    return text.format_map(fillings)
