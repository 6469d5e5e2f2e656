"""Train the model from the examples: `make model`. The same examples give the same file, byte for byte, anywhere.

Multinomial logistic regression with an L2 penalty, fitted by L-BFGS in float64. Nothing in it depends on the machine:
sparse products and element-wise arithmetic are exact in order, dot products are plain sums, and the one function that
processors round differently (exp) is computed here. Weights are then rounded to 8 bits a row.
"""

import hashlib
import math
import sys
from collections import Counter
from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_matrix

from faq.examples import Example, read_examples
from faq.features import features
from faq.library import Library, load
from faq.model import FILE, Model, encode

PENALTY = 30.0  # as C: how much a wrong example weighs against large weights; chosen on the seen set
SEEN_TWICE = 2  # a feature of one example only is left out
MOST_FEATURES = 90_000
ROUNDS = 130
_MEMORY = 8  # steps L-BFGS remembers
_AFTER_REMINDER_SHARE = 8  # one in so many texts is also shown as if it answered a reminder
_SAYS_ENOUGH = 2  # spaces of an answer to a reminder that means the same out of the blue
_ABOUT_A_VISIT = {"confirm", "reschedule", "cancel_appointment", "running_late", "thanks", "wrong_number"}
Float = NDArray[np.float64]


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


def exp(x: Float) -> Float:
    """e to the x for x <= 0, by halving and a polynomial: the same bits on every processor."""
    x = np.maximum(x, -700.0)
    k = np.rint(x * 1.4426950408889634)
    r = (x - k * 0.6931471803691238) - k * 1.9082149292705877e-10
    total = np.ones_like(r)
    for n in range(13, 0, -1):
        total = 1.0 + r / n * total
    return np.ldexp(total, k.astype(np.int32))


def softmax_fit(x: csr_matrix, y: NDArray[np.intp], classes: int, rounds: int) -> tuple[Float, Float]:
    """Return weights (features by classes) and biases."""
    samples, size = x.shape
    transposed = x.T.tocsr()
    truth = np.zeros((samples, classes))
    truth[np.arange(samples), y] = 1.0

    def loss(flat: Float) -> tuple[float, Float]:
        w = flat.reshape(size + 1, classes)
        scores = np.asarray(x @ w[:-1]) + w[-1]
        scores -= scores.max(axis=1, keepdims=True)
        chances = exp(scores)
        total = np.zeros(samples)
        for column in range(classes):  # added in order, not in the order a processor likes
            total += chances[:, column]
        chances /= total[:, None]
        right = chances[np.arange(samples), y]
        value = -PENALTY * math.fsum(math.log(max(p, 1e-300)) for p in right) + 0.5 * _dot(
            w[:-1].ravel(), w[:-1].ravel()
        )
        wrong = PENALTY * (chances - truth)
        slope = np.empty_like(w)
        slope[:-1] = np.asarray(transposed @ wrong) + w[:-1]
        slope[-1] = _column_sums(wrong)
        return value, slope.ravel()

    flat = minimise(loss, np.zeros((size + 1) * classes), rounds)
    w = flat.reshape(size + 1, classes)
    return w[:-1], w[-1]


def _column_sums(x: Float) -> Float:
    total = np.zeros(x.shape[1])
    for row in x:
        total += row
    return total


def _dot(a: Float, b: Float) -> float:
    """A sum whose order is ours: by columns of 1024, then exactly."""
    product = a * b
    padded = np.zeros(-(-product.size // 1024) * 1024)
    padded[: product.size] = product
    folded = padded.reshape(-1, 1024)
    while folded.shape[0] > 1:
        half = folded.shape[0] // 2
        rest = folded[2 * half :]
        folded = folded[:half] + folded[half : 2 * half]
        if rest.size:
            folded[0] += rest[0]
    return math.fsum(folded[0])


def minimise(loss: Callable[[Float], tuple[float, Float]], x: Float, rounds: int) -> Float:
    """L-BFGS with a step that is halved until the loss falls."""
    steps: list[tuple[Float, Float, float]] = []
    value, slope = loss(x)
    for _ in range(rounds):
        direction = -slope
        weights = []
        for s, d, inverse in reversed(steps):
            weight = inverse * _dot(s, direction)
            direction -= weight * d
            weights.append(weight)
        if steps:
            s, d, inverse = steps[-1]
            direction *= 1.0 / (inverse * _dot(d, d))
        else:
            direction *= 1.0 / math.sqrt(_dot(slope, slope))
        for (s, d, inverse), weight in zip(steps, reversed(weights), strict=True):
            direction += (weight - inverse * _dot(d, direction)) * s
        down, length = _dot(direction, slope), 1.0
        while True:
            new_value, new_slope = loss(x + length * direction)
            if new_value <= value + 1e-4 * length * down or length < 1e-6:
                break
            length /= 2
        s, d = length * direction, new_slope - slope
        x, value, slope = x + s, new_value, new_slope
        if (curve := _dot(s, d)) > 0:
            steps = [*steps[1 - _MEMORY :], (s, d, 1.0 / curve)]
    return x


def matrix(bags: list[set[str]], rows: dict[str, int], rarity: Float) -> csr_matrix:
    """Every example as a row of length 1."""
    index, data, ends = [], [], [0]
    for bag in bags:
        found = sorted(rows[feature] for feature in bag if feature in rows)
        length = math.sqrt(math.fsum(rarity[row] ** 2 for row in found)) or 1.0
        index += found
        data += [rarity[row] / length for row in found]
        ends.append(len(index))
    return csr_matrix((np.array(data), np.array(index), np.array(ends)), shape=(len(bags), len(rows)))


def train(examples: list[Example], rounds: int = ROUNDS) -> Model:
    bags = [features(e.text, after_reminder=e.after_reminder) for e in examples]
    counts = Counter(feature for bag in bags for feature in bag)
    names = sorted(feature for feature, count in counts.items() if count >= SEEN_TWICE)
    rarity = np.array([round(math.log((1 + len(bags)) / (1 + counts[name])) + 1, 6) for name in names])
    x = matrix(bags, {name: row for row, name in enumerate(names)}, rarity)
    labels = sorted({e.label for e in examples})
    y = np.array([labels.index(e.label) for e in examples], dtype=np.intp)
    weights, bias = softmax_fit(x, y, len(labels), rounds)
    spanish = np.array([int(e.language == "es") for e in examples], dtype=np.intp)
    language, tilt = softmax_fit(x, spanish, 2, rounds // 3)
    all_weights = np.hstack([weights, (language[:, 1] - language[:, 0])[:, None]]) * rarity[:, None]
    all_bias = np.append(bias - bias.max(), tilt[1] - tilt[0])
    kept = np.sort(np.argsort(-np.abs(all_weights).max(axis=1), kind="stable")[:MOST_FEATURES])
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
        bias=all_bias.astype(np.float32),
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
