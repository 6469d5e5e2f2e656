import pytest
from hypothesis import given
from hypothesis import strategies as st

from faq.spelling import LONGEST_TEXT, Mender, SlipIndex, fold, normal, slip


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


MEND = Mender(("alarm", "alarms", "leave", "lever"), common=2).mend


def test_a_word_that_nobody_uses_is_mended_to_the_commonest_within_one_slip() -> None:
    assert MEND("alaem") == "alarm"
    assert MEND("alarmz") == "alarm"  # not "alarms": the commoner of two
    assert MEND("alaaaarm") == "alarm"


def test_a_word_that_somebody_uses_stays_as_it_is() -> None:
    assert MEND("leave") == "leave"
    assert MEND("lever") == "lever"
    assert MEND("alarms") == "alarms"


def test_short_words_rare_words_and_far_words_are_not_mended_to() -> None:
    assert MEND("alm") == "alm"
    assert MEND("leaver") == "leaver"  # "leave" is known, but not common enough to guess
    assert MEND("zebra") == "zebra"
