"""The trained weights, and how a text's features become chances. Written by tools/train_model.py, read here.

A linear model: every feature adds its weight to every label, and the labels compete (softmax). One matrix of small
integers, one multiplication a text; the words that decided can be named.
"""

import json
import math
from collections.abc import Callable, Collection
from dataclasses import dataclass
from functools import cache, cached_property, lru_cache
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from faq.features import of_word
from faq.spelling import Mender

FILE = Path(__file__).parent / "model" / "weights.bin"
MAGIC = b"pumpline understanding 2\n"


class ModelError(ValueError):
    """The weights cannot be read; the message says how to build them again."""


@dataclass(frozen=True, eq=False)
class Model:
    """`weights` has a row a feature and a column a label, then one for Spanish; a row times its scale is real."""

    labels: tuple[str, ...]
    rows: dict[str, int]
    rarity: NDArray[np.float32]
    scales: NDArray[np.float32]
    weights: NDArray[np.int8]
    bias: NDArray[np.float32]
    words: tuple[str, ...]  # that the examples use, the commonest first,
    common: int  # and how many of them a slip may be mended to
    provenance: dict[str, str]

    @cached_property
    def mend(self) -> Callable[[str], str]:
        """Return the word that was meant for one that was written."""
        return Mender(self.words, self.common).mend

    @cached_property
    def kinds(self) -> dict[str, tuple[slice, tuple[str, ...]]]:
        """Return where the labels of a kind stand ("urgent", "topic", "intent", "none"), and their names in order."""
        found: dict[str, tuple[slice, tuple[str, ...]]] = {}
        for kind in {label.partition(":")[0] for label in self.labels}:
            places = [n for n, label in enumerate(self.labels) if label.startswith(f"{kind}:")]
            names = tuple(self.labels[n].partition(":")[2] for n in places)
            found[kind] = slice(places[0], places[-1] + 1), names
        return found

    @cached_property
    def places(self) -> dict[str, int]:
        return {label: n for n, label in enumerate(self.labels)}

    def read(self, features: Collection[str], words: Collection[str] = ()) -> "Reading":
        """Return the chance of every label. A text with no known feature gets what the labels weigh by themselves.

        `words`: those of the text whose own features (features.of_word) are not among `features`.
        """
        known, of_word = self.rows.get, self._rows_of_word
        rows = {row for feature in features if (row := known(feature)) is not None}
        for word in words:
            rows.update(of_word(word))
        index = np.fromiter(rows, dtype=np.intp, count=len(rows))
        index.sort()  # sums in one order, whatever order the sets came in: the same text, the same chances
        rarity = self.rarity.take(index)
        length = math.sqrt(float(np.dot(rarity, rarity))) or 1.0
        weights = self.weights.take(index, axis=0).astype(np.float32)
        scores = (self.scales.take(index) / np.float32(length)) @ weights + self.bias
        chances = np.exp(scores[:-1] - scores[:-1].max())
        return Reading(self, chances / chances.sum(), 1 / (1 + math.exp(-float(scores[-1]))), len(rows))

    @cached_property
    def _rows_of_word(self) -> Callable[[str], tuple[int, ...]]:
        """Return the rows of a word's own features: most words of most texts have been seen before."""
        known = self.rows.get
        return lru_cache(maxsize=10_000)(
            lambda word: tuple(row for feature in of_word(word) if (row := known(feature)) is not None)
        )

    def telling(self, features: Collection[str], label: str, most: int = 3) -> list[str]:
        """Return the features that spoke most for the label, the strongest first."""
        column = self.labels.index(label)
        weighed = [
            (float(self.scales[row]) * int(self.weights[row, column]), feature)
            for feature in features
            if (row := self.rows.get(feature)) is not None
        ]
        return [feature for weight, feature in sorted(weighed, reverse=True)[:most] if weight > 0]


@dataclass(frozen=True, eq=False)
class Reading:
    """What the model makes of one text: chances that sum to 1, and how likely it is Spanish, 0 to 1."""

    model: Model
    chances: NDArray[np.float32]
    spanish: float
    known: int  # features of the text that the model knows

    def of(self, label: str) -> float:
        return float(self.chances[self.model.places[label]])


@cache
def model(path: Path = FILE) -> Model:
    """Read the weights, once. Raises ModelError."""
    try:
        return decode(path.read_bytes())
    except (OSError, ValueError, TypeError, KeyError, IndexError) as error:
        raise ModelError(f"{path.name}: cannot be read ({type(error).__name__}); build it: make model") from error


def encode(model: Model) -> bytes:
    """Return the file: a line of JSON, the features, then the arrays, little-endian."""
    names = sorted(model.rows, key=model.rows.__getitem__)
    head = {
        "labels": list(model.labels),
        "features": len(names),
        "words": len(model.words),
        "common": model.common,
        "provenance": model.provenance,
    }
    text = "\n".join((*names, *model.words)).encode()
    head["bytes"] = len(text)
    arrays = (
        model.rarity.astype("<f4"),
        model.scales.astype("<f4"),
        model.bias.astype("<f4"),
        model.weights.astype(np.int8),
    )
    line = json.dumps(head, sort_keys=True).encode() + b"\n"
    return b"".join((MAGIC, line, text, *(array.tobytes() for array in arrays)))


def decode(data: bytes) -> Model:
    if not data.startswith(MAGIC):
        raise ModelError("these are not our weights; build them: make model")
    end = data.index(b"\n", len(MAGIC))
    head = json.loads(data[len(MAGIC) : end])
    start = end + 1 + head["bytes"]
    names = data[end + 1 : start].decode().split("\n")
    count, columns = head["features"], len(head["labels"]) + 1
    if len(names) != count + head["words"]:
        raise ModelError("these weights are cut short; build them: make model")

    def take(kind: str, size: int) -> NDArray[np.generic]:
        nonlocal start
        found = np.frombuffer(data, dtype=kind, count=size, offset=start)
        start += found.nbytes
        return found

    rarity, scales, bias = take("<f4", count), take("<f4", count), take("<f4", columns)
    weights = take("i1", count * columns).reshape(count, columns)
    if start != len(data):
        raise ModelError("these weights have another length than they say; build them: make model")
    return Model(
        labels=tuple(head["labels"]),
        rows={name: row for row, name in enumerate(names[:count])},
        rarity=rarity,  # type: ignore[arg-type]
        scales=scales,  # type: ignore[arg-type]
        weights=weights,  # type: ignore[arg-type]
        bias=bias,  # type: ignore[arg-type]
        words=tuple(names[count:]),
        common=int(head["common"]),
        provenance=head["provenance"],
    )
