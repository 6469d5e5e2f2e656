"""The one door: what a text means, given what was last asked. The order is the safety argument."""

import re
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Literal

from faq.context import Asked, Context, Language
from faq.intents import Intent, IntentName, intent, may_refuse, opt_out
from faq.keywords import KeywordHit, keyword
from faq.language import READ_BY_MODEL, detect
from faq.library import FALLBACK, Library
from faq.matching import canonical, matcher
from faq.model import model
from faq.reading import INTENT, LATE_NOW, NONE, TOPIC, URGENT, Read
from faq.signs import Category
from faq.spelling import fold, words_of
from faq.urgent import Urgency, late_refill, urgency, urgency_in_words

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
# Chosen on the seen set (docs/understanding.md), of what is left once it is not urgent.
ANSWER_FROM = 0.45
ANSWER_MARGIN = 0.15
CHOICES_FROM = 0.3  # of the two or three together
CHOICE_FROM = 0.04  # of each
INTENT_FROM = 0.35
GRAVE_FROM = 0.6  # of a wish that ends all texts, where no rule knows its words
_GRAVE = frozenset({"opt_out", "wrong_number"})
RULE_COUNTS = 0.35  # what a rule's word adds to the model's
DOSE_FROM = 0.35
OUT_FROM = 0.35
PART_ASKS_FROM = 0.7
MOST_CHOICES = 3
_MANY = 1_000
_CANCELS = re.compile(r"cancel\w*(?: (?:it|please|pls|por favor|gracias|thanks))*$")
_FEW_WORDS = 3
_THANKS_FIRST = re.compile(
    r"^\W*(?:thank you|thanks|thanx|thx|ty|gracias)(?: (?:so much|very much|a lot|you|also|and|but|y|pero))*[,.! ]+",
    re.IGNORECASE,
)
_OTHER_PUMP = re.compile(
    r"\b(?:insulin|breast|sump|well|water|heat|gas|fuel|bike|tire|septic|pool|feeding) pumps?\b|"
    r"\bbomba (?:de (?:insulina|agua|aire|gasolina|leche)|del (?:agua|pozo|tinaco))\b|\bsacaleches\b"
)
_SAYS_SOMETHING = 3  # letters of the longest word
_WORTH_KEEPING = frozenset(
    {"reschedule", "cancel_appointment", "running_late", "when_is_my_refill", "human", "opt_out", "confirm"}
)
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
_YES_NO = re.compile(
    r"^(?:(?P<yes>1|one|uno|y|yes|yea|yeah|yep|yup|ye|si|sip|claro|correct|it did|mucho|a (?:little|bit)|un poco)|2|"
    r"two|dos|n|no|nope|nah|not (?:really|at all)|it didnt|none|para nada|nada|ninguno|ninguna)"
    r"(?! (?:se|idea|sure|clue|lo se|entiendo|estoy segur[oa])\b)(?: \w+){0,6}$"
)
# A question that leans on the one before it.
_FOLLOW_UP = re.compile(r"^(?:and|what about|how about|wat about|y|e|pero|but|so|or|que tal|ok and|also)\b")
_PLAINLY_URGENT = 0.5
_LONGEST_FOLLOW_UP = 7  # words
# An answer and nothing else: what it means hangs on what was asked, not on likeness.
_BARE = re.compile(
    r"^(?:\d{0,4}|(?:yes|y|yeah|yep|yup|ok|okay|k|kk|no|n|nope|nah|si|claro|vale)(?: (?:please|pls|thanks|"
    r"por favor|gracias))?)$"
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
    unknown_because: Literal["", "dose", "scope"] = ""  # asks for a dose; is not about a baclofen pump
    follow_up: bool = False  # asks on about the topic answered last
    parts: tuple[tuple[str, str], ...] = ()


def prepare(library: Library) -> None:
    """Work out at start what the first text would otherwise wait for."""
    understand("hello", Context(), library)


def understand(text: str, context: Context, library: Library) -> Understanding:
    """Understand one text: urgent, opt-out, what was asked, keyword, question, unknown. Never raises."""
    read = Read(_without_thanks(text), after_reminder=context.asked == "confirm")
    language = detect(text, context.language, read.spanish)
    if topic := canonical(text, library):
        return _sure("topic", language, topic=topic, why="one of the known questions, word for word")
    if sign := urgency_in_words(read):
        return _urgent(sign, _also_asked(read, context), language)
    asked = opt_out(text)
    if asked and asked.formal:
        return _admin(asked, language)
    if answered := _what_was_asked(text, context, language):
        return answered
    line = " ".join(words_of(fold(text)))
    if asked and context.asked == "confirm" and _CANCELS.match(line):  # the visit we asked about, not the texts
        asked = Intent("cancel_appointment", line)
    ruled = asked or intent(text, context)
    bare = _BARE.match(line) is not None
    if ruled and (ruled.name in _FIRST or bare or (ruled is asked and line.count(" ") < _FEW_WORDS)):
        keyword_first = asked is not None and asked.guessed and keyword(text, library, language)
        if not keyword_first:
            return _with_topic(_admin(ruled, language), context)
    hit = keyword(text, library, language)
    if hit and not (asked and not asked.guessed):
        # an English keyword is everybody's; a Spanish one is texted by somebody who reads Spanish
        return _spelt_out(hit, text, language) or _keyword(hit, language if hit.language == FALLBACK else hit.language)
    if bare:
        return Understanding("unknown", language, why="an answer, but nothing was asked")
    leaning = context.topic is not None and _leans(line) and read.plain.mass(URGENT) < _PLAINLY_URGENT
    if language in READ_BY_MODEL and not leaning and (sign := urgency(read)):
        if sign.only_late and _MISSED in library.topics:
            return _late(sign.words, language)
        return _urgent(sign, _also_asked(read, context), language)
    if context.asked == "confirm" and ruled and ruled.name in ("confirm", "reschedule"):
        return _admin(ruled, language)
    meant = _weigh(read, ruled, library, language)
    return _followed_up(meant, text, context, library) or meant


def _without_thanks(text: str) -> str:
    """ "Thx also can i fly with it" is a question."""
    rest = _THANKS_FIRST.sub("", text, count=1)
    return rest if rest.count(" ") >= _FEW_WORDS - 1 else text


def _leans(line: str) -> bool:
    return line.count(" ") < _LONGEST_FOLLOW_UP and _FOLLOW_UP.match(line) is not None


def _followed_up(meant: Understanding, text: str, context: Context, library: Library) -> Understanding | None:
    """A few words that lean on the answer before, where they say nothing clear by themselves."""
    line = " ".join(words_of(fold(text)))
    topic = context.topic
    if (
        topic is None
        or meant.kind not in ("unknown", "choices")
        or meant.unknown_because
        or topic not in library.topics
    ):
        return None
    if not _leans(line):
        return None
    return replace(_sure("topic", meant.language, topic=topic, why=f"asks on about {topic}"), follow_up=True)


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


def _late(words: str, language: Language) -> Understanding:
    why = f"'{words}' tells of a refill that is late"
    return replace(_sure("topic", language, topic=_MISSED, why=why), parts=((LATE_REFILL, words),))


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
    if context.asked in ("none", "confirm"):  # a confirmation in words is heard after danger
        return None
    line = " ".join(words_of(fold(text)))
    if context.choices and (chosen := _NUMBER.match(line)):
        number = _VALUE.get(chosen.group(1)) or int(chosen.group(1))
        if number <= len(context.choices):
            topic = context.choices[number - 1]
            return replace(
                _sure("topic", language, topic=topic, why=f"number {number} of the choices we sent"),
                parts=(("choice", line),),
            )
    if context.asked in ("triage", "helped") and (said := _YES_NO.match(line)):
        return _admin(Intent("yes" if said.group("yes") else "no", line), language)
    if context.asked in ("more", "menu", "helped") and _MORE.match(line):
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


def _also_asked(read: Read, context: Context) -> Intent | None:
    """What an urgent text asks for besides: said in so many words, or by one of its parts."""
    if ruled := intent(read.text, context):
        return ruled
    for part in read.parts:
        name, chance = part.best(INTENT)[0]
        if chance >= PART_ASKS_FROM and name in _WORTH_KEEPING:
            return Intent(name, part.words)  # type: ignore[arg-type]
    return None


def _weigh(read: Read, ruled: Intent | None, library: Library, language: Language) -> Understanding:
    """Let what a text may ask for and what it may ask about compete."""
    rest = max(1e-6, 1.0 - read.whole.mass(URGENT))
    trained, added = _topics_trained_on(library)
    if language not in READ_BY_MODEL or not trained:
        return _by_likeness(read.text, ruled, library, language)
    if added and not ruled and (match := matcher(library).match(read.text)) and match.topic in added:
        return _by_likeness(read.text, ruled, library, language)
    most = MOST_CHOICES if len(trained) + 1 == len(model().columns[TOPIC]) else _MANY
    ranked = [(name, chance / rest) for name, chance in read.whole.best(TOPIC, most + 1)]
    topics = _as_one(ranked, read.whole.chance(TOPIC, LATE_NOW) / rest, trained)[:MOST_CHOICES]
    asked, chance = _best_intent(read, ruled, rest)
    none, none_chance = read.whole.best(NONE)[0]
    best, confidence = topics[0]
    margin = confidence - max(topics[1][1] if len(topics) > 1 else 0.0, chance)
    line = " ".join(words_of(fold(read.text)))
    if (none == "dose_request" and none_chance / rest >= max(confidence, chance, DOSE_FROM)) or (
        _AMOUNT.search(line) and _MEDICINE.search(line)
    ):
        why = "asks about an amount of medicine: only a nurse may answer"
        return Understanding("unknown", language, why=why, unknown_because="dose")
    if not any(len(word) >= _SAYS_SOMETHING for word in line.split()):
        return Understanding("unknown", language, why="too short to mean anything")
    if asked.name == "confirm" and not ruled and may_refuse(line):
        chance = 0.0  # likeness alone never confirms a visit against a "no" in the text
    needed = GRAVE_FROM if asked.name in _GRAVE and not ruled else INTENT_FROM
    if chance >= needed and chance > confidence:
        return _asked_and_more(_admin(asked, language), read)
    if _OTHER_PUMP.search(line):
        return Understanding("unknown", language, why="not about a baclofen pump", unknown_because="scope")
    if words := late_refill(read.text):
        return _late(words, language)
    if confidence >= ANSWER_FROM and margin >= ANSWER_MARGIN:
        why = f"like the questions on {best}"
        found = Understanding("topic", language, topic=best, confidence=confidence, margin=margin, why=why)
        late = ((LATE_REFILL, line),) if best == _MISSED and read.whole.chance(TOPIC, LATE_NOW) > confidence / 3 else ()
        return replace(found, parts=(("topic", line), *late, *_part_intents(read)))
    choices = tuple(name for name, chance in topics if chance >= CHOICE_FROM)
    if len(choices) > 1 and sum(chance for _, chance in topics) >= CHOICES_FROM:
        why = "close to more than one topic: " + ", ".join(choices)
        return Understanding("choices", language, choices=choices, confidence=confidence, margin=margin, why=why)
    if none == "out_of_scope" and none_chance / rest >= OUT_FROM:
        return Understanding("unknown", language, why="not about a baclofen pump", unknown_because="scope")
    why = "like none of the questions we know"
    return Understanding("unknown", language, confidence=confidence, margin=margin, why=why)


@lru_cache(maxsize=4)
def _topics_trained_on(library: Library) -> tuple[frozenset[str], frozenset[str]]:
    """The library's topics that the model was trained on, and those that somebody added since."""
    trained = {label.removeprefix("topic:") for label in model().labels if label.startswith("topic:")}
    return frozenset(trained.intersection(library.topics)), frozenset(library.topics) - trained


def _as_one(found: list[tuple[str, float]], now: float, trained: frozenset[str]) -> list[tuple[str, float]]:
    """The library's topics, the likeliest first; a refill missed just now counts for the topic of missed refills."""
    named = {name: chance for name, chance in found if name in trained}
    if _MISSED in trained and now > CHOICE_FROM:
        named[_MISSED] = named.get(_MISSED, 0.0) + now
    return sorted(named.items(), key=lambda row: -row[1])


def _by_likeness(text: str, ruled: Intent | None, library: Library, language: Language) -> Understanding:
    """What the model was not trained on: a language or a library of somebody's own."""
    if ruled:
        return _admin(ruled, language)
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
    return tuple(
        (name, words) for (name, chance), words in found if chance >= PART_ASKS_FROM and name in _WORTH_KEEPING
    )


def _asked_and_more(understood: Understanding, read: Read) -> Understanding:
    """A wish, and a question in another part of the text."""
    for part in read.parts:
        topic, chance = part.best(TOPIC)[0]
        if chance >= PART_ASKS_FROM and understood.intent in _WORTH_KEEPING:
            return replace(understood, topic=topic, parts=(*understood.parts, ("topic", part.words)))
    return understood
