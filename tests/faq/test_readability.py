import pytest

from faq.readability import UNAVOIDABLE, grade


def test_the_grade_follows_flesch_and_kincaid() -> None:
    # 6 words, 1 sentence, 6 syllables: 0.39*6 + 11.8*1 - 15.59
    assert grade("The cat sat on the mat.") == pytest.approx(0.39 * 6 + 11.8 - 15.59)


def test_plain_words_read_easily_and_long_ones_do_not() -> None:
    assert grade("Call us now. We can help you.") < 3
    assert (
        grade("Immediate administration necessitates interdisciplinary consultation regarding contraindications.") > 15
    )


@pytest.mark.parametrize("word", sorted(UNAVOIDABLE))
def test_words_a_patient_cannot_avoid_do_not_count(word: str) -> None:
    assert grade(f"Tell us now of {word}.") == grade("Tell us now of.")
    assert grade(f"Tell us now of {word.upper()}s.") == grade("Tell us now of.")


@pytest.mark.parametrize("dropped", ["{phone}", "{after_hours}", "+1 (555) 010-0199", "911", "555-010-0199"])
def test_placeholders_and_phone_numbers_do_not_count(dropped: str) -> None:
    assert grade(f"Call {dropped} now.") == grade("Call now.")


def test_an_ordinary_number_is_a_word() -> None:
    assert grade("Keep it 6 in away.") != grade("Keep it in away.")


def test_syllables_of_one_letter_count() -> None:
    assert grade("any") == pytest.approx(0.39 + 11.8 * 2 - 15.59)


def test_nothing_to_measure_is_grade_zero() -> None:
    assert grade("") == grade("{phone}") == grade("... !!!") == 0.0
