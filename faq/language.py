"""Which language a text of a few words is in."""

from faq.context import Language
from faq.languages import languages
from faq.spelling import fold, words_of

FALLBACK: Language = "en"
READ_BY_MODEL = ("en", "es")
_TORN = (0.4, 0.6)  # between these the model's word on Spanish is a guess
_ENOUGH_WORDS = 3
_SURE_OF_A_WORD = 0.9
_LETTERS_TO_TELL = 4
_PLAINLY = 2  # words of another language
_EVERYBODYS = frozenset({"menu", "stop", "start", "info", "ok", "no"})  # our own words, in any language
_DENYING = frozenset({"dont", "cant", "cannot", "doesnt"})
_MARKS = frozenset("¿¡ñÑáéíóúÁÉÍÓÚ")


def detect(text: str, preferred: Language | None = None, spanish: float | None = None) -> Language:
    """Return the language of the text; `preferred` (or English) where the words do not tell.

    `spanish`: how likely the model holds it for Spanish rather than English, 0 to 1.
    """
    words = words_of(fold(text))
    if len(words) < _ENOUGH_WORDS:
        words = [word for word in words if word not in _EVERYBODYS]
        spanish = spanish if any(len(word) >= _LETTERS_TO_TELL and word.isalpha() for word in words) else None
    counts = {code: sum(word in known.words for word in words) for code, known in languages().items()}
    if not _MARKS.isdisjoint(text):
        counts["es"] = counts.get("es", 0) + 2
    best = max(counts, key=counts.__getitem__)
    if len(words) < _ENOUGH_WORDS:
        return _of_a_word_or_two(counts, best, preferred, spanish)
    if preferred is not None and preferred not in READ_BY_MODEL and 0 < counts.get(preferred, 0) == counts[best]:
        return preferred
    if best not in READ_BY_MODEL and counts[best] >= 2 + sorted(counts.values())[-2]:
        return best
    if spanish is not None and not _TORN[0] < spanish < _TORN[1]:
        return "es" if spanish > 0.5 else "en"
    ahead = [code for code, count in counts.items() if count == counts[best]]
    if counts[best] == 0 or len(ahead) > 1:
        return preferred or FALLBACK
    if preferred is not None and counts[best] - counts.get(preferred, 0) == 1 and counts.get(preferred, 0) > 0:
        return preferred
    return best


def _of_a_word_or_two(
    counts: dict[Language, int], best: Language, preferred: Language | None, spanish: float | None
) -> Language:
    """Words that both languages may have: only one that is plainly the other's speaks against what we knew.

    One English word does not: keywords are English, and everybody texts them.
    """
    everybodys = best == FALLBACK and counts[best] < _PLAINLY
    if preferred is not None and preferred != FALLBACK and everybodys:
        return preferred
    if counts[best] > sorted(counts.values())[-2]:
        return best
    if preferred is not None:
        return preferred
    return "es" if spanish is not None and spanish > _SURE_OF_A_WORD else FALLBACK


def clear(text: str, language: Language) -> bool:
    """Whether a text says enough to take its language for the person's own from now on."""
    words = words_of(fold(text))
    known = languages().get(language)
    return known is not None and len(words) >= _ENOUGH_WORDS and sum(word in known.words for word in words) > 1


def wanted(text: str, written_in: Language) -> Language | None:
    """Return the language that a text asks for by its name; None where it names none we have.

    "No entiendo ingles" and "i dont speak spanish" want the language they are written in.
    """
    denying = False
    refused = None
    for word in words_of(fold(text)):
        denying = denying or word in _DENYING or any(word in known.negations for known in languages().values())
        named = next((code for code, known in languages().items() if word in known.also_called), None)
        if named and not denying:
            return named
        if named:  # a denial reaches the first language named after it
            refused, denying = named, False
    return written_in if refused and refused != written_in else None
