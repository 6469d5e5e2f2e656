"""What a harmless text asks for or about: wishes, questions and nothing at all compete for it."""

import re
from dataclasses import dataclass, replace
from functools import lru_cache

from faq.context import Language
from faq.features import features
from faq.intents import Intent, may_refuse
from faq.language import READ_BY_MODEL
from faq.library import Library
from faq.matching import matcher
from faq.meaning import LATE_REFILL, MISSED, Understanding, admin, late
from faq.model import model
from faq.reading import INTENT, LATE_NOW, NONE, TOPIC, URGENT, Read
from faq.spelling import fold, words_of
from faq.urgent import OTHER_PUMP, late_refill

# Chosen on the seen set (docs/understanding.md), of what is left once it is not urgent.
ANSWER_FROM = 0.45
ANSWER_MARGIN = 0.15  # over the next topic, any wish and all that asks nothing
CHOICES_FROM = 0.3  # of the two or three together
CHOICE_FROM = 0.04  # of each
INTENT_FROM = 0.35
GRAVE_FROM = 0.5  # of a wish that ends all texts, where no rule knows its words
SHORT_FROM = 0.8  # of a wish in a word or two that say little ("ty")
PLAINLY_LEAVES = 0.9  # of an opt-out, where the text names what hurts
_CRIED_OF = frozenset({"#itch", "#twitch", "#spasm", "#pain", "#seizure", "#tingle", "#beep"})
_GRAVE = frozenset({"opt_out", "wrong_number"})
RULE_COUNTS = 0.35  # what a rule's word adds to the model's
DOSE_FROM = 0.35
TAKING_SURE_FROM = 0.9  # of a question, where somebody asks whether to take something
OUT_FROM = 0.35
CALM_FROM = 0.6  # from here on "never missed a refill" is no missed refill
SURE_FROM = 0.8  # of a question: what a rule adds to a wish is less than this
LATE_HINT_FROM = 0.01  # of a missed refill in the whole text, before its wording is looked at
PART_ASKS_FROM = 0.7
MOST_CHOICES = 3
_MANY = 1_000
PART_SURE_FROM = 0.95  # of a question that one part asks, beside another that asks another
_ASKS_SOMETHING = 2  # spaces in such a part
_SAYS_SOMETHING = 3  # letters of the longest word
WORTH_KEEPING = frozenset(
    {"reschedule", "cancel_appointment", "running_late", "when_is_my_refill", "human", "opt_out", "confirm"}
)
# An amount of medicine is never answered by a text: a nurse must see the question.
_AMOUNT = re.compile(
    r"\b(?:how (?:much|many)|what|wat|which|cuanto|cuanta|cuantas|cuantos) (?:\w+ ){0,4}"
    r"(?:take|give|mg|mcg|milligrams?|micrograms?|ml|tomar|dar)\b(?: \w+){0,4}|\b\d+ ?(?:mg|mcg|ml|milligrams?|"
    r"micrograms?)\b|"
    r"\b(?:double|extra|increase|raise|lower|reduce|turn up|turn down|change) (?:my |his |her |the |"
    r"a )?(?:\w+ )?dos(?:e|age|is)\b"
)
# "Can I take pills" may be about an amount, or about alcohol.
_TAKING = re.compile(r"\b(?:can|should) (?:i|he|she) (?:\w+ ){0,4}(?:take|give)\b")
_MEDICINE = re.compile(
    r"\b(?:baclofen\w*|pills?|tablets?|dos(?:e|es|age|is)|mg|mcg|ml|milligrams?|micrograms?|pastillas?|tabletas?)\b"
)


@dataclass(frozen=True)
class Weighed:
    """What competes, each with its chance among all that is not urgent. `topics`: the likeliest first."""

    topics: list[tuple[str, float]]
    asked: Intent
    asked_chance: float
    nothing: str  # calm, out_of_scope, dose_request or opt_out_lookalikes
    nothing_chance: float

    @property
    def best(self) -> tuple[str, float]:
        return self.topics[0]

    @property
    def margin(self) -> float:
        second = self.topics[1][1] if len(self.topics) > 1 else 0.0
        return self.best[1] - max(second, self.asked_chance, self.nothing_chance)


def weigh(read: Read, ruled: Intent | None, library: Library, language: Language) -> Understanding:
    """Return what a text without danger means. `ruled`: a wish that a rule heard in it."""
    trained, added = _topics_trained_on(library)
    if language not in READ_BY_MODEL or not trained:
        return _by_likeness(read.text, ruled, library, language)
    if added and not ruled and (match := matcher(library).match(read.text)) and match.topic in added:
        return _by_likeness(read.text, ruled, library, language)
    said = _weighed(read, ruled, trained)
    line = " ".join(words_of(fold(read.text)))
    if _asks_for_a_dose(said, line):
        why = "asks about an amount of medicine: only a nurse may answer"
        return Understanding("unknown", language, why=why, unknown_because="dose")
    if (wish := _wish(said, ruled, line)) is not None:
        return _asked_and_more(admin(wish, language), read)
    if not any(len(word) >= _SAYS_SOMETHING for word in line.split()):
        return Understanding("unknown", language, why="too short to mean anything")
    if OTHER_PUMP.search(line):
        return Understanding("unknown", language, why="not about a baclofen pump", unknown_because="scope")
    calm = said.nothing_chance if said.nothing == "calm" else 0.0
    if calm < CALM_FROM and _may_be_late(read) and (words := late_refill(read.text)):
        return late(words, language)
    return _answer(read, said, trained, language)


def _answer(read: Read, said: Weighed, trained: frozenset[str], language: Language) -> Understanding:
    """The answer of one topic, a menu of several, or none."""
    line = " ".join(words_of(fold(read.text)))
    best, confidence = said.best
    if confidence >= ANSWER_FROM and said.margin >= ANSWER_MARGIN:
        if len(asked := _asked_one_by_one(read, trained)) > 1:
            why = "asks about more than one topic: " + ", ".join(asked)
            return Understanding("choices", language, choices=asked, confidence=confidence, margin=said.margin, why=why)
        why = f"like the questions on {best}"
        found = Understanding("topic", language, topic=best, confidence=confidence, margin=said.margin, why=why)
        missed = best == MISSED and read.whole.chance(TOPIC, LATE_NOW) > confidence / 3
        now = ((LATE_REFILL, line),) if missed else ()
        return replace(found, parts=(("topic", line), *now, *_part_intents(read)))
    if said.nothing == "out_of_scope" and said.nothing_chance >= max(OUT_FROM, confidence):
        return Understanding("unknown", language, why="not about a baclofen pump", unknown_because="scope")
    choices = tuple(name for name, chance in said.topics if chance >= CHOICE_FROM)
    together = sum(chance for _, chance in said.topics)
    if len(choices) > 1 and together >= max(CHOICES_FROM, said.nothing_chance):
        why = "close to more than one topic: " + ", ".join(choices)
        return Understanding("choices", language, choices=choices, confidence=confidence, margin=said.margin, why=why)
    why = "like none of the questions we know"
    return Understanding("unknown", language, confidence=confidence, margin=said.margin, why=why)


def sure_of_a_topic(read: Read) -> bool:
    """Whether no rule for a wish could outweigh the question that the text asks."""
    return read.whole.best(TOPIC)[0][1] > SURE_FROM


def _may_be_late(read: Read) -> bool:
    return sum(read.whole.chance(TOPIC, name) for name in (MISSED, LATE_NOW)) >= LATE_HINT_FROM


def _asked_one_by_one(read: Read, trained: frozenset[str]) -> tuple[str, ...]:
    """The topics of the parts that each plainly ask a question of their own, in their order."""
    found = [part.best(TOPIC)[0] for part in read.parts if part.words.count(" ") >= _ASKS_SOMETHING]
    return tuple(dict.fromkeys(name for name, chance in found if name in trained and chance >= PART_SURE_FROM))[
        :MOST_CHOICES
    ]


def _weighed(read: Read, ruled: Intent | None, trained: frozenset[str]) -> Weighed:
    rest = max(1e-6, 1.0 - read.whole.mass(URGENT))
    most = MOST_CHOICES if len(trained) + 1 == len(model().kinds[TOPIC][1]) else _MANY
    ranked = [(name, chance / rest) for name, chance in read.whole.best(TOPIC, most + 1)]
    topics = _as_one(ranked, read.whole.chance(TOPIC, LATE_NOW) / rest, trained)[:MOST_CHOICES]
    asked, asked_chance = _best_intent(read, ruled, rest)
    nothing, nothing_chance = read.whole.best(NONE)[0]
    return Weighed(topics, asked, asked_chance, nothing, nothing_chance / rest)


def _asks_for_a_dose(said: Weighed, line: str) -> bool:
    if _MEDICINE.search(line):
        if _AMOUNT.search(line):
            return True
        if _TAKING.search(line) and said.best[1] < TAKING_SURE_FROM:
            return True
    return said.nothing == "dose_request" and said.nothing_chance >= max(said.best[1], said.asked_chance, DOSE_FROM)


def _wish(said: Weighed, ruled: Intent | None, line: str) -> Intent | None:
    """What the text asks us to do, where that is likelier than a question and than nothing."""
    asked, chance = said.asked, said.asked_chance
    heard = ruled is not None and ruled.name == asked.name
    if asked.name == "opt_out" and not heard and chance < PLAINLY_LEAVES and not _CRIED_OF.isdisjoint(features(line)):
        return None  # "please make these spasms stop" is no farewell
    if asked.name == "confirm" and not ruled and may_refuse(line):
        return None  # likeness alone never confirms a visit against a "no" in the text
    needed = GRAVE_FROM if asked.name in _GRAVE and not heard else INTENT_FROM
    if not any(len(word) >= _SAYS_SOMETHING for word in line.split()):
        needed = SHORT_FROM
    against = 0.0 if heard and asked.name == "opt_out" else said.nothing_chance
    return asked if chance >= needed and chance > max(said.best[1], against) else None


@lru_cache(maxsize=4)
def _topics_trained_on(library: Library) -> tuple[frozenset[str], frozenset[str]]:
    """The library's topics that the model was trained on, and those that somebody added since."""
    trained = {label.removeprefix("topic:") for label in model().labels if label.startswith("topic:")}
    return frozenset(trained.intersection(library.topics)), frozenset(library.topics) - trained


def _as_one(found: list[tuple[str, float]], now: float, trained: frozenset[str]) -> list[tuple[str, float]]:
    """The library's topics, the likeliest first; a refill missed just now counts for the topic of missed refills."""
    named = {name: chance for name, chance in found if name in trained}
    if MISSED in trained and now > CHOICE_FROM:
        named[MISSED] = named.get(MISSED, 0.0) + now
    return sorted(named.items(), key=lambda row: -row[1])


def _by_likeness(text: str, ruled: Intent | None, library: Library, language: Language) -> Understanding:
    """What the model was not trained on: a language or a library of somebody's own."""
    if ruled:
        return admin(ruled, language)
    match = matcher(library).match(text)
    if match is None:
        return Understanding("unknown", language, why="like none of the questions we know")
    found = Understanding("choices", language, confidence=match.confidence, margin=match.margin)
    if match.topic is None:
        return replace(found, choices=match.choices, why="close to more than one topic: " + ", ".join(match.choices))
    return replace(found, kind="topic", topic=match.topic, why=f"like the questions on {match.topic}")


def _best_intent(read: Read, ruled: Intent | None, rest: float) -> tuple[Intent, float]:
    """The likeliest wish; one said in the words of a rule starts ahead."""
    chances = {name: chance / rest for name, chance in read.whole.best(INTENT, 12)}
    if ruled:
        chances[ruled.name] = min(1.0, chances.get(ruled.name, 0.0) + RULE_COUNTS)
    name = max(chances, key=chances.__getitem__)
    words = ruled.words if ruled and ruled.name == name else " ".join(words_of(fold(read.text)))[:60]
    return Intent(name, words), chances[name]  # type: ignore[arg-type]


def _part_intents(read: Read) -> tuple[tuple[str, str], ...]:
    """What one part of a question asks us to do."""
    found = ((part.best(INTENT)[0], part.words) for part in read.parts)
    return tuple((name, words) for (name, chance), words in found if chance >= PART_ASKS_FROM and name in WORTH_KEEPING)


def _asked_and_more(understood: Understanding, read: Read) -> Understanding:
    """A wish, and a question in another part of the text."""
    for part in read.parts:
        topic, chance = part.best(TOPIC)[0]
        if chance >= PART_ASKS_FROM and understood.intent in WORTH_KEEPING:
            return replace(understood, topic=topic, parts=(*understood.parts, ("topic", part.words)))
    return understood
