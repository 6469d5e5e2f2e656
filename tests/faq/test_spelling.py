import pytest
from hypothesis import given
from hypothesis import strategies as st

from faq.spelling import LONGEST_TEXT, SlipIndex, fold, normal, slip


@pytest.mark.parametrize(
    ("written", "meant", "kind"),
    [
        ("travle", "travel", "two letters swapped"),
        ("trabel", "travel", "one letter wrong"),
        ("travl", "travel", "one letter missing"),
        ("travvel", "travel", "one letter too many"),
        ("ravel", "travel", "one letter missing"),
        ("travels", "travel", "one letter too many"),
        ("travel", "travel", None),
        ("trvale", "travel", None),
        ("", "travel", None),
        ("lt", "travel", None),
    ],
)
def test_one_slip_has_a_name(written: str, meant: str, kind: str | None) -> None:
    assert slip(written, meant) == kind


def test_only_words_of_five_letters_are_corrected() -> None:
    near = SlipIndex(["bath", "alarm"]).near
    assert near("bth") == near("bata") == {}
    assert near("alrm") == {"alarm": "one letter missing"}


def test_letters_held_down_are_let_go() -> None:
    assert SlipIndex(["bath", "alarm"]).near("baaaath") == {"bath": "a letter held down"}


@given(st.text(alphabet="abcdefg", min_size=1, max_size=9), st.text(alphabet="abcdefg", min_size=5, max_size=9))
def test_the_index_finds_exactly_what_one_slip_explains(written: str, meant: str) -> None:
    near = SlipIndex([meant]).near(written)
    if "held down" not in near.get(meant, ""):
        assert near.get(meant) == slip(written, meant)


def test_apostrophes_accents_and_case_do_not_matter() -> None:
    assert normal("Can’t") == normal("can't") == normal("CANT") == "cant"
    assert normal("¡Sí, mañana!") == "si manana"
    assert fold("a" * 5000) == "a" * LONGEST_TEXT
