"""Saved replies: words that a nurse often sends, by language, with places to fill in."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

import yaml

from faq.checks import Finding, dose_words
from faq.segments import measure, not_gsm7

PLACES = ("given_name", "clinic", "phone", "after_hours", "emergency", "nurse", "visit_day", "visit_time")
LONGEST = {
    "given_name": "G" * 16,
    "clinic": "C" * 40,
    "phone": "5" * 18,
    "after_hours": "5" * 18,
    "emergency": "9" * 4,
    "nurse": "N" * 16,
    "visit_day": "D" * 14,
    "visit_time": "T" * 8,
}
MOST_SEGMENTS = 2
FEWEST = 14
# such as {visit_day}; other braces are a nurse's own
_PLACE = re.compile(r"\{([a-z][a-z_]*)\}")
_REPLIES = "texts/replies"


@dataclass(frozen=True)
class SavedReply:
    id: str
    title: str
    text: str

    @property
    def places(self) -> tuple[str, ...]:
        return tuple(dict.fromkeys(_PLACE.findall(self.text)))


@dataclass(frozen=True)
class SavedReplies:
    """The saved replies of one language."""

    file: str
    language: str
    state: str  # draft, signed
    review_by: date
    replies: Mapping[str, SavedReply]
    translation: str | None = None  # who vouches for the translation; None for English


def unfilled(text: str) -> tuple[str, ...]:
    """Return the places of a text that nothing was filled into, as they stand there: "{visit_day}"."""
    return tuple(dict.fromkeys(f"{{{name}}}" for name in _PLACE.findall(text)))


def filled(text: str, values: Mapping[str, str]) -> str:
    """Fill in what is known; what is not stays, to be filled in by hand."""
    return _PLACE.sub(lambda place: values.get(place[1]) or place[0], text)


def pieces(text: str, values: Mapping[str, str]) -> tuple[tuple[str, str], ...]:
    """Return a text in pieces, each with what it is: "" the reviewed words, filled, or empty for a place left open."""
    found: list[tuple[str, str]] = []
    end = 0
    for place in _PLACE.finditer(text):
        found.append((text[end : place.start()], ""))
        value = values.get(place[1])
        found.append((value, "filled") if value else (place[0], "empty"))
        end = place.end()
    return tuple((words, kind) for words, kind in (*found, (text[end:], "")) if words)


def load_replies(folder: Path) -> dict[str, SavedReplies]:
    """Read the saved replies of every language. Raises ValueError naming the file and what is wrong."""
    return {replies.language: replies for replies in map(_load, sorted(folder.glob("*.yaml")))}


def _load(path: Path) -> SavedReplies:
    try:
        data: dict[str, Any] = yaml.safe_load(path.read_text("utf-8"))
        return SavedReplies(
            f"{_REPLIES}/{path.name}",
            data["language"],
            data["state"],
            data["review_by"],
            {name: SavedReply(name, entry["title"], entry["text"]) for name, entry in data["replies"].items()},
            data["translation"] if data["language"] != "en" else None,
        )
    except (KeyError, TypeError, AttributeError, yaml.YAMLError) as error:
        wrong = f"{error!r} is missing or malformed; compare it with app/{_REPLIES}/en.yaml"
        raise ValueError(f"replies/{path.name}: {wrong}") from error


def check_replies(replies: Mapping[str, SavedReplies], today: date) -> list[Finding]:
    """Return everything that keeps the saved replies from being offered, in the order of the files."""
    found = []
    english = replies.get("en")
    for language, these in replies.items():
        if english and these.replies.keys() != english.replies.keys():
            odd = ", ".join(sorted(these.replies.keys() ^ english.replies.keys()))
            found.append(
                Finding(these.file, f"not the same replies as in English: {odd}", f"Write them in {language}.")
            )
        if len(these.replies) < FEWEST:
            found.append(Finding(these.file, f"{len(these.replies)} replies", f"At least {FEWEST}."))
        if these.review_by < today:
            found.append(Finding(these.file, f"review was due {these.review_by}", "Have them reviewed."))
        for reply in these.replies.values():
            found += [Finding(these.file, f"{reply.id}: {what}", remedy) for what, remedy in _wrong_with(reply)]
            twin = english.replies.get(reply.id) if english else None
            if twin and set(twin.places) != set(reply.places):
                found.append(Finding(these.file, f"{reply.id}: not the places of the English reply", "Use the same."))
    return found


def _wrong_with(reply: SavedReply) -> Iterator[tuple[str, str]]:
    for name in reply.places:
        if name not in PLACES:
            yield f"{{{name}}} is no place that can be filled", f"One of {', '.join(PLACES)}."
    if "{" in _PLACE.sub("", reply.text) or "}" in _PLACE.sub("", reply.text):
        yield "a stray brace", "Only around the name of a place."
    if strange := not_gsm7(reply.text):
        yield f"{' '.join(strange)} make every text longer", "Write it with the plain SMS alphabet."
    segments = measure(filled(reply.text, LONGEST)).count
    if segments > MOST_SEGMENTS:
        yield f"{segments} segments when filled at its longest", f"At most {MOST_SEGMENTS}."
    for words, reason in dose_words(reply.text):
        yield f'"{words}" is {reason}', "A saved reply says nothing about a dose."
    if not reply.title.strip():
        yield "no title", "Say in a few words when a nurse sends it."
