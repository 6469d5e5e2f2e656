"""What a text is made of: words, pairs of words, what is denied, and letter groups that survive a slip of the finger.

The same features are counted when the model is trained (tools/train_model.py) and when a text is read.
"""

import re
from collections.abc import Callable
from functools import lru_cache

from faq.languages import languages
from faq.spelling import fold, words_of

_BREAK = re.compile(r"[.!?;\n\r,:()\"“”«»…—–/]+| - ")
_LETTERS = re.compile(r"[a-z]+")
_DOUBLED = re.compile(r"(.)\1+")
_DENIED_WORDS = 5  # how far a negation reaches
_LONGEST = 120  # words read; a longer text has said what it is about by then
_MOST_CONCEPTS = 3  # a word that may stand for more says too little about which
AFTER_REMINDER = "@after reminder"
# fmt: off
# Concepts that are signs of danger, and concepts that say how it is spoken of.
_SIGNS = frozenset({
    "#itch", "#twitch", "#stiff", "#spasm", "#fever", "#sweat_chill", "#confused", "#sees_things", "#restless",
    "#sleepy", "#limp", "#dizzy", "#slurred", "#vomit", "#breathless", "#blue", "#unconscious", "#seizure",
    "#pain", "#headache", "#swollen", "#red_sore", "#ooze_leak", "#smell_bad", "#beep", "#hum_noise", "#fall",
    "#hit_blow", "#crash", "#moved_flipped", "#wants_to_die", "#too_many", "#weak_numb", "#tingle",
    "#drool_drunk", "#vision_blurry", "#flu_sick", "#withdrawal_word", "#overdose_word", "#mood_sad",
    "#missed_overdue", "#empty_low", "#emergency_call",
})
# Of these, what is felt or seen: the others only say that a refill is late.
SYMPTOMS = _SIGNS - {"#missed_overdue", "#empty_low", "#emergency_call", "#overdose_word", "#crash", "#hit_blow"}
_DENIED_SIGNS = frozenset("!" + sign for sign in _SIGNS)
_FRAMES = frozenset({
    "#now_sudden", "#worse_more", "#long_ago", "#checked_fixed", "#all_fine", "#good_happy", "#denial",
    "#smoke_clock_alarm", "#other_device", "#animal", "#vehicle_thing", "#tv_game_film", "#joke_idiom",
    "#recover_heal", "#relief_benefit", "#maybe_unsure", "#food", "#weather", "#pump_device", "asked",
})
# fmt: on
_SHORTHAND = {
    written: tuple(meant.split()) for language in languages().values() for written, meant in language.shorthand.items()
}
_NEGATIONS = frozenset(word for language in languages().values() for word in language.negations)
_BREAKS = frozenset(word for language in languages().values() for word in language.breaks)


def features(text: str, *, after_reminder: bool = False, mend: Callable[[str], str] | None = None) -> set[str]:
    """Return every feature of the text. `after_reminder`: whether it answers our question about a visit.

    `mend` returns the word that was meant for one that was written; the text counts as written and as meant.
    """
    found, words = in_two(text, after_reminder=after_reminder, mend=mend)
    return found.union(*map(of_word, words))


def in_two(
    text: str, *, after_reminder: bool = False, mend: Callable[[str], str] | None = None
) -> tuple[set[str], set[str]]:
    """Return the features as `features` does, but for its words what `of_word` says of them left out, and the words."""
    folded = fold(text)
    found, words = _features(folded, after_reminder)
    if mend is not None and (meant := _LETTERS.sub(lambda word: mend(word.group()), folded)) != folded:
        more, other = _features(meant, after_reminder)
        return found | more, words | other
    return found, words


@lru_cache(maxsize=20_000)
def of_word(word: str) -> tuple[str, ...]:
    """Return what a word says by itself: that it is there, and its groups of three and four letters."""
    edged = f"<{word}>"
    return ("=" + word, *(edged[i : i + n] for n in (3, 4) for i in range(len(edged) - n + 1)))


def _features(folded: str, after_reminder: bool) -> tuple[set[str], set[str]]:
    found: set[str] = set()
    said: list[str] = []
    meant: set[str] = set()
    for part in _BREAK.split(folded):
        words = [squeezed(word) for written in words_of(part) for word in _SHORTHAND.get(written, (written,))]
        if words:
            _read_part(words, found, meant)
            said += words
        if len(said) > _LONGEST:
            break
    if said:
        found.add("^" + said[0])
        found.add("$" + said[-1])
        if len(said) > 1:
            found.add(f"^{said[0]} {said[1]}")
    if "?" in folded:
        found.add("@asked")
        meant.add("asked")
    found.add(f"@long {min(6, len(said) // 3)}")
    _frame(meant, found)
    if after_reminder:
        found.add(AFTER_REMINDER)
        found.update(f"@after {word}" for word in said[:4])
    return found, set(said)


def _read_part(words: list[str], found: set[str], meant: set[str]) -> None:
    before, two_before, denied = "<", "", 0
    thought: tuple[str, ...] = ()
    for word in words:
        found.add(f"{before} {word}")
        if two_before:
            found.add(f"{two_before} _ {word}")
        if word in _BREAKS:
            denied = 0
        elif denied:
            found.add("!" + word)
            denied -= 1
        if concepts := _CONCEPTS.get(word):
            tags = _tags(concepts, denied > 0)
            found.update(tags)
            meant.update(tags)
            found.update(f"#{one} #{other}" for one in thought for other in concepts if one != other)
            thought = concepts
        if word in _NEGATIONS:
            denied = _DENIED_WORDS
        two_before = before if before != "<" else ""
        before = word
    found.add(f"{before} >")


@lru_cache(maxsize=2_000)
def _tags(concepts: tuple[str, ...], denied: bool) -> tuple[str, ...]:
    return tuple(("!#" if denied else "#") + concept for concept in concepts)


def _frame(meant: set[str], found: set[str]) -> None:
    """What the text is about, seen together with how it speaks of it: as past, checked, denied, of another thing."""
    signs = meant & _SIGNS
    denied = meant & _DENIED_SIGNS
    if signs:
        found.add("@sign")
    elif denied:
        found.add("@signs denied")
    for frame in meant & _FRAMES:
        if signs:
            found.add(f"@sign & {frame}")
        if denied:
            found.add(f"@denied & {frame}")
        found.update(f"{frame} & {other}" for other in meant if other != frame)


@lru_cache(maxsize=20_000)
def squeezed(word: str) -> str:
    """Return the word without doubled letters: a held key, a doubled key and a single one look alike."""
    return _DOUBLED.sub(r"\1", word)


def _concepts() -> dict[str, tuple[str, ...]]:
    """What each word stands for, in any language; a word that may stand for too much says nothing."""
    found: dict[str, set[str]] = {}
    for language in languages().values():
        for concept, words in language.concepts.items():
            for word in words:
                found.setdefault(squeezed(word), set()).add(concept)
    return {word: tuple(sorted(meant)) for word, meant in found.items() if len(meant) <= _MOST_CONCEPTS}


_CONCEPTS = _concepts()
