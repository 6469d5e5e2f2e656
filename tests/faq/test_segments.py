import pytest
from hypothesis import given
from hypothesis import strategies as st

from faq.segments import GSM7_BASIC, GSM7_EXTENSION, Segments, measure, not_gsm7


@pytest.mark.parametrize(
    ("text", "encoding", "units", "count"),
    [
        ("", "GSM-7", 0, 1),
        ("a" * 160, "GSM-7", 160, 1),
        ("a" * 161, "GSM-7", 161, 2),
        ("a" * 306, "GSM-7", 306, 2),
        ("a" * 307, "GSM-7", 307, 3),
        ("a" * 459, "GSM-7", 459, 3),
        ("a" * 460, "GSM-7", 460, 4),
        ("ñé ù ü ¿ ¡", "GSM-7", 10, 1),
        ("[" * 80, "GSM-7", 160, 1),
        ("[" * 81, "GSM-7", 162, 2),
        ("é" * 70, "GSM-7", 70, 1),
        ("á" * 70, "UCS-2", 70, 1),
        ("á" * 71, "UCS-2", 71, 2),
        ("á" * 134, "UCS-2", 134, 2),
        ("á" * 135, "UCS-2", 135, 3),
        ("👍" * 35, "UCS-2", 70, 1),
        ("👍" * 36, "UCS-2", 72, 2),
        ("it’s", "UCS-2", 4, 1),
    ],
)
def test_segments_are_counted_as_the_networks_count_them(text: str, encoding: str, units: int, count: int) -> None:
    assert measure(text) == Segments(encoding, units, count)


def test_an_escaped_character_never_splits_between_segments() -> None:
    # 152 + the two septets of [ do not fit into 153: the bracket opens the second segment.
    assert measure("a" * 152 + "[" + "a" * 151).count == 2
    assert measure("a" * 152 + "[" + "a" * 152).count == 3


def test_a_surrogate_pair_never_splits_between_segments() -> None:
    assert measure("á" * 66 + "👍" + "á" * 65).count == 2
    assert measure("á" * 66 + "👍" + "á" * 66).count == 3


def test_offending_characters_are_named_once_in_order() -> None:
    assert not_gsm7("“Hi” it’s “me” €5 [ok]") == ("“", "”", "’")


def test_the_two_tables_share_nothing_and_have_the_standard_sizes() -> None:
    assert not GSM7_BASIC & GSM7_EXTENSION
    assert len(GSM7_BASIC) == 127  # 128 positions, one of them the escape
    assert len(GSM7_EXTENSION) == 10


@given(st.text(max_size=400))
def test_a_text_always_fits_its_segments_and_would_not_fit_far_fewer(text: str) -> None:
    measured = measure(text)
    alone, joined = (160, 153) if measured.encoding == "GSM-7" else (70, 67)
    room = alone if measured.count == 1 else joined * measured.count
    assert measured.units <= room
    if measured.count > 1:
        assert measured.units > (joined - 1) * (measured.count - 1)


@given(st.text(alphabet=sorted(GSM7_BASIC | GSM7_EXTENSION), max_size=300))
def test_gsm_texts_stay_gsm(text: str) -> None:
    assert measure(text).encoding == "GSM-7"
    assert not_gsm7(text) == ()
