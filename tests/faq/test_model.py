"""The trained weights: written and read byte for byte, and never half read."""

import json
from functools import cache
from pathlib import Path

import numpy as np
import pytest

from faq.examples import Example
from faq.features import features, in_two
from faq.model import FILE, MAGIC, Model, ModelError, decode, encode, model
from tools.train_model import exp, train

SAID = {
    "urgent:alarm": ("my pump is beeping", "the pump beeps again", "beeping all night", "la bomba esta pitando"),
    "topic:travel": (
        "can i fly with my pump",
        "can i travel by plane",
        "flying with a pump",
        "puedo volar con la bomba",
    ),
    "none:calm": ("no beeping all good", "all is good today", "we are all good", "todo esta bien hoy"),
}
EXAMPLES = [
    Example(label, "es" if n == 3 else "en", text, after_reminder=after)
    for label, texts in SAID.items()
    for n, text in enumerate(texts)
    for after in (False, True)
]


@cache
def small() -> Model:
    return train(EXAMPLES, rounds=12)


def chances(of: Model, text: str) -> dict[str, float]:
    reading = of.read(features(text))
    return {label: reading.of(label) for label in of.labels}


def test_training_twice_on_the_same_examples_gives_equal_bytes() -> None:
    assert encode(train(EXAMPLES, rounds=12)) == encode(small())


def test_another_example_gives_another_file() -> None:
    more = [*EXAMPLES, Example("none:calm", "en", "the weather is fine")]
    assert encode(train(more, rounds=12)) != encode(small())


def test_a_model_is_written_and_read_byte_for_byte() -> None:
    data = encode(small())
    assert encode(decode(data)) == data


def test_the_shipped_file_is_read_and_written_byte_for_byte() -> None:
    data = FILE.read_bytes()
    assert encode(decode(data)) == data


def test_what_was_read_back_says_the_same_as_what_was_trained() -> None:
    back = decode(encode(small()))
    for text in ("pump beeping", "fly", "all good", "nothing of the kind"):
        assert chances(back, text) == chances(small(), text)


@pytest.mark.parametrize(
    ("text", "label"),
    [("my pump beeps", "urgent:alarm"), ("can we fly", "topic:travel"), ("all good today", "none:calm")],
)
def test_a_text_like_the_examples_gets_their_label(text: str, label: str) -> None:
    found = chances(small(), text)
    assert max(found, key=found.__getitem__) == label
    assert sum(found.values()) == pytest.approx(1, abs=1e-5)


def test_what_decided_can_be_named_and_is_in_the_text() -> None:
    said = features("my pump beeps")
    named = small().telling(said, "urgent:alarm")
    assert len(named) == 3
    assert set(named) <= said


def test_a_text_read_in_two_halves_says_the_same() -> None:
    for text in ("my pump beeps", "can we fly", "nothing of the kind"):
        halves = small().read(*in_two(text))
        assert {label: halves.of(label) for label in small().labels} == pytest.approx(chances(small(), text), abs=1e-6)


def test_the_order_in_which_features_come_changes_nothing() -> None:
    said = sorted(features("my pump is beeping again, can we still fly on friday with it"))
    one, other = model().read(said), model().read(list(reversed(said)))
    assert [one.of(label) for label in model().labels] == [other.of(label) for label in model().labels]


def test_words_that_several_examples_use_are_kept_for_mending() -> None:
    assert "beeping" in small().words
    assert "plane" not in small().words
    assert model().mend("alaem") == "alarm"
    assert model().mend("respra") == "respira"
    assert model().mend("lever") == "lever"


def test_a_language_is_told_from_the_other() -> None:
    spanish = small().read(features("la bomba esta pitando")).spanish
    assert spanish > small().read(features("the pump beeps again")).spanish


def test_a_text_with_nothing_known_still_gets_chances() -> None:
    reading = small().read(features("zzz"))
    assert float(reading.chances.sum()) == pytest.approx(1, abs=1e-5)


def test_the_file_says_what_it_was_made_from_and_how() -> None:
    assert model().provenance["command"] == "make model"
    assert "licence" in model().provenance
    assert small().provenance["examples"] == str(len(EXAMPLES))
    assert small().provenance["examples_sha256"] != model().provenance["examples_sha256"]


def test_the_shipped_file_is_small_enough_to_hold() -> None:
    assert FILE.stat().st_size < 60_000_000


def head_changed(data: bytes, **to: object) -> bytes:
    line, _, rest = data[len(MAGIC) :].partition(b"\n")
    return MAGIC + json.dumps(json.loads(line) | to).encode() + b"\n" + rest


@pytest.mark.parametrize(
    "damage",
    [
        lambda data: b"",
        lambda data: b"something else",
        lambda data: data[1:],
        lambda data: MAGIC,
        lambda data: data[: len(MAGIC) + 10],
        lambda data: data[: len(data) // 2],
        lambda data: data[:-1],
        lambda data: MAGIC + b"{}\n",
        lambda data: MAGIC + b"[]\n",
        lambda data: MAGIC + b"not json\n",
        lambda data: head_changed(data, features=10**6),
        lambda data: head_changed(data, features="many"),
        lambda data: head_changed(data, bytes=3),
        lambda data: data.replace(b"=", b"\xff", 1),
        lambda data: data + b"\0",
        lambda data: b"version https://git-lfs.github.com/spec/v1\noid sha256:00\n",
    ],
    ids=[
        "empty",
        "other file",
        "first byte lost",
        "nothing after the mark",
        "cut in the head",
        "cut in half",
        "last byte lost",
        "head without fields",
        "head of another shape",
        "head not json",
        "more features than there are",
        "features no number",
        "names cut short",
        "a name that is no text",
        "a byte too many",
        "a pointer instead of the file",
    ],
)
def test_a_damaged_file_says_how_to_build_it_again(damage, tmp_path: Path) -> None:
    file = tmp_path / "weights.bin"
    file.write_bytes(damage(encode(small())))
    with pytest.raises(ModelError, match=r"weights\.bin: .*make model"):
        model(file)


def test_a_missing_file_says_how_to_build_it(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match="make model"):
        model(tmp_path / "weights.bin")


def test_the_e_function_of_the_training_is_right_to_the_last_digits() -> None:
    x = np.linspace(-30, 0, 1001)
    assert np.allclose(exp(x), np.exp(x), rtol=1e-14, atol=0)
