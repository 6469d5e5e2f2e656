"""Red flags in a text. When torn between urgent and not, it is urgent."""

import math
import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import lru_cache

from faq.features import SYMPTOMS, features, squeezed
from faq.reading import LATE_NOW, TOPIC, URGENT, Part, Read
from faq.signs import (
    ALARM_SIGN,
    ASKING,
    CLAIM,
    ELSEWHERE,
    IMAGINED,
    LATE_REFILL,
    LEARNING,
    LONG_PAST,
    NEGATED,
    NEGATED_AFTER,
    NOW,
    ONSET,
    SIGNS,
    STIFF_SIGN,
    STILL_UNCHECKED,
    SYMPTOM_SIGN,
    Category,
    Sign,
)
from faq.signs_heard import HEARD
from faq.spelling import SlipIndex, clauses, fold, sentences, words_of

# Words corrected for one slip before the patterns run, and real words that a correction would turn into alarms.
_MEANT = (
    "alarm alarms alarming alarma beeping beeps beeped buzzing chirping withdrawal withdrawals overdose overdosed "
    "overdosing breathe breathing unconscious unresponsive seizure seizures itching itchy twitching twitchy fever "
    "stiff leaking incision infected suicide suicidal refill overdue missed stopped swollen sobredosis abstinencia "
    "respirar despierta inconsciente convulsion pitando pitido fiebre recarga spasms confused tingling drowsy "
    "ambulance"
)
_MEANT_AS_WRITTEN = (
    "beep bees beets beefs jeeps ever leaving inching etching confuse pissed stepped stomped breather keeps beers "
    "weeps seeps peeps deeps sleeps never lever fewer sever fevers breath breathed breathes stuff staff sniff still "
    "stiffs keeping seeping weeping peeping beefing being switching stitching pitching hitching ditching witching "
    "itches pitchy titchy leaning peaking speaking sneaking breaking weaking refills refilled started starter starved "
    "misses kissed mixed mussed massed dissed hissed tossed stopper topped dropped shopped stooped infested inflected "
    "injected incisions decision overdoses overuse overdo overdone alarmed alarmas spams spas conscious confuses "
    "confusing contused confide tinkling mingling jingling tangling dingling bundling buzzing fuzzing chipping "
    "beepers beeper seizures seized leading leasing heating beating bedding needing feeding seeing selling swallow "
    "sullen switchy respire respira recargar despierto cargar pitar pintando pilando quitando gitando convulsiones "
    "fiebres sobres restarted charted starting stated ticking twitches stiffer"
)

_NEAR = SlipIndex(_MEANT.split())
AS_WRITTEN = frozenset(f"{_MEANT} {_MEANT_AS_WRITTEN}".split())
_REACH = 120  # how far before a sign its negation may stand, in characters


VAGUE = "vague"  # what the examples call "something is wrong with him"
OTHER_PUMP = re.compile(
    r"\b(?:insulin|sugar|breast|milk|sump|well|water|heat|gas|fuel|bike|tire|septic|pool|pond|aquarium|coffee|penis|"
    r"feeding) pumps?\b|"
    r"\bbomba (?:de (?:insulina|agua|aire|gasolina|leche|la (?:alberca|piscina|pileta|pecera|cisterna))|"
    r"del (?:agua|pozo|tinaco))\b|\bsacaleches\b"
)
_ANY_PUMP = re.compile(r"\b(?:pumps?|bombas?|bombita)\b")
_OF_ANY_PUMP = frozenset({"alarm", "pump_trauma", VAGUE})
ALL_SIGNS = (*SIGNS, *HEARD)
_SELF_HARM_SIGNS = tuple(sign for sign in ALL_SIGNS if sign.category == "self_harm")

# Chosen on the seen set (docs/understanding.md): when torn, it is urgent.
HEARD_FROM = 0.27  # the chance of danger in the whole text, with its loudest part counted in
WITH_SIGN_FROM = 0.13  # with a sign of danger among the words
WHOLE_COUNTS = 0.7  # the whole against its loudest part
NEVER_UNDER = 0.02  # of the whole: a part taken out of its sentence is not believed against it
PLAINLY_ASKS = 0.95  # a question: "may the pump fail and do me harm" is not about self-harm
WINDOW_FROM = 0.95  # of a dozen words of a long text
PLAIN_FROM = 0.9  # of the whole: no part could talk it out of this
_FARTHEST = 0.999  # no chance counts for surer than this
MOST_LIKELY: Category = "withdrawal"  # and what it is filed under until somebody knows more
LATE_SHARE = 0.12  # of the chance of "late, with symptoms": from there "late, no symptom" is likely enough
_GRAVEST = frozenset({"self_harm", "breathing"})
SURE_OF_CATEGORY = 0.7
# Of the concepts, what is felt or seen; the others stand in "we moved and missed the fill", "many days late".
FELT = SYMPTOMS - {"#mood_sad", "#too_many", "#moved_flipped"}
SURE_FROM = 0.6  # below, the text says too little to tell which danger it is


@dataclass(frozen=True)
class Urgency:
    """`words` are the words that gave it away, folded and corrected: never more than the text said.

    `vague`: it may be an emergency, but not which one; the nurse needs to know more. `only_late`: a refill is overdue,
    and nothing is felt or seen: the guidance for a missed refill, and a nurse today.
    """

    category: Category
    words: str
    vague: bool = False
    only_late: bool = False


def urgency_in_words(read: Read, *, believed: bool = True) -> Urgency | None:
    """Return the danger told in words that the table of signs knows, unless the model is sure that it is none.

    `believed`: whether the model knows the language; otherwise the table alone decides.
    """
    if not believed:
        return urgent_sign(read.text)
    if danger(read) >= WITH_SIGN_FROM:
        sign = urgent_sign(read.text)
        if sign is None or (sign.category in _OF_ANY_PUMP and only_another_pump(read.text)):
            return None
        return _named(sign, read.plain)
    sign = urgent_sign(read.text, _SELF_HARM_SIGNS)
    if sign is None or LONG_PAST.search(fold(read.text)) or read.plain.best(TOPIC)[0][1] >= PLAINLY_ASKS:
        return None
    return sign


def _named(sign: Urgency, part: Part) -> Urgency:
    """A sign under the category that the model is sure of: "missed the visit, now he twitches" is a missed refill."""
    category, chance = part.best(URGENT)[0]
    if sign.category in _GRAVEST or category == VAGUE or chance < SURE_OF_CATEGORY:
        return sign
    return replace(sign, category=category)  # type: ignore[arg-type]


def urgency(read: Read) -> Urgency | None:
    """Return the danger that the model hears in a text, in the whole of it or in one part."""
    chance = danger(read)
    if chance < HEARD_FROM or not any(len(squeezed(word)) > 1 for word in words_of(fold(read.text))):
        return None
    loudest = read.plain
    if loudest.mass(URGENT) < PLAIN_FROM:
        loudest = max((read.plain, *read.parts, *read.windows), key=lambda part: part.mass(URGENT))
    if loudest.best(URGENT)[0][0] in _OF_ANY_PUMP and only_another_pump(read.text):
        return None
    return _heard(read.text, loudest, max(chance, loudest.mass(URGENT)))


def only_another_pump(text: str) -> bool:
    """Whether the one pump that a text speaks of is plainly another's: of water, of milk, of insulin."""
    line = " ".join(words_of(fold(text)))
    return OTHER_PUMP.search(line) is not None and len(_ANY_PUMP.findall(line)) == 1


def danger(read: Read) -> float:
    """Return how likely the text tells of danger, 0 to 1: the whole, with its loudest part counted in."""
    whole = read.plain.mass(URGENT)
    if whole < HEARD_FROM and (loud := max((part.mass(URGENT) for part in read.windows), default=0.0)) >= WINDOW_FROM:
        return loud
    if not NEVER_UNDER <= whole < PLAIN_FROM or not read.parts:
        return whole
    loudest = max(part.mass(URGENT) for part in read.parts)
    odds = WHOLE_COUNTS * _log_odds(whole) + (1 - WHOLE_COUNTS) * _log_odds(loudest)
    return 1 / (1 + math.exp(-odds))


def _log_odds(chance: float) -> float:
    chance = min(max(chance, 1 - _FARTHEST), _FARTHEST)
    return math.log(chance / (1 - chance))


def _heard(text: str, part: Part, chance: float) -> Urgency:
    category, of_it = part.best(URGENT)[0]
    words = " ... ".join(part.telling(f"{URGENT}:{category}")) or part.words[:40]
    if category == VAGUE:
        return Urgency(MOST_LIKELY, words, vague=True)
    if category == "withdrawal" and LATE_REFILL.search(" . ".join(map(_corrected, sentences(fold(text))))):
        category = "missed_refill_symptoms"
    only_late = (
        category == "missed_refill_symptoms"
        and part.chance(TOPIC, LATE_NOW) >= LATE_SHARE * of_it
        and FELT.isdisjoint(features(part.words))
    )
    vague = of_it < SURE_FROM * chance or chance < SURE_FROM
    return Urgency(category, words, vague, only_late)  # type: ignore[arg-type]


def urgent_sign(text: str, signs: tuple[Sign, ...] = ALL_SIGNS) -> Urgency | None:
    """Return the gravest sign of danger that is happening or may be, or None."""
    read = [_corrected(sentence) for sentence in sentences(fold(text))]
    known = {word for sentence in read for word in sentence.split()}
    whole = " . ".join(read)
    for sign in signs:
        if known.isdisjoint(sign.triggers):
            continue
        for sentence in read:
            for found in _real_signs(sentence, sign):
                if sign is STIFF_SIGN and not (ONSET.search(whole) or LATE_REFILL.search(whole)):
                    continue
                if sign in (SYMPTOM_SIGN, STIFF_SIGN) and (late := LATE_REFILL.search(whole)):
                    return Urgency("missed_refill_symptoms", f"{late.group()} ... {found}")
                return Urgency(sign.category, found)
    return None


def late_refill(text: str) -> str | None:
    """Return the words that say a refill is overdue or was missed, unless they only imagine it."""
    for sentence in map(_corrected, sentences(fold(text))):
        if (found := LATE_REFILL.search(sentence)) and not ASKING.search(sentence) and not IMAGINED.search(sentence):
            return found.group()
    return None


def _corrected(sentence: str) -> str:
    """The sentence's words, slips mended, with a comma where a clause ends."""
    return " , ".join(" ".join(map(_mended, words_of(clause))) for clause in clauses(sentence))


@lru_cache(maxsize=20_000)
def _mended(word: str) -> str:
    if len(word) < 4 or word in AS_WRITTEN:
        return word
    near = _NEAR.near(word)
    return next(iter(near)) if near else word


def _real_signs(sentence: str, sign: Sign) -> Iterator[str]:
    if sign is ALARM_SIGN or sign.category == "withdrawal":
        sentence = ELSEWHERE.sub("elsewhere", sentence)
    for found in sign.pattern.finditer(sentence):
        if sign.stands_alone or (_happening(sentence) and not _negated(sentence, found)):
            yield found.group()


def _happening(sentence: str) -> bool:
    """Whether the sentence tells of something, rather than asking about it or remembering it from long ago."""
    sentence = sentence.replace(" , ", " ")
    if NOW.search(sentence):
        return True
    if LEARNING.search(sentence) or LONG_PAST.search(sentence):
        return False
    if ASKING.search(sentence):
        return not IMAGINED.search(sentence) and CLAIM.search(sentence) is not None
    return True


def _negated(sentence: str, found: re.Match[str]) -> bool:
    if STILL_UNCHECKED.search(sentence):  # an alarm that went quiet is still an alarm
        return False
    before = sentence[max(0, found.start() - _REACH) : found.start()]
    after = sentence[found.end() : found.end() + _REACH].lstrip()
    return NEGATED.search(before) is not None or NEGATED_AFTER.match(after) is not None
