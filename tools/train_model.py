"""Train the model from the examples: `make model`. The same examples give the same file, byte for byte, anywhere.

Multinomial logistic regression, fitted by Adam in small batches with some features of each text left out by chance, so
that no single word carries a decision. Nothing in it depends on the machine: chance is a fixed stream, sparse products
and element-wise arithmetic are exact in order, rows are summed column by column, and the one function that processors
round differently (exp) is computed here. Weights are then rounded to 8 bits a row.
"""

import hashlib
import math
import sys
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_matrix

from faq.examples import Example, read_examples
from faq.features import features
from faq.library import Library, load
from faq.model import FILE, Model, encode
from faq.spelling import Mender, fold, words_of
from faq.urgent import AS_WRITTEN

SEEN_TWICE = 2  # a feature of one example only is left out
MOST_FEATURES = 150_000
KNOWN_FROM = 4  # texts that use a word: then it is one, however odd
COMMON_FROM = 8  # texts that use a word: then a slip of it is mended
ROUNDS = 8  # times through all examples; this and the next four chosen on the seen set
BATCH = 256
STEP = 0.02  # of Adam, at its highest
WARMING = 0.1  # the share of all steps in which the step grows; then it shrinks to nothing
LEFT_OUT = 0.3  # the chance of a feature to be left out of one look at a text
_CHANCE = 7  # the start of the stream of chance
_FADING = (0.9, 0.999)  # how slowly Adam forgets slopes and their squares
_AFTER_REMINDER_SHARE = 8  # one in so many texts is also shown as if it answered a reminder
_SAYS_ENOUGH = 2  # spaces of an answer to a reminder that means the same out of the blue
_ABOUT_A_VISIT = {"confirm", "reschedule", "cancel_appointment", "running_late", "thanks", "wrong_number"}
Float = NDArray[np.float64]
Float32 = NDArray[np.float32]


def training_set(library: Library) -> list[Example]:
    """Every example, with the questions and phrases of the answers, and a share as if after a reminder."""
    found = list(read_examples())
    for question, topic in library.questions.values():
        found += [Example(f"topic:{topic}", "en", question)] * 2
    for language, answers in library.answers.items():
        found += [
            Example(f"topic:{a.topic}", language, text) for a in answers.values() for text in (*a.phrases, a.title)
        ]
    for example in tuple(found):
        kind, name = example.label.split(":")
        often = kind == "intent" and name in _ABOUT_A_VISIT
        if example.after_reminder and example.text.count(" ") >= _SAYS_ENOUGH:
            found.append(Example(example.label, example.language, example.text))
        if not example.after_reminder and (often or _dice(example.text) % _AFTER_REMINDER_SHARE == 0):
            found.append(Example(example.label, example.language, example.text, after_reminder=True))
    return sorted(set(found), key=lambda e: (e.label, e.language, e.text, e.after_reminder))


def _dice(text: str) -> int:
    return hashlib.sha256(text.encode()).digest()[0]


@dataclass(eq=False)
class Adam:
    """Weights with a row a feature, one bias a column, and what Adam remembers of their slopes."""

    weights: Float32
    bias: Float32
    slopes: Float32
    squares: Float32
    bias_slopes: Float32
    bias_squares: Float32
    steps: int = 0

    @classmethod
    def start(cls, rows: int, columns: int) -> "Adam":
        def wide() -> Float32:
            return np.zeros((rows, columns), np.float32)

        def flat() -> Float32:
            return np.zeros(columns, np.float32)

        return cls(wide(), flat(), wide(), wide(), flat(), flat())

    def learn(self, rows: NDArray[np.intp], slope: Float32, bias_slope: Float32, step: float) -> None:
        """Move the rows of one batch, and the bias, against their slopes. Other rows rest."""
        self.steps += 1
        slopes, squares = self.slopes[rows], self.squares[rows]
        change = self._change(slopes, squares, slope, step)
        self.slopes[rows], self.squares[rows] = slopes, squares
        self.weights[rows] -= change
        self.bias -= self._change(self.bias_slopes, self.bias_squares, bias_slope, step)

    def _change(self, slopes: Float32, squares: Float32, slope: Float32, step: float) -> Float32:
        """Take a slope into what is remembered (in place), and return how far to go."""
        first, second = _FADING
        slopes *= np.float32(first)
        slopes += slope * np.float32(1 - first)
        squares *= np.float32(second)
        squares += slope * slope * np.float32(1 - second)
        pace = np.float32(step / (1 - first**self.steps))
        spread = np.float32(1 / (1 - second**self.steps))
        change: Float32 = pace * slopes / (np.sqrt(squares * spread) + np.float32(1e-8))
        return change


def fit(x: csr_matrix, y: NDArray[np.intp], spanish: Float, classes: int, rounds: int) -> Adam:
    """Return weights (features by classes, then a column for Spanish) and biases."""
    found = Adam.start(x.shape[1], classes + 1)
    total = rounds * math.ceil(x.shape[0] / BATCH)
    for picked, batch in _batches(x, rounds):
        rows, place = np.unique(batch.indices, return_inverse=True)
        seen = csr_matrix((batch.data, place.astype(np.int32), batch.indptr), shape=(len(picked), len(rows)))
        scores = (seen @ found.weights[rows] + found.bias).astype(np.float64)
        wrong = _chances(scores[:, :classes])
        wrong[np.arange(len(picked)), y[picked]] -= 1
        tilt = _sigmoid(scores[:, classes]) - spanish[picked]
        slope = np.hstack([wrong, tilt[:, None]]).astype(np.float32) / np.float32(len(picked))
        done = (found.steps + 1) / total
        step = STEP * min(done / WARMING, max(0.0, (1 - done) / (1 - WARMING)))
        found.learn(rows, seen.T.tocsr() @ slope, _column_sums(slope), step)
    return found


def _batches(x: csr_matrix, rounds: int) -> Iterator[tuple[NDArray[np.intp], csr_matrix]]:
    """Yield which texts, and their features with some left out by chance, `rounds` times through all texts."""
    chance = np.random.default_rng(_CHANCE)
    for _ in range(rounds):
        order = chance.permutation(x.shape[0])
        for start in range(0, x.shape[0], BATCH):
            picked = order[start : start + BATCH]
            batch = x[picked]
            kept = (chance.random(batch.nnz) >= LEFT_OUT).astype(np.float32)
            batch.data *= kept / np.float32(1 - LEFT_OUT)
            yield picked, batch


def _chances(scores: Float) -> Float:
    chances = exp(scores - scores.max(axis=1, keepdims=True))
    total = np.zeros(len(chances))
    for column in range(chances.shape[1]):  # added in order, not in the order a processor likes
        total += chances[:, column]
    return chances / total[:, None]


def _sigmoid(x: Float) -> Float:
    high = 1.0 / (1.0 + exp(-np.abs(x)))
    return np.where(x >= 0, high, 1.0 - high)


def exp(x: Float) -> Float:
    """e to the x for x <= 0, by halving and a polynomial: the same bits on every processor."""
    x = np.maximum(x, -700.0)
    k = np.rint(x * 1.4426950408889634)
    r = (x - k * 0.6931471803691238) - k * 1.9082149292705877e-10
    total = np.ones_like(r)
    for n in range(13, 0, -1):
        total = 1.0 + r / n * total
    return np.ldexp(total, k.astype(np.int32))


def _column_sums(x: Float32) -> Float32:
    total = np.zeros(x.shape[1], np.float32)
    for row in x:
        total += row
    return total


def matrix(bags: list[set[str]], rows: dict[str, int], rarity: Float) -> csr_matrix:
    """Every example as a row of length 1."""
    index, data, ends = [], [], [0]
    for bag in bags:
        found = sorted(rows[feature] for feature in bag if feature in rows)
        length = math.sqrt(math.fsum(rarity[row] ** 2 for row in found)) or 1.0
        index += found
        data += [rarity[row] / length for row in found]
        ends.append(len(index))
    values = np.array(data, dtype=np.float32)
    return csr_matrix((values, np.array(index), np.array(ends)), shape=(len(bags), len(rows)))


def vocabulary(examples: list[Example]) -> tuple[tuple[str, ...], int]:
    """Return the words that several examples use, the commonest first, and how many of them many use.

    Real words one slip from a sign of danger ("lever", "leaving") are among them, used or not.
    """
    counts = Counter(word for e in examples for word in set(words_of(fold(e.text))) if word.isalpha())
    words = sorted((word for word, count in counts.items() if count >= KNOWN_FROM), key=lambda w: (-counts[w], w))
    real = sorted(AS_WRITTEN.difference(words))
    return (*words, *real), sum(counts[word] >= COMMON_FROM for word in words)


def train(examples: list[Example], rounds: int = ROUNDS) -> Model:
    words, common = vocabulary(examples)
    mend = Mender(words, common).mend
    bags = [features(e.text, after_reminder=e.after_reminder, mend=mend) for e in examples]
    counts = Counter(feature for bag in bags for feature in bag)
    names = sorted(feature for feature, count in counts.items() if count >= SEEN_TWICE)
    rarity = np.array([round(math.log((1 + len(bags)) / (1 + counts[name])) + 1, 6) for name in names])
    x = matrix(bags, {name: row for row, name in enumerate(names)}, rarity)
    labels = sorted({e.label for e in examples})
    y = np.array([labels.index(e.label) for e in examples], dtype=np.intp)
    spanish = np.array([e.language == "es" for e in examples], dtype=np.float64)
    found = fit(x, y, spanish, len(labels), rounds)
    all_weights = found.weights.astype(np.float64) * rarity[:, None]
    strongest = np.argsort(-np.abs(all_weights).max(axis=1), kind="stable")[:MOST_FEATURES]
    # the commonest first: what most texts need lies side by side, which halves the time a text takes
    kept = np.array(sorted(strongest, key=lambda row: (-counts[names[row]], names[row])), dtype=np.intp)
    all_weights, rarity = all_weights[kept], rarity[kept]
    scales = (np.abs(all_weights).max(axis=1) / 127).astype(np.float32)
    scales[scales == 0] = 1
    rounded = np.rint(all_weights / scales[:, None].astype(np.float64)).astype(np.int8)
    said = "\n".join(f"{e.label}\t{e.language}\t{e.after_reminder}\t{e.text}" for e in examples)
    return Model(
        labels=tuple(labels),
        rows={names[row]: n for n, row in enumerate(kept)},
        rarity=rarity.astype(np.float32),
        scales=scales,
        weights=rounded,
        bias=found.bias,
        words=words,
        common=common,
        provenance={
            "command": "make model",
            "examples": str(len(examples)),
            "examples_sha256": hashlib.sha256(said.encode()).hexdigest(),
            "licence": "Apache-2.0, as the examples it is made from",
        },
    )


def main(arguments: list[str]) -> int:
    """Write the model, or with --check only say whether the file in place is what the examples give."""
    made = encode(train(training_set(load())))
    if "--check" in arguments:
        if FILE.exists() and FILE.read_bytes() == made:
            print(f"{FILE.name} is what the examples give, byte for byte ({len(made):,} bytes)")
            return 0
        print(f"{FILE.name} is not what the examples give: run `make model` and commit it", file=sys.stderr)
        return 1
    FILE.parent.mkdir(exist_ok=True)
    FILE.write_bytes(made)
    print(f"wrote {FILE.name}: {len(made):,} bytes")
    return 0


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
