"""One text as the model reads it: as a whole and, where it says several things, part by part."""

import re
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from faq.features import features, in_two, squeezed
from faq.model import Reading as Chances
from faq.model import model
from faq.spelling import fold, words_of

URGENT, TOPIC, INTENT, NONE = "urgent", "topic", "intent", "none"
LATE_NOW = "missed-refill-now"  # what the examples call a refill that is overdue as the text is written
MOST_PARTS = 6
LONG_FROM = 24  # words of a text that is also read in windows
WINDOW = 14  # words
_LONGEST_READ = 160
_SAYS_SOMETHING = 4  # letters of a word that a person would call telling
_FEWEST_WORDS = 2  # of a part that says something by itself
_PART = re.compile(
    r"[.!?;\n\r]+|,? (?:and|also|but|btw|by the way|plus|oh and|and also|quick question|another thing|"
    r"y tambien|tambien|y ademas|ademas|por cierto|pero|y otra cosa|otra cosa)(?=[ ,:])|, | y (?=(?:queria|quiero|"
    r"quisiera|puedo|puede|pueden|podria|podemos|cuando|cuanto|cuantos|como|que|q|necesito|pregunto|saber|la|el|mi|"
    r"me|de paso|otra)\b)"
)


@dataclass(frozen=True, eq=False)
class Part:
    """Words of the text, folded, with what the model makes of them alone."""

    words: str
    chances: Chances

    def mass(self, kind: str) -> float:
        """How likely the text is of that kind: "urgent", "topic", "intent" or "none"."""
        return float(self.chances.chances[self.chances.model.kinds[kind][0]].sum())

    def best(self, kind: str, most: int = 1) -> list[tuple[str, float]]:
        """The likeliest names of that kind, with their chances, the best first."""
        place, names = self.chances.model.kinds[kind]
        found = self.chances.chances[place]
        order = (int(found.argmax()),) if most == 1 else np.argsort(-found, kind="stable")[:most]
        return [(names[n], float(found[n])) for n in order]

    def chance(self, kind: str, name: str) -> float:
        """How likely it is just that; 0 for what the model was not trained on."""
        label = f"{kind}:{name}"
        return self.chances.of(label) if label in self.chances.model.places else 0.0

    def telling(self, label: str) -> list[str]:
        """The words, as written, that speak most for a label."""
        strong = self.chances.model.telling(features(self.words, mend=model().mend), label, most=12)
        meant = {feature[1:] for feature in strong if feature[0] == "="}
        told = [word for word in dict.fromkeys(words_of(fold(self.words))) if squeezed(word) in meant]
        return [word for word in told if len(word) >= _SAYS_SOMETHING][:3] or told[:3]


@dataclass(frozen=True, eq=False)
class Read:
    text: str
    after_reminder: bool = False

    @cached_property
    def whole(self) -> Part:
        return _read(self.text, after_reminder=self.after_reminder)

    @cached_property
    def plain(self) -> Part:
        """The whole as if nothing had been asked: danger does not hang on what we asked."""
        return _read(self.text) if self.after_reminder else self.whole

    @cached_property
    def parts(self) -> tuple[Part, ...]:
        """What the text says one after the other; empty where it says one thing."""
        said = [part.strip() for part in _PART.split(fold(self.text)[:600])]
        said = [part for part in said if len(words_of(part)) >= _FEWEST_WORDS][:MOST_PARTS]
        return tuple(_read(part) for part in said) if len(said) > 1 else ()

    @cached_property
    def windows(self) -> tuple[Part, ...]:
        """A long text, a dozen words at a time: danger told in one breath must not drown in the rest."""
        words = words_of(fold(self.text))
        if len(words) < LONG_FROM:
            return ()
        starts = range(0, min(len(words), _LONGEST_READ) - WINDOW // 2, WINDOW // 2)
        return tuple(_read(" ".join(words[start : start + WINDOW])) for start in starts)

    @property
    def spanish(self) -> float:
        return self.whole.chances.spanish


def _read(text: str, *, after_reminder: bool = False) -> Part:
    trained = model()
    return Part(text, trained.read(*in_two(text, after_reminder=after_reminder, mend=trained.mend)))
