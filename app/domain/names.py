"""Names made comparable: case, accents, hyphens and apostrophes do not matter, and a word is found by how it begins.

What is indexed of a name and what is looked up for a query are decided here, so that both always agree.
"""

import re
import unicodedata
from collections.abc import Iterable

SHORTEST = 2  # letters that a word is found by
LONGEST = 12  # longer beginnings are not indexed: who has such a one is looked at by opening the name
MOST_WORDS = 30  # of one name or query; nobody has more

_JOINS = re.compile(r"['’‘‛ʼ`´′＇\u00ad\u200b-\u200d\u2060\ufeff]")  # O'Brien is also typed OBrien
_WORD = re.compile(r"[^\W_]+")
_LETTERS = str.maketrans({"ø": "o", "ł": "l", "đ": "d", "ð": "d", "ħ": "h", "ı": "i", "æ": "ae", "œ": "oe", "þ": "th"})


def folded(text: str) -> str:
    """Return it without case and accents: Muñoz and MUNOZ are one."""
    same = unicodedata.normalize("NFKD", unicodedata.normalize("NFKD", text).casefold())
    return "".join(c for c in same if not unicodedata.combining(c)).casefold().translate(_LETTERS)


def name_words(*names: str) -> frozenset[str]:
    """Return every word by which a person of these names is found: Anne-Marie as anne, marie and annemarie."""
    found: set[str] = set()
    for name in names:
        plain = folded(name)
        split, joined = _WORD.findall(plain), _WORD.findall(_JOINS.sub("", plain))
        tokens = ("".join(_WORD.findall(_JOINS.sub("", token))) for token in plain.split())
        for words in (split, joined, tokens, ["".join(joined)]):
            found.update(list(words)[:MOST_WORDS])
    return frozenset(word for word in found if word)


def query_words(query: str) -> tuple[str, ...]:
    """Return the words that were typed, in any order and each once."""
    return tuple(dict.fromkeys(_WORD.findall(_JOINS.sub("", folded(query)))))[:MOST_WORDS]


def matches(words: Iterable[str], query: Iterable[str]) -> bool:
    """Whether each word of the query begins a word of the name."""
    names = tuple(words)
    return all(any(word.startswith(wanted) for word in names) for wanted in query)


def beginnings(words: Iterable[str]) -> frozenset[str]:
    """Return all that is indexed of a name."""
    return frozenset(word[:n] for word in words for n in range(_shortest(word), min(len(word), LONGEST) + 1))


def lookup(wanted: str) -> str | None:
    """Return what to look up for a word of a query; None for one too short to be indexed."""
    return wanted[:LONGEST] if len(wanted) >= _shortest(wanted) else None


def is_exact(wanted: str) -> bool:
    """Whether looking it up finds just the names that it begins; else the names found must be opened and compared."""
    return _shortest(wanted) <= len(wanted) <= LONGEST


def _shortest(word: str) -> int:
    """One sign is a whole name in scripts that know no capitals; such a script has thousands of signs."""
    first = word[:1]
    return 1 if first.isalpha() and first.upper() == first.lower() else SHORTEST
