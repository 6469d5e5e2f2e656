"""The reviewed answers: read from files, checked for shape, kept in memory. What they say is checked in checks.py."""

import csv
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from pathlib import Path
from types import MappingProxyType
from typing import Any, Literal

import frontmatter
import yaml

HERE = Path(__file__).parent
MORE_MARK = "---more---"
PLACEHOLDERS = ("clinic", "phone", "after_hours", "emergency")
GROUPS = (
    "Urgent",
    "My pump",
    "Refills",
    "Body and daily life",
    "Out and about",
    "Scans and procedures",
    "Medicines",
    "Before a pump",
    "About the therapy",
)
FALLBACK = "en"
AWAITING_REVIEW = "awaiting qualified review"  # of a translation nobody qualified has signed

_PLACEHOLDER = re.compile(r"\{([^{}]*)\}")
_TOPIC = re.compile(r"[a-z][a-z0-9]*(-[a-z0-9]+)*")
_STRAY_BRACE = re.compile(r"[{}]")


class ContentError(ValueError):
    """A content file cannot be used; the message names the file, the field, what is wrong and an example."""


@dataclass(frozen=True)
class Source:
    title: str
    publisher: str
    year: str  # as printed: "2012", "c. 2016", "n.d."
    url: str


@dataclass(frozen=True)
class Answer:
    """One reviewed answer in one language. `short` and `more` still hold their {placeholders}."""

    topic: str
    title: str
    group: str
    keywords: tuple[str, ...]
    questions: tuple[int, ...]
    related: tuple[str, ...]
    phrases: tuple[str, ...]
    sources: tuple[str, ...]
    awaiting_clinical_review: tuple[str, ...]
    version: int
    state: Literal["draft", "signed"]
    reviewed_on: date
    reviewed_by: str
    review_by: date
    short: str
    more: str | None
    language: str
    translation: str | None = None  # who vouches for the translation; None for an answer written in English
    translates: int | None = None  # the version of the English answer that this one says

    @property
    def file(self) -> str:
        return f"answers/{self.language}/{self.topic}.md"


@dataclass(frozen=True, eq=False)
class Library:
    """All answers. Compared by identity, so that what is worked out from a library can be kept beside it."""

    answers: Mapping[str, Mapping[str, Answer]]  # language -> topic -> answer
    questions: Mapping[int, tuple[str, str]]  # number -> (question, topic)
    sources: Mapping[str, Source] = field(default_factory=dict)

    def get(self, topic: str, language: str = FALLBACK) -> Answer | None:
        """Return the answer in the language asked for, else in English, else None."""
        return self.answers.get(language, {}).get(topic) or self.answers.get(FALLBACK, {}).get(topic)

    @property
    def topics(self) -> tuple[str, ...]:
        """Every topic with an English answer, in alphabetical order."""
        return tuple(self.answers.get(FALLBACK, {}))

    @property
    def languages(self) -> tuple[str, ...]:
        return tuple(self.answers)


def load(folder: Path | str = HERE) -> Library:
    """Read `answers/<language>/*.md`, `questions.csv` and `sources.yaml` under the folder.

    Raises ContentError for anything that cannot be read; never returns part of a file.
    """
    folder = Path(folder)
    answers: dict[str, Mapping[str, Answer]] = {}
    for place in sorted(path for path in (folder / "answers").glob("*") if path.is_dir()):
        found = (_read_answer(path, place.name) for path in sorted(place.glob("*.md")))
        answers[place.name] = MappingProxyType({answer.topic: answer for answer in found})
    if not answers.get(FALLBACK):
        raise ContentError(f"{folder / 'answers' / FALLBACK}: no answers found; example: answers/en/travel.md")
    questions = _read_questions(folder / "questions.csv")
    sources = _read_sources(folder / "sources.yaml")
    return Library(MappingProxyType(answers), MappingProxyType(questions), MappingProxyType(sources))


def render(text: str, fillings: Mapping[str, str]) -> str:
    """Fill {clinic}, {phone}, {after_hours} and {emergency}.

    Raises ContentError for a placeholder we do not know, one without a filling, and a filling we do not know.
    """
    if unknown := sorted(set(fillings) - set(PLACEHOLDERS)):
        raise ContentError(f"no placeholder is called {unknown[0]!r}; known: {', '.join(PLACEHOLDERS)}")

    def fill(found: re.Match[str]) -> str:
        name = found.group(1)
        if name not in PLACEHOLDERS:
            raise ContentError(f"unknown placeholder {{{name}}}; known: {', '.join(PLACEHOLDERS)}")
        if name not in fillings:
            raise ContentError(f"nothing to fill {{{name}}} with; give fillings[{name!r}]")
        return fillings[name]

    if _STRAY_BRACE.search(_PLACEHOLDER.sub("", text)):
        raise ContentError("a brace without its partner; example: {phone}")
    return _PLACEHOLDER.sub(fill, text)


def _read_answer(path: Path, language: str) -> Answer:
    return _Fields(path, language).answer()


class _Fields:
    """One file's front matter, taken out field by field so that each error can name its field."""

    def __init__(self, path: Path, language: str) -> None:
        self.name = f"answers/{language}/{path.name}"
        self.stem, self.language = path.stem, language
        try:
            post = frontmatter.loads(path.read_text(encoding="utf-8"))
        except (OSError, ValueError, TypeError, AttributeError, RecursionError, yaml.YAMLError) as error:
            reason = " ".join(str(error).split())[:200]
            raise ContentError(
                f"{self.name}: front matter: cannot be read ({reason}); put words with ':' or '#' in quotes; "
                "example: phrases: ['pump: what is it']"
            ) from error
        self.values: dict[str, Any] = dict(post.metadata)
        self.body = str(post.content)

    def fail(self, name: str, wrong: str, example: str) -> ContentError:
        return ContentError(f"{self.name}: {name}: {wrong}; example: {example}")

    def answer(self) -> Answer:
        topic = self.text("topic", "travel")
        if topic != self.stem or not _TOPIC.fullmatch(topic):
            raise self.fail("topic", f"is not the file's name {self.stem!r}", f"topic: {self.stem}")
        group = self.text("group", "Out and about")
        if group not in GROUPS:
            raise self.fail("group", f"{group!r} is not one of: {', '.join(GROUPS)}", "Out and about")
        short, more = self.texts()
        answer = Answer(
            topic=topic,
            title=self.text("title", "Travel with a pump"),
            group=group,
            keywords=self.texts_in("keywords", "[TRAVEL, TRIP]"),
            questions=self.numbers("questions", "[20]"),
            related=self.texts_in("related", "[security, availability]"),
            phrases=self.texts_in("phrases", "['can i fly with my pump']"),
            sources=self.texts_in("sources", "[S9, S5]"),
            awaiting_clinical_review=self.texts_in("awaiting_clinical_review", "[]"),
            version=self.number("version", "1"),
            state=self.state(),
            reviewed_on=self.day("reviewed_on", "2026-11-22"),
            reviewed_by=self.text("reviewed_by", "Dr A. Example, 2026"),
            review_by=self.day("review_by", "2027-05-22"),
            short=short,
            more=more,
            language=self.language,
            translation=self.text("translation", AWAITING_REVIEW) if self.language != FALLBACK else None,
            translates=self.number("translates", "1") if self.language != FALLBACK else None,
        )
        if self.values:
            unknown = min(map(str, self.values))
            raise self.fail(unknown, "is not a field of an answer", "title, keywords, sources")
        return answer

    def take(self, name: str, example: str) -> Any:
        if name not in self.values:
            raise self.fail(name, "is missing", f"{name}: {example}")
        return self.values.pop(name)

    def text(self, name: str, example: str) -> str:
        value = self.take(name, example)
        if not isinstance(value, str) or not value.strip():
            raise self.fail(name, "must be words", f"{name}: {example}")
        return value.strip()

    def texts_in(self, name: str, example: str) -> tuple[str, ...]:
        value = self.take(name, example)
        if not isinstance(value, list):
            raise self.fail(name, "must be a list", f"{name}: {example}")
        for item in value:
            if not isinstance(item, str) or not item.strip():
                wrong = f"{str(item)[:60]!r} is not words (quote it if it looks like a number, a date, yes, no or a: b)"
                raise self.fail(name, wrong, f"{name}: {example}")
        return tuple(item.strip() for item in value)

    def number(self, name: str, example: str) -> int:
        value = self.take(name, example)
        if not isinstance(value, int) or isinstance(value, bool) or value < 1:
            raise self.fail(name, "must be a whole number from 1", f"{name}: {example}")
        return value

    def numbers(self, name: str, example: str) -> tuple[int, ...]:
        value = self.take(name, example)
        if not isinstance(value, list) or any(not isinstance(n, int) or isinstance(n, bool) or n < 1 for n in value):
            raise self.fail(name, "must be a list of numbers from questions.csv", f"{name}: {example}")
        return tuple(value)

    def day(self, name: str, example: str) -> date:
        value = self.take(name, example)
        if not isinstance(value, date) or isinstance(value, datetime):
            raise self.fail(name, "must be a day, year-month-day", f"{name}: {example}")
        return value

    def state(self) -> Literal["draft", "signed"]:
        value = self.text("state", "draft")
        if value == "draft":
            return "draft"
        if value == "signed":
            return "signed"
        raise self.fail("state", f"{value!r} is neither draft nor signed", "state: draft")

    def texts(self) -> tuple[str, str | None]:
        parts = [part.strip() for part in self.body.split(MORE_MARK)]
        if len(parts) > 2:
            raise self.fail("more", f"{MORE_MARK} stands there more than once", "one short text, one more text")
        for name, part in zip(("short", "more"), parts, strict=False):
            if not part:
                raise self.fail(name, "is empty", "Call {phone} before you fly.")
            if "\n" in part:
                raise self.fail(name, "has a line break inside", "one paragraph on one line")
            unknown = [found for found in _PLACEHOLDER.findall(part) if found not in PLACEHOLDERS]
            if unknown or _STRAY_BRACE.search(_PLACEHOLDER.sub("", part)):
                raise self.fail(name, "has a placeholder we cannot fill", "{" + "} {".join(PLACEHOLDERS) + "}")
        return parts[0], parts[1] if len(parts) == 2 else None


def _read_questions(path: Path) -> dict[int, tuple[str, str]]:
    example = '20,"Can I travel with the pump?",travel'
    try:
        with path.open(encoding="utf-8", newline="") as file:
            rows = list(csv.DictReader(file, strict=True))
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise ContentError(f"{path.name}: cannot be read ({type(error).__name__}); example row: {example}") from error
    questions: dict[int, tuple[str, str]] = {}
    for row in rows:
        number, question, topic = ((row.get(name) or "").strip() for name in ("number", "question", "topic"))
        if not (number.isascii() and number.isdigit()) or not question or not _TOPIC.fullmatch(topic):
            raise ContentError(
                f"{path.name}: row {len(questions) + 1}: number, question or topic is bad; like {example}"
            )
        if int(number) in questions:
            raise ContentError(f"{path.name}: number {number}: stands there twice; give each question its own")
        questions[int(number)] = (question, topic)
    if not questions:
        raise ContentError(f"{path.name}: no questions; needs number,question,topic and rows like {example}")
    return questions


def _read_sources(path: Path) -> dict[str, Source]:
    example = "S9: {title: ..., publisher: ..., year: '2016', url: 'https://...'}"
    try:
        loaded = yaml.load(path.read_bytes(), Loader=getattr(yaml, "CSafeLoader", yaml.SafeLoader))  # noqa: S506
    except (OSError, ValueError, RecursionError, yaml.YAMLError) as error:
        raise ContentError(f"{path.name}: cannot be read ({type(error).__name__}); example: {example}") from error
    if not isinstance(loaded, dict) or not loaded:
        raise ContentError(f"{path.name}: must map tags to sources; example: {example}")
    sources: dict[str, Source] = {}
    for tag, value in loaded.items():
        names = ("title", "publisher", "year", "url")
        if not isinstance(tag, str) or not isinstance(value, dict) or set(value) != set(names):
            raise ContentError(f"{path.name}: {str(tag)[:20]}: needs exactly {', '.join(names)}; example: {example}")
        if any(not isinstance(value[name], str | int) for name in names) or not str(value["url"]).startswith("http"):
            raise ContentError(f"{path.name}: {tag[:20]}: words and a web address, please; example: {example}")
        sources[tag] = Source(*(str(value[name]) for name in names))
    return sources
