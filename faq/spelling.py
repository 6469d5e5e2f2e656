"""Texts as people type them, made comparable: case, accents, apostrophes and single slips of the finger."""

import re
import unicodedata
from collections.abc import Iterable, Sequence
from functools import lru_cache

LONGEST_TEXT = 1600  # what a carrier hands over at most; anything longer is cut, not refused
SHORTEST_CORRECTABLE = 5  # in a shorter word one wrong letter makes too many other words
_LONGEST_CORRECTABLE = 20
_SHORTEST_MENDED = 4

# Dropped, so that can't, can’t and cant are one word. Zero-width characters and joiners come with pasted text.
_DROPPED = dict.fromkeys(map(ord, "'’‘‛ʼ`´′＇\u00ad\u200b\u200c\u200d\u2060\ufeff\x00"))
# Pictures that cry for help, as the word that they stand for.
_CRIES = {ord(sign): f" {word} " for sign, word in {"🆘": "sos", "🚑": "ambulance"}.items()}
_WORD = re.compile(r"[a-z0-9]+")
_SENTENCE_END = re.compile(r"[.!?;\n\r]+")
_CLAUSE_END = re.compile(r"[,:()\"“”«»…—–/]+| - | but | pero | though | although ")
_RUN = re.compile(r"([a-z])\1{2,}")
_ANY_RUN = re.compile(r"([a-z])\1+")


@lru_cache(maxsize=16)  # one text is read from many sides
def fold(text: str) -> str:
    """Lower case, without accents and apostrophes; punctuation stays. Cut at LONGEST_TEXT characters."""
    text = text[:LONGEST_TEXT].translate(_DROPPED)
    if not text.isascii():
        text = text.translate(_CRIES)
        decomposed = unicodedata.normalize("NFKD", text)
        text = "".join(c for c in decomposed if not unicodedata.combining(c))
    return text.lower()


def words_of(folded: str) -> list[str]:
    """The words of an already folded text."""
    return _WORD.findall(folded)


def normal(text: str) -> str:
    """The one form in which two writings of the same words are equal."""
    return " ".join(words_of(fold(text)))


def sentences(folded: str) -> list[str]:
    return [part for part in _SENTENCE_END.split(folded) if _WORD.search(part)]


def clauses(sentence: str) -> list[str]:
    return [part for part in _CLAUSE_END.split(sentence) if _WORD.search(part)]


def squeeze(word: str) -> str | None:
    """`alaaaarm` and `alarm` squeezed are equal; None for a word in which no letter comes three times running."""
    return _ANY_RUN.sub(r"\1", word) if _RUN.search(word) else None


def slip(written: str, meant: str) -> str | None:
    """Name the one slip that turns `meant` into `written`; None when equal or further apart."""
    if written == meant:
        return None
    same = 0
    for ours, theirs in zip(written, meant, strict=False):
        if ours != theirs:
            break
        same += 1
    wrong, right = written[same:], meant[same:]
    if len(wrong) == len(right):
        if wrong[1:] == right[1:]:
            return "one letter wrong"
        swapped = len(wrong) > 1 and wrong[0] == right[1] and wrong[1] == right[0] and wrong[2:] == right[2:]
        return "two letters swapped" if swapped else None
    if wrong == right[1:]:
        return "one letter missing"
    if wrong[1:] == right:
        return "one letter too many"
    return None


class SlipIndex:
    """Finds the words within one slip of what was written, in a handful of dictionary look-ups."""

    def __init__(self, words: Iterable[str]) -> None:
        self._by_shortened: dict[str, list[str]] = {}
        self._by_squeezed: dict[str, list[str]] = {}
        for word in dict.fromkeys(words):
            self._by_squeezed.setdefault(_ANY_RUN.sub(r"\1", word), []).append(word)
            if len(word) >= SHORTEST_CORRECTABLE:
                for shortened in {word, *_shortened(word)}:
                    self._by_shortened.setdefault(shortened, []).append(word)

    def near(self, written: str) -> dict[str, str]:
        """Words one slip away (or equal but for letters held down), each with the name of the slip."""
        found: dict[str, str] = {}
        if len(written) + 1 < SHORTEST_CORRECTABLE:
            return found
        squeezed = squeeze(written)
        if squeezed is not None:
            for word in self._by_squeezed.get(squeezed, ()):
                if word != written:
                    found[word] = "a letter held down"
        if found or len(written) > _LONGEST_CORRECTABLE:
            return found
        index = self._by_shortened
        for shortened in (written, *_shortened(written)):
            for word in index.get(shortened, ()):
                if word not in found and (kind := slip(written, word)):
                    found[word] = kind
        return found


class Mender:
    """Mends words that nobody uses, where one slip away from one that many use. `words`: the commonest first."""

    def __init__(self, words: Sequence[str], common: int) -> None:
        self._known = frozenset(words)
        self._rank = {word: n for n, word in enumerate(words[:common])}
        self._near = SlipIndex(self._rank).near
        self.mend = lru_cache(maxsize=20_000)(self._mend)

    def _mend(self, word: str) -> str:
        if word in self._known or len(word) < _SHORTEST_MENDED:
            return word
        near = self._near(word)
        return min(near, key=self._rank.__getitem__) if near else word


def _shortened(word: str) -> list[str]:
    return [word[:i] + word[i + 1 :] for i in range(len(word))]
