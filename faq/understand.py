"""The one door: what a text means, given what was last asked. The order is the safety argument."""

import re
from dataclasses import dataclass, replace
from typing import Literal

from faq.context import Asked, Context, Language
from faq.intents import Intent, IntentName, intent, opt_out
from faq.keywords import KeywordHit, keyword
from faq.language import detect
from faq.library import Library
from faq.matching import canonical, matcher
from faq.signs import Category
from faq.spelling import fold, words_of
from faq.urgent import Urgency, late_refill, urgent_sign

__all__ = ["Asked", "Context", "Intent", "Language", "Understanding", "Urgency", "prepare", "understand"]

Kind = Literal["urgent", "topic", "choices", "admin", "unknown"]

_TOPIC_OF = {
    "alarm": "alarm",
    "withdrawal": "withdrawal",
    "overdose": "overdose",
    "breathing": "overdose",
    "missed_refill_symptoms": "missed-refill",
}
_OTHER_URGENT = "when-to-call"
_URGENT_ALONE: dict[str, Category] = {"alarm": "alarm", "withdrawal": "withdrawal", "overdose": "overdose"}
_MISSED = "missed-refill"
LATE_REFILL = "late_refill"  # in `parts`: the words that tell of a refill overdue now, without a sign of harm
_FIRST = frozenset({"help", "menu", "more"})
# "1", "the second one", "option 3": a choice from the numbered list we sent.
_NUMBER = re.compile(
    r"^(?:number |option |the |no |el |la |opcion )*(1|2|3|4|5|one|two|three|first|second|third|uno|dos|"
    r"tres)(?: one| please| pls)*$"
)
_VALUE = {"one": 1, "two": 2, "three": 3, "first": 1, "second": 2, "third": 3, "uno": 1, "dos": 2, "tres": 3}
_MORE = re.compile(
    r"^(?:yes|yeah|yep|y|1|ok|okay|sure|si|more|mas|go on|please do|send it|mor|moree|mroe|next)(?: (?:please|"
    r"pls|more|por favor))*$"
)
# An amount of medicine is never answered by a text: a nurse must see the question.
_AMOUNT = re.compile(
    r"\b(?:how (?:much|many)|what|wat|which|cuanto|cuanta|cuantas|cuantos|can i|can he|can she|should i|"
    r"should he|should she) (?:\w+ ){0,4}"
    r"(?:take|give|mg|mcg|milligrams?|micrograms?|ml|tomar|dar)\b(?: \w+){0,4}|\b\d+ ?(?:mg|mcg|ml|milligrams?|"
    r"micrograms?)\b|"
    r"\b(?:double|extra|increase|raise|lower|reduce|turn up|turn down|change) (?:my |his |her |the |"
    r"a )?(?:\w+ )?dos(?:e|age|is)\b"
)
_MEDICINE = re.compile(
    r"\b(?:baclofen\w*|pills?|tablets?|dos(?:e|es|age|is)|mg|mcg|ml|milligrams?|micrograms?|pastillas?|tabletas?)\b"
)


@dataclass(frozen=True)
class Understanding:
    """What one text means. `why` is for a person to read; `parts` says which words told us what.

    An urgent one still carries the topic to answer with and whatever else the text asked for. `confidence` and
    `margin` run from 0 to 1; both are 1 where a rule, not a likeness, decided.
    """

    kind: Kind
    language: Language
    urgency: Urgency | None = None
    intent: IntentName | None = None
    formal_opt_out: bool = False
    topic: str | None = None
    choices: tuple[str, ...] = ()
    confidence: float = 0.0
    margin: float = 0.0
    keyword: str | None = None
    correction: str | None = None
    why: str = ""
    parts: tuple[tuple[str, str], ...] = ()


def prepare(library: Library) -> None:
    """Work out at start what the first text would otherwise wait for."""
    understand("hello", Context(), library)


def understand(text: str, context: Context, library: Library) -> Understanding:
    """Understand one text: urgent, opt-out, what was asked, keyword, question, unknown. Never raises."""
    language = detect(text, context.language)
    if topic := canonical(text, library):
        return _sure("topic", language, topic=topic, why="one of the known questions, word for word")
    if sign := urgent_sign(text):
        return _urgent(sign, intent(text, context), language)
    asked = opt_out(text)
    if asked and not (asked.guessed and keyword(text, library, language)):
        return _admin(asked, language)
    if answered := _what_was_asked(text, context, language):
        return answered
    asked = None if asked else intent(text, context)
    if asked and asked.name in _FIRST:
        return _with_topic(_admin(asked, language), context)
    if hit := keyword(text, library, language):
        return _spelt_out(hit, text, language) or _keyword(hit, language)
    if asked:
        return _admin(asked, language)
    return _question(text, library, language)


def _sure(kind: Kind, language: Language, why: str, topic: str | None = None) -> Understanding:
    return Understanding(kind, language, topic=topic, confidence=1.0, margin=1.0, why=why)


def _urgent(sign: Urgency, asked: Intent | None, language: Language) -> Understanding:
    what = sign.category.replace("_", " ")
    parts: list[tuple[str, str]] = [(sign.category, sign.words)]
    why = f"'{sign.words}' may be an emergency ({what})"
    if asked and asked.name != "thanks":
        parts.append((asked.name, asked.words))
        why += f"; it also asks for: {asked.name.replace('_', ' ')}"
    return Understanding(
        "urgent",
        language,
        urgency=sign,
        intent=asked.name if asked and asked.name != "thanks" else None,
        formal_opt_out=bool(asked and asked.formal),
        topic=_TOPIC_OF.get(sign.category, _OTHER_URGENT),
        confidence=1.0,
        margin=1.0,
        why=why,
        parts=tuple(parts),
    )


def _admin(asked: Intent, language: Language) -> Understanding:
    return replace(
        _sure("admin", language, why=f"'{asked.words}' asks for: {asked.name.replace('_', ' ')}"),
        intent=asked.name,
        formal_opt_out=asked.formal,
        parts=((asked.name, asked.words),),
    )


def _with_topic(understood: Understanding, context: Context) -> Understanding:
    """MORE is about what was answered last."""
    return replace(understood, topic=context.topic) if understood.intent == "more" else understood


def _what_was_asked(text: str, context: Context, language: Language) -> Understanding | None:
    if context.asked == "none":
        return None
    line = " ".join(words_of(fold(text)))
    if context.asked == "confirm":
        asked = intent(text, context)
        return _admin(asked, language) if asked and asked.name in ("confirm", "reschedule") else None
    if context.choices and (chosen := _NUMBER.match(line)):
        number = _VALUE.get(chosen.group(1)) or int(chosen.group(1))
        if number <= len(context.choices):
            topic = context.choices[number - 1]
            return replace(
                _sure("topic", language, topic=topic, why=f"number {number} of the choices we sent"),
                parts=(("choice", line),),
            )
    if context.asked in ("more", "menu") and _MORE.match(line):
        return _with_topic(_admin(Intent("more", line), language), context)
    return None


def _spelt_out(hit: KeywordHit, text: str, language: Language) -> Understanding | None:
    """A L A R M, and nothing else: letter by letter it is as urgent as the word itself."""
    if hit.topic not in _URGENT_ALONE or "".join(words_of(fold(text))).upper() != hit.keyword:
        return None
    return _urgent(Urgency(_URGENT_ALONE[hit.topic], hit.keyword), None, language)


def _keyword(hit: KeywordHit, language: Language) -> Understanding:
    why = f"{hit.keyword} is a keyword"
    if hit.correction:
        why = f"{hit.written} is {hit.keyword}, {hit.correction}"
    return replace(
        _sure("topic", language, topic=hit.topic, why=why),
        keyword=hit.keyword,
        correction=hit.correction,
        parts=(("keyword", hit.keyword),),
    )


def _question(text: str, library: Library, language: Language) -> Understanding:
    line = " ".join(words_of(fold(text)))
    if _AMOUNT.search(line) and _MEDICINE.search(line):
        return Understanding("unknown", language, why="asks about an amount of medicine: only a nurse may answer")
    if words := late_refill(text):
        return replace(
            _sure("topic", language, topic=_MISSED, why=f"'{words}' tells of a refill that is late"),
            parts=((LATE_REFILL, words),),
        )
    match = matcher(library).match(text)
    if match is None:
        return Understanding("unknown", language, why="like none of the questions we know")
    found = Understanding("choices", language, confidence=match.confidence, margin=match.margin)
    if match.topic is None:
        return replace(found, choices=match.choices, why="close to more than one topic: " + ", ".join(match.choices))
    why = f"like the questions on {match.topic}"
    return replace(found, kind="topic", topic=match.topic, why=why, parts=(("topic", line),))
