"""Danger as the model and the table of signs hear it together: neither may hide what the other says."""

import pytest

from faq.reading import URGENT, Read
from faq.urgent import SIGN_FROM, URGENT_FROM, urgency, urgency_in_words, urgent_sign

CALM = "legs are nice and loose today, slept well, ate a good breakfast, we watched the game with my sister and the dog"


def test_words_of_self_harm_count_whatever_the_model_makes_of_the_rest() -> None:
    read = Read(f"{CALM} and the pump card came in the mail, {CALM}, thinking of suicide, {CALM}")
    assert max(part.mass(URGENT) for part in (read.plain, *read.parts)) < SIGN_FROM  # or this shows nothing
    sign = urgency_in_words(read)
    assert sign is not None
    assert sign.category == "self_harm"


def test_a_sign_that_the_model_is_sure_is_none_is_none() -> None:
    read = Read("smoke detector beeped, changed the battery")
    assert urgent_sign(read.text) is not None
    assert urgency_in_words(read) is None


def test_danger_without_any_word_of_the_table_is_heard() -> None:
    read = Read("his legs went stiff as planks overnight")
    unheard = Read("she put her shoes in the oven and keeps talking to her late mother")
    for one in (read, unheard):
        assert one.plain.mass(URGENT) >= URGENT_FROM
    assert urgent_sign(unheard.text) is None
    found = urgency(unheard)
    assert found is not None
    assert found.words
    assert set(found.words.split(" ... ")) <= set(unheard.text.split())


def test_what_was_asked_before_does_not_change_what_is_dangerous() -> None:
    text = "something is wrong with him"
    asked, unasked = urgency(Read(text, after_reminder=True)), urgency(Read(text))
    assert asked is not None
    assert asked == unasked
    assert asked.vague


@pytest.mark.parametrize(
    "text", ["what does an alarm mean every, 10 minutes", "is it meant to beep all, night", "does it beep right, now"]
)
def test_a_comma_does_not_hide_that_it_happens_now(text: str) -> None:
    assert urgent_sign(text) is not None


def test_a_calm_text_has_no_danger() -> None:
    assert urgency(Read(CALM)) is None
