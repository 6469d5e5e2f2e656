"""What kept somebody from coming: their word for it, and what their clinic offers."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.domain.why_missed import DEFAULT_OFFERS, OFFERS, REASONS, Offers, reason_in_words

NOT_ILL = tuple(reason for reason in REASONS if reason != "ill")
WORDS = {
    "ride": ["ride", "no ride", "no car", "car", "no transportation", "transport", "no lift", "viaje", "no transporte"],
    "ill": ["ill", "sick", "unwell", "enfermo", "enferma", "mal"],
    "cost": ["cost", "the cost", "money", "insurance", "costo", "dinero", "seguro"],
    "weather": ["weather", "the weather", "snow", "storm", "clima", "nieve", "tormenta"],
    "other": ["other", "else", "something else", "something other", "otro", "otra", "otra cosa"],
}
EVERY_WORD = [(word, reason) for reason, words in WORDS.items() for word in words]


def test_the_digits_stand_for_the_reasons_in_the_order_the_text_names_them() -> None:
    assert REASONS == ("ride", "ill", "cost", "weather", "other")
    assert set(WORDS) == set(REASONS)


@pytest.mark.parametrize(("word", "reason"), EVERY_WORD)
def test_the_name_of_a_reason_counts_like_its_digit(word: str, reason: str) -> None:
    assert reason_in_words(word) == reason


@given(
    st.sampled_from(EVERY_WORD),
    st.sampled_from([str.upper, str.title, str.lower]),
    st.text(" .!,-:()\n", max_size=3),
    st.text(" .!,-:()\n", max_size=3),
)
def test_capitals_stops_and_spaces_do_not_matter(
    named: tuple[str, str], spelt: object, before: str, after: str
) -> None:
    word, reason = named
    assert reason_in_words(f"{before}{spelt(word).replace(' ', '  ')}{after}") == reason  # type: ignore[operator]


@pytest.mark.parametrize(
    "text",
    [
        "",
        "1",
        "?!",
        "I will take a ride tomorrow",  # more than a name: understood as any other text
        "weather was fine, I forgot",
        "is it the cost of a refill you mean",
        "not ill",
        "no",
        "yes",
        "carpet",
        "STOP",
        "when is my refill",
    ],
)
def test_a_text_that_says_more_than_a_name_is_no_reason(text: str) -> None:
    assert reason_in_words(text) is None


@pytest.mark.parametrize(
    ("by_reason", "phone", "offers"),
    [
        # nothing set: a nurse calls, and after bad weather the next free time is offered
        ({}, "", {"ride": "nurse_call", "cost": "nurse_call", "weather": "earlier_slot", "other": "nurse_call"}),
        ({}, "614-555-0177", {"ride": "nurse_call", "weather": "earlier_slot"}),
        # transport only where a patient can be told whom to call
        ({"ride": "transport"}, "614-555-0177", {"ride": "transport", "cost": "nurse_call"}),
        ({"ride": "transport"}, "", {"ride": "nurse_call"}),
        ({"weather": "transport"}, "", {"weather": "nurse_call"}),
        ({"cost": "home_refill", "weather": "home_refill"}, "", {"cost": "home_refill", "weather": "home_refill"}),
        ({"weather": "nurse_call"}, "", {"weather": "nurse_call"}),
        # a setting of another version, or a slip
        ({"ride": "helicopter"}, "614-555-0177", {"ride": "nurse_call"}),
        ({"ride": ""}, "", {"ride": "nurse_call"}),
        ({"nothing": "transport"}, "614-555-0177", {"ride": "nurse_call"}),
    ],
)
def test_a_clinic_offers_what_it_set_and_a_nurses_call_otherwise(
    by_reason: dict[str, str], phone: str, offers: dict[str, str]
) -> None:
    said = Offers(by_reason, phone)
    assert {reason: said.of(reason) for reason in offers} == offers


settings_of_a_clinic = st.dictionaries(st.sampled_from(REASONS), st.sampled_from([*OFFERS, "", "no longer offered"]))


@given(settings_of_a_clinic, st.sampled_from(["", "614-555-0177"]), st.sampled_from(NOT_ILL))
def test_whatever_is_set_there_is_an_offer_and_never_a_desk_nobody_can_call(
    by_reason: dict[str, str], phone: str, reason: str
) -> None:
    offer = Offers(by_reason, phone).of(reason)
    assert offer in OFFERS
    assert phone or offer != "transport"
    if by_reason.get(reason) in OFFERS and offer != by_reason[reason]:
        assert (by_reason[reason], phone, offer) == ("transport", "", "nurse_call")


def test_there_is_no_default_offer_for_who_was_ill() -> None:
    assert set(DEFAULT_OFFERS) == set(NOT_ILL)
