"""What a text was understood to mean, and the few ways of saying so."""

from dataclasses import dataclass, replace
from typing import Literal

from faq.context import Language
from faq.intents import Intent, IntentName
from faq.urgent import Urgency

Kind = Literal["urgent", "topic", "choices", "admin", "unknown"]
MISSED = "missed-refill"
LATE_REFILL = "late_refill"  # in `parts`: the words that tell of a refill overdue now, without a sign of harm
_TOPIC_OF = {
    "alarm": "alarm",
    "withdrawal": "withdrawal",
    "overdose": "overdose",
    "breathing": "overdose",
    "missed_refill_symptoms": MISSED,
}
_OTHER_URGENT = "when-to-call"


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
    unknown_because: Literal["", "dose", "scope"] = ""  # asks for a dose; is not about a baclofen pump
    follow_up: bool = False  # asks on about the topic answered last
    parts: tuple[tuple[str, str], ...] = ()


def sure(kind: Kind, language: Language, why: str, topic: str | None = None) -> Understanding:
    return Understanding(kind, language, topic=topic, confidence=1.0, margin=1.0, why=why)


def urgent_meaning(sign: Urgency, asked: Intent | None, language: Language) -> Understanding:
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


def late(words: str, language: Language) -> Understanding:
    why = f"'{words}' tells of a refill that is late"
    return replace(sure("topic", language, topic=MISSED, why=why), parts=((LATE_REFILL, words),))


def admin(asked: Intent, language: Language) -> Understanding:
    return replace(
        sure("admin", language, why=f"'{asked.words}' asks for: {asked.name.replace('_', ' ')}"),
        intent=asked.name,
        formal_opt_out=asked.formal,
        parts=((asked.name, asked.words),),
    )
