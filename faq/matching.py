"""Free text to a topic: an exact question first, then likeness to the questions and phrasings of the answer files.

Every example is a bag of weighted words, word pairs and letter groups; every topic is the sum of its examples. What
is common to many topics weighs little. One dictionary look-up per feature gives the score of all topics at once.
"""

import math
import re
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import lru_cache

from faq.library import Library
from faq.spelling import fold, normal, words_of

# Chosen on the phrases of the answer files, a tenth held back at a time (November 2026): 20 % answered rightly, 3 %
# wrongly, 29 % by a menu with the right topic, 10 % by one without, 38 % left to a nurse. Caution before reach.
ANSWER_FROM = 0.5
ANSWER_MARGIN = 0.14
CHOICE_FROM = 0.25
CHOICE_SHARE = 0.5  # of the best score
MOST_CHOICES = 3

_EXACT_FROM = 4  # words from which an exact canonical question outranks everything, an urgent sign included
_NORMALISING = 0.4
_OTHER_PUMP = re.compile(r"\b(?:insulin|breast|sump|well|water|heat|gas|fuel|bike|tire|septic) pumps?\b")
_ENDINGS = ("ing", "ies", "ed", "es", "s")
_EVERYWHERE = frozenset(
    {"what", "when", "with", "have", "your", "does", "will", "that", "this", "pump", "baclofen", "should", "would"}
    | {"about", "there", "from", "them", "they", "been", "some", "need", "know", "much", "very"}
)


@dataclass(frozen=True)
class Match:
    """Either a topic (sure) or two or three choices (close), with how sure and how far ahead of the next."""

    topic: str | None
    choices: tuple[str, ...]
    confidence: float
    margin: float


class Matcher:
    """Built once from a library (some tenths of a second), then only read: safe to share between threads."""

    def __init__(self, library: Library) -> None:
        examples = list(examples_of(library))
        self.exact = {_solid(question): topic for question, topic in library.questions.values()}
        self.known = {_solid(text): topic for topic, text in examples} | self.exact
        self._weights = train(examples)

    def rank(self, text: str) -> list[tuple[str, float]]:
        """Topics with their likeness, 0 to 1, the best first."""
        return rank(text, self._weights)

    def match(self, text: str) -> Match | None:
        """Return a topic, choices, or None when nothing is close enough to stand by."""
        if topic := self.known.get(_solid(text)):
            return Match(topic, (), 1.0, 1.0)
        if _OTHER_PUMP.search(normal(text)):
            return None
        return decide(self.rank(text))


@lru_cache(maxsize=4)
def matcher(library: Library) -> Matcher:
    return Matcher(library)


def canonical(text: str, library: Library) -> str | None:
    """Return the topic when the text is one of the known questions, word for word, and long enough to be sure."""
    if len(normal(text).split(" ")) < _EXACT_FROM:
        return None
    return matcher(library).exact.get(_solid(text))


def _solid(text: str) -> str:
    """Without spaces: 'ITB/pump' stays equal to 'itbpump' when somebody strips the punctuation."""
    return normal(text).replace(" ", "")


def examples_of(library: Library) -> Iterator[tuple[str, str]]:
    """Every wording we know for a topic: its questions, phrases, keywords and title."""
    for question, topic in library.questions.values():
        yield topic, question
    for answers in library.answers.values():
        for answer in answers.values():
            yield answer.topic, answer.title
            yield answer.topic, " ".join(answer.keywords)
            for phrase in answer.phrases:
                yield answer.topic, phrase


def decide(ranked: list[tuple[str, float]]) -> Match | None:
    if not ranked:
        return None
    best, confidence = ranked[0]
    margin = confidence - (ranked[1][1] if len(ranked) > 1 else 0.0)
    if confidence >= ANSWER_FROM and margin >= ANSWER_MARGIN:
        return Match(best, (), confidence, margin)
    if confidence < CHOICE_FROM:
        return None
    close = tuple(topic for topic, score in ranked[:MOST_CHOICES] if score >= confidence * CHOICE_SHARE)
    return Match(None, close, confidence, margin) if len(close) > 1 else None


@dataclass(frozen=True)
class Weights:
    by_feature: dict[str, tuple[float, tuple[tuple[str, float], ...]]]  # feature -> (rarity, share of each topic)
    unknown: float  # rarity of a feature seen in no example: it counts against every topic


def train(examples: Iterable[tuple[str, str]]) -> Weights:
    spread: Counter[str] = Counter()
    topics: dict[str, Counter[str]] = {}
    for topic, text in examples:
        counts = Counter(set(features(text)))
        spread.update(counts.keys())
        topics.setdefault(topic, Counter()).update(counts)
    total = len(topics)
    postings: dict[str, list[tuple[str, float]]] = {}
    in_topics: Counter[str] = Counter(feature for counts in topics.values() for feature in counts)
    for topic, counts in topics.items():
        damped = {
            feature: (1 + math.log(count)) * math.log((total + 1) / in_topics[feature])
            for feature, count in counts.items()
        }
        # Less than full normalising: a topic with more examples may claim a little more.
        length = sum(value * value for value in damped.values()) ** _NORMALISING or 1.0
        for feature, value in damped.items():
            postings.setdefault(feature, []).append((topic, value / length))
    rarity = {feature: math.log((total + 1) / in_topics[feature]) for feature in postings}
    return Weights({f: (rarity[f], tuple(rows)) for f, rows in postings.items()}, math.log(total + 1))


def rank(text: str, weights: Weights) -> list[tuple[str, float]]:
    scores: dict[str, float] = {}
    length = 0.0
    for feature in set(features(text)):
        known = weights.by_feature.get(feature)
        if known is None:
            length += weights.unknown * weights.unknown / 4
            continue
        rarity, rows = known
        length += rarity * rarity
        for topic, share in rows:
            scores[topic] = scores.get(topic, 0.0) + rarity * share
    scale = math.sqrt(length) or 1.0
    return sorted(((topic, score / scale) for topic, score in scores.items()), key=lambda row: (-row[1], row[0]))


def features(text: str) -> Iterator[str]:
    """Word stems, neighbouring pairs and, for words that carry meaning, their groups of three letters."""
    before = ""
    for word in words_of(fold(text)):
        stem = _stem(word)
        yield stem
        if before:
            yield f"{before} {stem}"
        if len(word) > 3 and word not in _EVERYWHERE:
            edged = f"<{word}"
            for start in range(len(edged) - 2):
                yield "~" + edged[start : start + 3]
        before = stem


def _stem(word: str) -> str:
    for ending in _ENDINGS:
        if len(word) - len(ending) >= 3 and word.endswith(ending):
            return word[: -len(ending)]
    return word
