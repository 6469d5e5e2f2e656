"""ALARM, REFILL, TRAVEL: a text that is one keyword, whatever the case, the punctuation or one slip of the finger."""

from dataclasses import dataclass
from functools import lru_cache

from faq.library import FALLBACK, Library
from faq.spelling import SlipIndex, fold, words_of

# What people put around a keyword. None of these may be the keyword itself (an exact one is looked up first).
_COURTESY = frozenset(
    {
        "please",
        "pls",
        "plz",
        "plse",
        "pleas",
        "thanks",
        "thank",
        "you",
        "thx",
        "ty",
        "hi",
        "hello",
        "hey",
        "the",
        "a",
        "an",
    }
    | {
        "send",
        "me",
        "text",
        "txt",
        "reply",
        "keyword",
        "word",
        "topic",
        "info",
        "information",
        "about",
        "on",
        "for",
        "tell",
    }
    | {
        "what",
        "whats",
        "abt",
        "need",
        "want",
        "i",
        "get",
        "some",
        "help",
        "with",
        "more",
        "question",
        "dear",
        "sir",
        "ok",
        "and",
        "now",
        "us",
    }
    | {"por", "favor", "gracias", "hola", "el", "la", "de", "sobre", "informacion", "quiero"}
)
_JOINED_AND_MENDED = 7  # letters from which two words may be one keyword with a slip in it
_AS_WRITTEN = frozenset({"driving"})  # words of their own, one slip from the keyword of another topic
_LONGEST = 9  # words; whoever writes more has written a sentence


@dataclass(frozen=True)
class KeywordHit:
    """`written` is the word as it stood in the text, in capitals; `correction` names the slip that was mended."""

    topic: str
    keyword: str
    written: str
    correction: str | None = None
    language: str = FALLBACK  # whose keyword it is


class _Index:
    def __init__(self, library: Library, language: str) -> None:
        self.topics: dict[str, str] = {}
        self.languages: dict[str, str] = {}
        wanted = dict.fromkeys((language, FALLBACK, *library.languages))
        self.order = [code for code in wanted if code in library.answers]
        for code in self.order:
            for answer in library.answers[code].values():
                for word in answer.keywords:
                    self.topics.setdefault(fold(word), answer.topic)
                    self.languages.setdefault(fold(word), code)
        self.near = SlipIndex(self.topics).near


@lru_cache(maxsize=16)
def _index(library: Library, language: str) -> _Index:
    return _Index(library, language)


def keyword(text: str, library: Library, language: str = FALLBACK) -> KeywordHit | None:
    """Return the keyword that is the whole text, apart from courtesies, of `language` before any other.

    None where a correction could be two topics.
    """
    words = words_of(fold(text))
    if not words or len(words) > _LONGEST:
        return None
    index = _index(library, language)
    core = [word for word in words if word not in _COURTESY]
    for candidate in ("".join(words), "".join(core)):  # joined: "hot tub" and "side effects" are keywords too
        if topic := index.topics.get(candidate):
            return KeywordHit(topic, candidate.upper(), candidate.upper(), language=index.languages[candidate])
    if len(core) == 1:
        return _corrected(core[0], index)
    joined = "".join(core)  # "no se" is no slip of NOISE
    return _corrected(joined, index) if len(core) == 2 and len(joined) >= _JOINED_AND_MENDED else None


def _corrected(word: str, index: _Index) -> KeywordHit | None:
    near = index.near(word) if word not in _AS_WRITTEN else {}
    nearest = next((code for code in index.order if any(index.languages[found] == code for found in near)), None)
    near = {found: slip for found, slip in near.items() if index.languages[found] == nearest}
    if len({index.topics[found] for found in near}) != 1:
        return None
    found, correction = next(iter(near.items()))
    return KeywordHit(index.topics[found], found.upper(), word.upper(), correction, index.languages[found])
