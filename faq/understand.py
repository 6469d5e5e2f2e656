"""The one door: what a text means, given what was last asked. The order is the safety argument."""

import re
from dataclasses import replace

from faq.context import Asked, Context, Language
from faq.intents import Intent, intent, may_refuse, opt_out, reply_to_reminder, whole_wish, wish_in_words
from faq.keywords import KeywordHit, keyword
from faq.language import READ_BY_MODEL, detect
from faq.library import FALLBACK, Library
from faq.matching import canonical
from faq.meaning import MISSED, Understanding, admin, late, sure, urgent_meaning
from faq.reading import INTENT, URGENT, Read
from faq.signs import Category
from faq.spelling import fold, words_of
from faq.urgent import Urgency, urgency, urgency_in_words
from faq.weighing import PART_ASKS_FROM, WORTH_KEEPING, sure_of_a_topic, weigh

__all__ = ["Asked", "Context", "Intent", "Language", "Understanding", "Urgency", "prepare", "understand"]


_URGENT_ALONE: dict[str, Category] = {"alarm": "alarm", "withdrawal": "withdrawal", "overdose": "overdose"}
_CANCELS = re.compile(r"cancel\w*(?: (?:it|please|pls|por favor|gracias|thanks))*$")
_FEW_WORDS = 3
_THANKS_FIRST = re.compile(
    r"^\W*(?:thank you|thanks|thanx|thx|ty|gracias)(?: (?:so much|very much|a lot|you|also|and|but|y|pero))*[,.! ]+",
    re.IGNORECASE,
)
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
    r"^(?:(?P<yes>1|one|uno|y(?! )|yes|yea|yeah|yep|yup|ye|si|sip|claro|correct|it did|mucho|a (?:little|bit)|un poco|"
    r"(?:i|yo|me)? ?(?:think|creo|parece|pienso) (?:so|que si))|2|"
    r"two|dos|n|no|nope|nah|not (?:really|at all)|it didnt|none|para nada|nada|ninguno|ninguna)"
    r"(?! (?:se|idea|sure|clue|lo se|entiendo|estoy segur[oa]|respondo|contesto|contestan?|quiero|want)\b)"
    r"(?: \w+){0,6}$"
)
# A question that leans on the one before it.
_FOLLOW_UP = re.compile(r"^(?:and|what about|how about|wat about|y|e|pero|but|so|or|que tal|ok and|also)\b")
# Topics whose answers list signs of danger, and what people say of themselves after reading one.
_LISTS_SIGNS_OF: dict[str, Category] = {
    "withdrawal": "withdrawal",
    "overdose": "overdose",
    "missed-refill": "missed_refill_symptoms",
    "prevent-withdrawal": "withdrawal",
    "alarm": "alarm",
}
_IT_IS_SO = re.compile(
    r"\b(?:some|all|most|both|two|three|few|couple|\d) of (?:those|these|them)\b|\bthats (?:what|how|exactly|me|him|"
    r"her|us)\b|\b(?:i|he|she|we|they|mom|dad|it) (?:has|have|got|had) (?:that|those|these|them|all|some|it)\b|"
    r"\b(?:is|am|are|im|hes|shes) (?:like that|doing (?:that|it|this))\b|\beso (?:tengo|tiene|me pasa|le pasa|mismo|"
    r"es lo que)\b|\b(?:tengo|tiene|tenemos) (?:eso|esos|esas|varios|varias|algunos|algunas|todos|todas|dos|tres)\b|"
    r"\b(?:esta|estoy|anda|ando) asi\b"
)
_DENIES = re.compile(r"\b(?:no|not|none|dont|doesnt|never|ningun\w*|nunca|nada|if|si (?:tiene|tengo)|what if|how)\b")
_PLAINLY_URGENT = 0.5
AGREES_FROM = 0.2  # of a confirmation, for a word of consent in a longer text to count
SURER_THAN_A_RULE = 0.8  # of a wish, where the rules for answers to a reminder hear another
_LONGEST_FOLLOW_UP = 7  # words
# An answer and nothing else: what it means hangs on what was asked, not on likeness.
_BARE = re.compile(
    r"^(?:\d{0,4}|(?:yes|y|yeah|yep|yup|ok|okay|k|kk|no|n|nope|nah|si|claro|vale)(?: (?:please|pls|thanks|"
    r"por favor|gracias))?)$"
)


def prepare(library: Library) -> None:
    """Work out at start what the first text would otherwise wait for."""
    understand("hello", Context(), library)


def understand(text: str, context: Context, library: Library) -> Understanding:
    """Understand one text: urgent, opt-out, what was asked, keyword, question, unknown. Never raises."""
    read = Read(_without_thanks(text), after_reminder=context.asked == "confirm")
    language = detect(text, context.language, read.spanish)
    if topic := canonical(text, library):
        return sure("topic", language, topic=topic, why="one of the known questions, word for word")
    if sign := urgency_in_words(read, believed=language in READ_BY_MODEL):
        return urgent_meaning(sign, _also_asked(read, context), language)
    if has_it := _says_it_is_so(text, context):
        return urgent_meaning(has_it, None, language)
    asked = opt_out(text)
    if asked and asked.formal:
        return admin(asked, language)
    if answered := _what_was_asked(text, context, language):
        return answered
    line = " ".join(words_of(fold(text)))
    if asked and context.asked == "confirm" and _CANCELS.match(line):  # the visit we asked about, not the texts
        asked = Intent("cancel_appointment", line)
    ruled = asked or (reply_to_reminder(text, line) if context.asked == "confirm" else None) or whole_wish(text, line)
    bare = _BARE.match(line) is not None
    if ruled and (ruled.name in _FIRST or bare or (ruled is asked and line.count(" ") < _FEW_WORDS)):
        keyword_first = asked is not None and asked.guessed and keyword(text, library, language)
        if not keyword_first:
            return _with_topic(admin(ruled, language), context)
    hit = keyword(text, library, language)
    if hit and not (asked and not asked.guessed):
        # an English keyword is everybody's; a Spanish one is texted by somebody who reads Spanish
        spoken = (context.language or language) if hit.language == FALLBACK else hit.language
        return _spelt_out(hit, text, language) or _keyword(hit, spoken)
    if bare and "?" in text and not line:
        return admin(Intent("help", "?"), language)
    if bare:
        return Understanding("unknown", language, why="an answer, but nothing was asked")
    leaning = context.topic is not None and _leans(line) and read.plain.mass(URGENT) < _PLAINLY_URGENT
    if language in READ_BY_MODEL and not leaning and (sign := urgency(read)):
        if sign.only_late and MISSED in library.topics:
            return late(sign.words, language)
        return urgent_meaning(sign, _also_asked(read, context), language)
    if context.asked == "confirm" and ruled and ruled.name in ("confirm", "reschedule"):
        if about := _about_the_visit(read, ruled, line):
            return admin(about, language)
        ruled = None
    if ruled is None and not sure_of_a_topic(read):
        ruled = wish_in_words(line)
    meant = weigh(read, ruled, library, language)
    return _followed_up(meant, text, context, library) or meant


def _says_it_is_so(text: str, context: Context) -> Urgency | None:
    """ "Thats what hes doing right now", after an answer that lists the signs of a danger."""
    category = _LISTS_SIGNS_OF.get(context.topic or "")
    line = " ".join(words_of(fold(text)))
    if category is None or line.count(" ") >= _LONGEST_FOLLOW_UP + 2 or _DENIES.search(line):
        return None
    found = _IT_IS_SO.search(line)
    return Urgency(category, found.group(), vague=True) if found else None


def _about_the_visit(read: Read, ruled: Intent, line: str) -> Intent | None:
    """A rule's reading of an answer to our reminder, unless the model is sure of another one.

    None where a longer text has a word of consent, and the model hears none: no visit is confirmed by a word alone.
    """
    name, chance = read.whole.best(INTENT)[0]
    wordy = line.count(" ") >= _FEW_WORDS - 1
    if ruled.name == "confirm" and wordy and read.whole.chance(INTENT, "confirm") < AGREES_FROM:
        return None
    if chance < SURER_THAN_A_RULE or name == ruled.name or (name == "confirm" and may_refuse(line)):
        return ruled
    return Intent(name, line)  # type: ignore[arg-type]


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
    return replace(sure("topic", meant.language, topic=topic, why=f"asks on about {topic}"), follow_up=True)


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
                sure("topic", language, topic=topic, why=f"number {number} of the choices we sent"),
                parts=(("choice", line),),
            )
    if context.asked in ("triage", "helped") and (said := _YES_NO.match(line)):
        return admin(Intent("yes" if said.group("yes") else "no", line), language)
    if context.asked in ("more", "menu", "helped") and _MORE.match(line):
        return _with_topic(admin(Intent("more", line), language), context)
    return None


def _spelt_out(hit: KeywordHit, text: str, language: Language) -> Understanding | None:
    """A L A R M, and nothing else: letter by letter it is as urgent as the word itself."""
    if hit.topic not in _URGENT_ALONE or "".join(words_of(fold(text))).upper() != hit.keyword:
        return None
    return urgent_meaning(Urgency(_URGENT_ALONE[hit.topic], hit.keyword), None, language)


def _keyword(hit: KeywordHit, language: Language) -> Understanding:
    why = f"{hit.keyword} is a keyword"
    if hit.correction:
        why = f"{hit.written} is {hit.keyword}, {hit.correction}"
    return replace(
        sure("topic", language, topic=hit.topic, why=why),
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
        if chance >= PART_ASKS_FROM and name in WORTH_KEEPING:
            return Intent(name, part.words)  # type: ignore[arg-type]
    return None
