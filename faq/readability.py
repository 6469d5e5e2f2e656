"""How hard a text is to read, measured over the words a patient could avoid: Flesch-Kincaid; Szigriszt for Spanish."""

import re
from functools import lru_cache

import pyphen

# Words no plain-language rewrite can spare a person with a pump. They, and their plurals, count neither as
# words nor as syllables.
UNAVOIDABLE = frozenset(
    (
        *("intrathecal", "baclofen", "spasticity", "withdrawal", "overdose", "emergency", "synchromed", "prometra"),
        *("mri", "catheter", "alarm", "refill", "doctor", "medicine", "infection", "itching", "tingling"),
        *("intratecal", "baclofeno", "espasticidad", "abstinencia", "sobredosis", "emergencia", "emergencias"),
        *("medicamento", "medicina", "enfermera", "comezon", "hormigueo", "hospital"),
    )
)

_PLACEHOLDER = re.compile(r"\{[a-z_]*\}")
_PHONE = re.compile(r"\+?\(?\b\d(?:[\d().]|[ -](?=[\d(]))*\d\b")
_WORD = re.compile(r"[^\W_]+(?:['’][^\W_]+)*")
_SENTENCE_END = re.compile(r"[.!?]+(?=\s|$)")
_VOWELS = re.compile(r"[aeiouy]+")
_SPANISH_VOWELS = re.compile(r"[aeiouáéíóúü]+")
_STRONG_PAIR = re.compile(r"[aeoáéó](?=[aeoáéó])")
_SYLLABLES = pyphen.Pyphen(lang="en_US")


def grade(text: str) -> float:
    """Return the US school grade by Flesch-Kincaid; 0.0 for a text with nothing to measure.

    Placeholders, phone numbers and the UNAVOIDABLE words are dropped first.
    """
    sentences, words = _measured(text)
    if not words:
        return 0.0
    syllables = sum(_syllables(word.lower()) for word in words)
    return 0.39 * len(words) / sentences + 11.8 * syllables / len(words) - 15.59


def perspicuity(text: str) -> float:
    """Return how easily a Spanish text reads, by Szigriszt: 100 is easiest, 65 and more "fairly easy" (INFLESZ).

    100.0 for a text with nothing to measure. Source: F. Szigriszt Pazos, 1993; scale: I. Barrio-Cantalejo, 2008.
    """
    sentences, words = _measured(text)
    if not words:
        return 100.0
    syllables = sum(_spanish_syllables(word.lower()) for word in words)
    return 206.835 - 62.3 * syllables / len(words) - len(words) / sentences


def _measured(text: str) -> tuple[int, list[str]]:
    """How many sentences, and the words that count."""
    bare = _PHONE.sub(lambda found: "" if _is_phone(found.group()) else found.group(), _PLACEHOLDER.sub("", text))
    words = [word for word in _WORD.findall(bare) if not _unavoidable(word.lower())]
    return max(1, sum(1 for part in _SENTENCE_END.split(bare) if _WORD.search(part))), words


@lru_cache(maxsize=8192)
def _spanish_syllables(word: str) -> int:
    """One for every group of vowels; two strong vowels side by side are two."""
    groups = _SPANISH_VOWELS.findall(word)
    return max(1, len(groups) + sum(len(_STRONG_PAIR.findall(group)) for group in groups))


def _is_phone(digits: str) -> bool:
    return digits in {"911", "112", "999", "988"} or sum(c.isdigit() for c in digits) >= 7


def _unavoidable(word: str) -> bool:
    return word in UNAVOIDABLE or (word.endswith("s") and word[:-1] in UNAVOIDABLE)


@lru_cache(maxsize=8192)
def _syllables(word: str) -> int:
    """The larger of two counts: hyphenation points miss syllables of one letter (an-y), vowel groups miss i-de-a."""
    sounded = re.sub(r"(?<=[^aeiouyl])e$|(?<=[aeiouy]l)e$|(?<=[^dt])ed$|(?<=[^aeioucgsxzh])es$", "", word)
    return max(len(_SYLLABLES.positions(word)) + 1, len(_VOWELS.findall(sounded)), 1)
