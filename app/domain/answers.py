"""Short answers to what we asked about a pump, as people type them: "2 please", "two", "not sure", "no ride".

Whole texts only: a sentence that says more is read by faq.understand.
"""

import re

from app.domain.why_missed import REASONS, reason_in_words

_COUNTED = {
    **{word: n for n, word in enumerate(("one", "two", "three", "four", "five"), 1)},
    **{word: n for n, word in enumerate(("uno", "dos", "tres", "cuatro", "cinco"), 1)},
}
_MOST_WORDS = 3  # beside the digit
_NUMBER = re.compile(rf"\W*(?:(?:number|option|numero|opcion) )?(\d{{1,2}}|{'|'.join(_COUNTED)})\b")

_YES = r"(?:yes|yeah|yep|yup|y|ok|okay|sure|si|claro|please|call me)"
_NO = (
    r"(?:no|nope|nah|not yet|not sure|unsure|no se|todavia no|aun no|"
    r"(?:i )?(?:dont|do not|didnt|did not) (?:know|think so))"
)
_POLITE = r"(?: (?:please|pls|thanks|thank you|por favor|gracias))?"
_WHO_IS = r"(?:all |im |i am |hes |shes |doing |feeling |todo |estoy |esta |me siento |se siente )*"
_OF = {
    "book": (_YES + _POLITE,),
    "scan": (
        rf"{_YES}(?: (?:they did|it was|it did|ya|la revisaron|lo hicieron))?{_POLITE}|"
        r"they did|it was(?: checked)?|checked|ya la revisaron",
        _NO + _POLITE,
    ),
    "checkin": (
        rf"{_WHO_IS}(?:fine|good|great|ok|okay|well|the same|same|as usual|normal|bien|igual|como siempre){_POLITE}",
        "",
        "",
        rf"{_WHO_IS}(?:not (?:good|well|ok|okay|great|right|so good)|bad|worse|mal|peor|no (?:muy )?bien)",
    ),
}


def digit(text: str) -> int | None:
    """Return the number a text is, with at most a few words behind it; None where it says more, or another number."""
    plain = _folded(text)
    found = _NUMBER.match(plain)
    if found is None:
        return None
    rest = plain[found.end() :].split()
    if len(rest) > _MOST_WORDS or any(word.isdigit() for word in rest):
        return None
    if rest and not found.group(1).isdigit():
        return None  # "one more thing" is no answer
    return _COUNTED.get(found.group(1)) or int(found.group(1))


def place(kind: str, text: str, *, newest: bool) -> int | None:
    """Return which of a question's answers these words are, from 0; None for none. Words that could answer anything
    count only for the question put last."""
    if kind == "why":
        reason = reason_in_words(text)
        return REASONS.index(reason) if reason else None
    if not newest:
        return None
    plain = _folded(text)
    return next((n for n, words in enumerate(_OF.get(kind, ())) if words and re.fullmatch(words, plain)), None)


def _folded(text: str) -> str:
    """Return the words in small letters, without accents and apostrophes."""
    plain = text.casefold().translate(str.maketrans("áéíóú", "aeiou", "'\u2019"))
    return " ".join(re.findall(r"\w+", plain))
