"""What must hold before an answer may reach a patient. Every finding names the file and how to mend it."""

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import date

from faq.intents import RESERVED
from faq.languages import languages
from faq.library import FALLBACK, Answer, Library, render
from faq.readability import grade, perspicuity
from faq.segments import measure, not_gsm7
from faq.spelling import SHORTEST_CORRECTABLE, slip

LONGEST_FILLINGS = {"clinic": "C" * 40, "phone": "5" * 18, "after_hours": "5" * 18, "emergency": "9" * 4}
SHORT_LIMIT = 306  # two GSM-7 segments of 153
MORE_LIMIT = 459  # three
HARDEST_GRADE = 6.0
LEAST_PERSPICUITY = 65  # "fairly easy" on the INFLESZ scale
URGENT_TOPICS = frozenset({"alarm", "withdrawal", "overdose", "missed-refill", "when-to-call"})
CALL_WITHIN = 70  # characters that survive any split: messaging-rules, section 8

_KEYWORD = re.compile(r"[A-Z]{3,12}")
_MORE = re.compile(r"\bMORE\b|\bMAS\b")
_COUNT = r"(?:\d+(?:[.,]\d+)?|half|an?|one|two|three|four|five|six|un|una|media|medio|dos|tres|cuatro)"
_PIECES = r"(?:tablets?|pills?|capsules?|drops?|puffs?|pastillas?|tabletas?|comprimidos?|capsulas?|gotas?)"
_THEM = r"(?:your|my|his|her|their|some|extra|more|the|su|sus|tu|tus|la|las|el|los|mas)"
DOSE_WORDS: tuple[tuple[re.Pattern[str], str], ...] = tuple(
    (re.compile(pattern, re.IGNORECASE), reason)
    for pattern, reason in (
        (r"\b(?:\d+(?:[.,]\d+)? ?)?(?:mg|mcg|ug|µg|μg)\b", "a weight of medicine"),
        (r"\d(?:mg|mcg|ug|µg|μg|ml|cc)\b", "an amount of medicine"),
        (r"\b(?:micro|milli)grams?\b|\b(?:micro|mili)gramos?\b", "a weight of medicine"),
        (r"\b(?:ml|mls|cc|millilit(?:er|re)s?|mililitros?)\b", "a volume of medicine"),
        (rf"\b{_COUNT} (?:\w+ )?{_PIECES}\b", "a number of tablets"),
        (
            rf"\b(?:take|taking|swallow|tome|tomar|toma) (?:{_THEM} |{_COUNT} )?(?:\w+ )?(?:{_PIECES}|baclofen\w*)",
            "advice to take medicine",
        ),
        (rf"\b(?:dose|doses|dosis) (?:of|de) (?:\w+ )?{_COUNT}\b|\b{_COUNT} (?:doses|dosis)\b", "a dose with a number"),
        (
            rf"\b(?:increase|raise|double|lower|reduce|cut|aumente|suba|duplique|baje|"
            rf"reduzca) {_THEM} (?:\w+ )?(?:dos(?:e|age|is)|baclofen\w*|medicine|tablets?|pills?|medicina)",
            "advice to change a dose",
        ),
        (r"\b\d+(?:[.,]\d+)? ?(?:units?|unidades)\b", "a dose in units"),
        (r"\bconcentration of \d", "a concentration"),
    )
)


@dataclass(frozen=True)
class Finding:
    file: str
    what: str
    remedy: str

    def __str__(self) -> str:
        return f"{self.file}: {self.what}. {self.remedy}"


@dataclass(frozen=True)
class Length:
    """How long one answer gets when every placeholder is filled at its longest."""

    file: str
    short: int
    short_segments: int
    more: int
    more_segments: int


def check(library: Library, today: date) -> list[Finding]:
    """Return everything that keeps these answers from being sent, in the order of the files."""
    found: list[Finding] = []
    for answers in library.answers.values():
        for answer in answers.values():
            for test in _ONE_ANSWER:
                found.extend(test(answer, library, today))
    found.sort(key=lambda finding: finding.file)
    return [*_coverage(library), *_keywords_across(library), *found]


def lengths(library: Library) -> list[Length]:
    return [_length(answer) for answers in library.answers.values() for answer in answers.values()]


def dose_words(text: str) -> list[tuple[str, str]]:
    """Return what in the text speaks of an amount of medicine, with the reason."""
    return [(found.group(), reason) for pattern, reason in DOSE_WORDS if (found := pattern.search(text))]


def _length(answer: Answer) -> Length:
    short, more = _filled(answer.short), _filled(answer.more or "")
    return Length(
        answer.file, len(short), measure(short).count, len(more), measure(more).count if answer.more is not None else 0
    )


def _filled(text: str) -> str:
    return render(text, LONGEST_FILLINGS)


def _texts(answer: Answer) -> Iterator[tuple[str, str]]:
    yield "short text", answer.short
    if answer.more is not None:
        yield "more text", answer.more


def _coverage(library: Library) -> Iterator[Finding]:
    english = library.answers.get(FALLBACK, {})
    for language, answers in library.answers.items():
        for topic in english.keys() - answers.keys():
            yield Finding(f"answers/{language}/{topic}.md", "topic has no translation", "Write this file.")
    for topic in dict.fromkeys(topic for _, topic in library.questions.values()):
        if topic not in english:
            yield Finding(f"answers/{FALLBACK}/{topic}.md", "topic has no answer", "Write this file.")
    for answers in library.answers.values():
        named: dict[int, str] = {}
        for answer in answers.values():
            for number in answer.questions:
                if number not in library.questions:
                    yield Finding(answer.file, f"no question has number {number}", "Use the numbers of questions.csv.")
                elif library.questions[number][1] != answer.topic:
                    topic = library.questions[number][1]
                    yield Finding(answer.file, f"question {number} belongs to {topic}", f"Move it to {topic}.md.")
                elif number in named:
                    yield Finding(answer.file, f"question {number} stands there twice", "Name it once.")
                named[number] = answer.topic
        for number, (_, topic) in library.questions.items():
            if topic in answers and number not in named:
                file = answers[topic].file
                yield Finding(file, f"question {number} is not answered", f"Add {number} to its questions.")


def _keywords_across(library: Library) -> Iterator[Finding]:
    for answers in library.answers.values():
        taken: dict[str, Answer] = {}
        for answer in answers.values():
            for word in answer.keywords:
                if (other := taken.get(word)) is not None:
                    where = "this file" if other is answer else other.file
                    yield Finding(
                        answer.file, f"keyword {word} is also in {where}", "Every keyword leads to one topic."
                    )
                taken.setdefault(word, answer)
        for word, answer in taken.items():
            for other_word, other in taken.items():
                if word < other_word and answer.topic != other.topic and _confusable(word, other_word):
                    what = f"keyword {word} is one slip from {other_word} in {other.file}"
                    yield Finding(answer.file, what, "Choose a word further away: neither could be corrected.")


def _confusable(word: str, other: str) -> bool:
    return max(len(word), len(other)) >= SHORTEST_CORRECTABLE and slip(word, other) is not None


def _keyword_words(answer: Answer, _: Library, __: date) -> Iterator[Finding]:
    if not answer.keywords:
        yield Finding(answer.file, "has no keyword", "Give at least one, example: keywords: [TRAVEL]")
    for word in answer.keywords:
        if not _KEYWORD.fullmatch(word):
            yield Finding(answer.file, f"keyword {word[:20]!r} is not 3 to 12 letters A-Z", "Example: TRAVEL")
        elif word in RESERVED:
            yield Finding(
                answer.file, f"keyword {word} has another meaning", "Carriers or commands use it; choose another."
            )


def _sources(answer: Answer, library: Library, _: date) -> Iterator[Finding]:
    if not answer.sources:
        yield Finding(answer.file, "names no source", "Give the tags of the facts used, example: sources: [S9]")
    for tag in answer.sources:
        if tag not in library.sources:
            yield Finding(answer.file, f"source {tag} is unknown", "Use a tag from sources.yaml.")


def _alphabet(answer: Answer, _: Library, __: date) -> Iterator[Finding]:
    for name, text in _texts(answer):
        if wrong := not_gsm7(_filled(text)):
            shown = " ".join(f"{character} (U+{ord(character):04X})" for character in wrong[:5])
            yield Finding(answer.file, f"{name} is not GSM-7: {shown}", "Use plain quotes, hyphens and letters.")


def _size(answer: Answer, _: Library, __: date) -> Iterator[Finding]:
    length = _length(answer)
    for name, size, segments, limit, most in (
        ("short text", length.short, length.short_segments, SHORT_LIMIT, 2),
        ("more text", length.more, length.more_segments, MORE_LIMIT, 3),
    ):
        if size > limit or segments > most:
            what = f"{name} has {size} characters in {segments} segments when filled at the longest"
            yield Finding(answer.file, what, f"At most {limit} in {most}.")


def _reading(answer: Answer, _: Library, __: date) -> Iterator[Finding]:
    for name, text in _texts(answer):
        if answer.language == "es" and (easy := perspicuity(text)) < LEAST_PERSPICUITY:
            what = f"{name} reads at {easy:.0f} by Szigriszt"
            yield Finding(answer.file, what, f"Shorter sentences and words, to {LEAST_PERSPICUITY} or more.")
        if answer.language == FALLBACK and (hard := grade(text)) > HARDEST_GRADE:
            yield Finding(
                answer.file, f"{name} reads at grade {hard:.1f}", "Shorter sentences and words, to 6.0 or less."
            )


def _doses(answer: Answer, _: Library, __: date) -> Iterator[Finding]:
    for name, text in _texts(answer):
        for words, reason in dose_words(text):
            yield Finding(answer.file, f"{name} has {words!r}: {reason}", "No answer speaks of amounts of medicine.")


def _review(answer: Answer, _: Library, today: date) -> Iterator[Finding]:
    if answer.review_by < answer.reviewed_on:
        yield Finding(answer.file, "review_by lies before reviewed_on", "Correct the days.")
    if answer.reviewed_on > today:
        yield Finding(answer.file, f"reviewed_on {answer.reviewed_on} is in the future", "Give the day of the review.")
    if answer.review_by < today:
        yield Finding(answer.file, f"its review expired on {answer.review_by}", "Review it again and set new days.")


def _translation(answer: Answer, library: Library, _: date) -> Iterator[Finding]:
    english = library.answers[FALLBACK].get(answer.topic)
    if answer.language == FALLBACK:
        return
    if english is None:
        yield Finding(answer.file, "translates an answer that does not exist", "Write the English one first.")
    elif answer.translates != english.version:
        what = f"translates version {answer.translates} of an answer that is now at {english.version}"
        yield Finding(answer.file, what, "Compare the two, then set translates.")


def _related(answer: Answer, library: Library, _: date) -> Iterator[Finding]:
    for topic in answer.related:
        if topic == answer.topic:
            yield Finding(answer.file, "is related to itself", "Name other topics.")
        elif library.get(topic, answer.language) is None:
            yield Finding(answer.file, f"related topic {topic} does not exist", "Name an existing topic.")


def _more(answer: Answer, _: Library, __: date) -> Iterator[Finding]:
    offered = _MORE.search(answer.short) is not None
    if offered and answer.more is None:
        yield Finding(answer.file, "offers MORE but has no more text", "Write it after the line ---more---.")
    if answer.more is not None and not offered:
        yield Finding(answer.file, "has a more text nobody is told of", "End the short text with: Reply MORE for ...")


def _action_first(answer: Answer, _: Library, __: date) -> Iterator[Finding]:
    known = languages().get(answer.language)
    words = known.call if known else ()
    start = _filled(answer.short)[:CALL_WITHIN].lower()
    if words and answer.topic in URGENT_TOPICS and not any(word in start for word in words):
        yield Finding(answer.file, f"does not say to call within {CALL_WITHIN} characters", "Put the call first.")


_ONE_ANSWER: tuple[Callable[[Answer, Library, date], Iterator[Finding]], ...] = (
    _keyword_words,
    _sources,
    _alphabet,
    _size,
    _reading,
    _doses,
    _review,
    _translation,
    _related,
    _more,
    _action_first,
)
