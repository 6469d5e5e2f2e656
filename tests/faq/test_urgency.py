"""Danger as the model and the table of signs hear it together: neither may hide what the other says."""

import pytest

from faq.reading import URGENT, Read
from faq.urgent import HEARD_FROM, WITH_SIGN_FROM, danger, urgency, urgency_in_words, urgent_sign

CALM = "legs are nice and loose today, slept well, ate a good breakfast, we watched the game with my sister and the dog"


def test_words_of_self_harm_count_whatever_the_model_makes_of_the_rest() -> None:
    read = Read(f"{CALM} and the pump card came in the mail, {CALM}, thinking of suicide, {CALM}")
    assert danger(read) < WITH_SIGN_FROM  # or this shows nothing
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
        assert danger(one) >= HEARD_FROM
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


def test_one_loud_part_does_not_outvote_a_whole_that_explains_it() -> None:
    read = Read("the itch turned out to be poison ivy, rash and all, doctor gave me cream and its gone")
    assert max(part.mass(URGENT) for part in read.parts) > HEARD_FROM > danger(read)
    assert urgency(read) is None
    assert urgency_in_words(read) is None


def test_a_loud_part_raises_a_whole_that_is_torn() -> None:
    read = Read("pump beeping and also need a new parking form for the clinic")
    assert read.plain.mass(URGENT) < danger(read) < max(part.mass(URGENT) for part in read.parts)
    assert urgency_in_words(read) is not None


@pytest.mark.parametrize(
    "text",
    [
        "i was suicidal years ago, got help, i love my life now",
        "es segura la bomba de baclofeno o puede fallar y hacerme daño? quiero saber los contras",
    ],
)
def test_self_harm_long_past_or_only_a_word_of_a_question_is_none(text: str) -> None:
    read = Read(text)
    assert urgent_sign(text) is not None
    assert urgency_in_words(read) is None
    assert urgency(read) is None


def test_where_the_model_does_not_know_the_language_the_table_alone_decides() -> None:
    read = Read("smoke detector beeped, changed the battery")
    assert urgency_in_words(read) is None
    assert urgency_in_words(read, believed=False) == urgent_sign(read.text)


@pytest.mark.parametrize(
    ("text", "only_late"),
    [
        ("my refill was due last week and nobody called", True),
        ("we moved states and missed the september fill", True),
        ("llevamos retraso de dos semanas con la recarga", True),
        ("refill overdue and his legs are stiff and he has a fever", False),
        ("my pump is beeping and my refill was last week", False),
        ("he is very sleepy and limp since the refill", False),
    ],
)
def test_only_a_late_refill_without_any_sign_is_only_late(text: str, only_late: bool) -> None:
    read = Read(text)
    found = urgency(read)
    if only_late:
        assert found is None or found.only_late  # heard as late, or left to the question about missed refills
    else:
        assert found is not None
        assert not found.only_late
