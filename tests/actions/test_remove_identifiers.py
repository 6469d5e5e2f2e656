"""What is taken out of a text before anybody else reads it, and what makes it unfit to be read at all."""

import time

import pytest

from app.actions.remove_identifiers import name_words, says_anything, still_identifies, without_identifiers
from faq.spelling import LONGEST_TEXT

NAMES = name_words(["María", "Lopez", "O'Brien", "Anne-Marie", "Søren", "Al", None])
KNOWN = frozenset("can the pump mri travel my is ok go".split())  # noqa: SIM905


@pytest.mark.parametrize(
    ("text", "cleaned"),
    [
        ("hi its maria LÓPEZ", "hi its NAME"),
        ("Marias pump, Lopez's pump", "NAME pump, NAME pump"),
        ("marian and lopezville", "marian and lopezville"),  # other words
        ("o'brien, OBrien, soren, marie, ANNE-MARIE", "NAME, NAME, NAME, NAME, NAME"),
        ("Mari\u0301a", "NAME"),
        ("al is two letters", "al is two letters"),
        ("call (614) 555-0142", "call NUMBER"),
        ("call +1.614.555.0142 now", "call NUMBER now"),
        ("call 6 1 4 5 5 5 0 1 4 2", "call NUMBER"),
        ("６１４５５５０１４２", "NUMBER"),
        ("6\u200b14\u200b5550142", "NUMBER"),
        ("got 500mcg", "got NUMBER mcg"),
        ("10mg at 8 pm", "10mg at 8 pm"),
        ("me@example.com or www.example.org/me or bit.ly/3xYz", "EMAIL or LINK or LINK"),
        ("02/14/1979, 1979-02-14, 14.2.79", "DATE, DATE, DATE"),
        ("Feb 14th 1979 and 14 de febrero de 1979 and may 2019", "DATE and DATE and DATE"),
        ("refill on 11/23", "refill on DATE"),
        ("1/2 a pill, 24/7, pain is 8/10", "1/2 a pill, 24/7, pain is 8/10"),
        ("at 1420 N. Maple Ave apt 4B, Columbus OH 43215 ok", "at ADDRESS ok"),
        ("we are on elm street", "we are on ADDRESS"),
        ("vivo en calle Hidalgo 45", "vivo en ADDRESS"),
        ("po box 12", "ADDRESS"),
        ("2 weeks ago my dr said so", "2 weeks ago my dr said so"),
        ("30 minutes drive", "30 minutes drive"),
        ("two\nlines\x00", "two lines"),
    ],
)
def test_identifiers_give_way_and_other_words_stay(text: str, cleaned: str) -> None:
    assert without_identifiers(text, NAMES) == cleaned


@pytest.mark.parametrize(
    "text",
    [
        "my email is bob at gmail dot com",
        "find me @bob_h",
        "six one four five five five zero one four two",
        "seis uno cuatro cinco cinco cinco cero",
        "my mrn is ab1",
        "plate xyz12",
        "my husband Bartholomew can not travel",
        "hello, Ted",
        "mr jones is ok",
        "dr patel is ok",
        "soy juan",
        "bob here, can i go",
        "can i go, thanks, susan",
        "can i go - susan",
        "my name is bob",
        "born in 79",
        "ok " * LONGEST_TEXT,
    ],
)
def test_what_looks_like_an_identifier_makes_a_text_unfit(text: str) -> None:
    assert still_identifies(without_identifiers(text, NAMES), KNOWN)


@pytest.mark.parametrize(
    "text",
    [
        "can my pump go in the MRI",
        "hi, NAME, is the pump ok",
        "Ok. Can I go? My Pump is ok",
        "dr said 10 mg at 8",
        "l4 t12 b12",
        "thanks so much",
        "my ms is worse",
        "soy la esposa",
    ],
)
def test_what_names_nobody_is_fit(text: str) -> None:
    assert not still_identifies(without_identifiers(text, NAMES), KNOWN)


def test_a_text_without_words_says_nothing() -> None:
    for text in ("", "2", "🙂", "614 555 0142", "maria lopez"):
        assert not says_anything(without_identifiers(text, NAMES))
    assert says_anything(without_identifiers("maria beeps", NAMES))


@pytest.mark.parametrize(
    "piece", ["1", "a", "a.", "1 a ", "- ", "a@", "1/", "Aa ", "(", "one ", "on a ", ".", "calle a "]
)
def test_no_text_takes_long(piece: str) -> None:
    text = (piece * LONGEST_TEXT)[:LONGEST_TEXT]
    began = time.perf_counter()
    still_identifies(without_identifiers(text, NAMES), KNOWN)
    assert time.perf_counter() - began < 2
