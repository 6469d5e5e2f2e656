import phonenumbers
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.domain.phone import e164, ordinary, readable, sender_key


@pytest.mark.parametrize(
    ("number", "country", "read"),
    [
        ("+16145550100", "US", "614-555-0100"),
        ("+14165550100", "US", "416-555-0100"),  # Canada: the same way of dialling
        ("+442079460958", "US", "+44 20 7946 0958"),
        ("+442079460958", "GB", "020 7946 0958"),
        ("+16145550100", "GB", "+1 614-555-0100"),
        ("12345", "US", "12345"),
        ("not a number", "US", "not a number"),
    ],
)
def test_a_number_reads_as_people_at_home_write_it(number: str, country: str, read: str) -> None:
    assert readable(number, country) == read


@pytest.mark.parametrize("raw", ["(614) 555-0100", "614.555.0100", "+1 614 555 0100", "1-614-555-0100", " 6145550100 "])
def test_every_way_of_writing_a_number_is_one_number(raw: str) -> None:
    assert e164(raw) == sender_key(raw) == "+16145550100"


AS_WRITTEN = st.from_regex(r"\A(\+?1[ .-]?)?\(?[0-9]{3}\)?[ .-]?[0-9]{3}[ .-]?[0-9]{4}\Z")


@settings(deadline=None, max_examples=300)
@given(AS_WRITTEN, st.sampled_from(["US", "GB", "MX"]))
def test_plain_numbers_are_what_the_library_makes_of_them(raw: str, country: str) -> None:
    def by_library() -> str | None:
        try:
            number = phonenumbers.parse(raw, country)
        except phonenumbers.NumberParseException:
            return None
        return phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164) if possible(number) else None

    def possible(number: phonenumbers.PhoneNumber) -> bool:
        reason = phonenumbers.is_possible_number_with_reason(number)
        return bool(reason == phonenumbers.ValidationResult.IS_POSSIBLE and not number.extension)

    try:
        ours: str | None = e164(raw, country)
    except ValueError:
        ours = None
    assert ours == by_library()


@pytest.mark.parametrize("raw", ["", "12", "hello", "614-555", "+1 614 555 0100 ext. 7", "+999999999999999999"])
def test_what_cannot_be_dialled_is_refused_without_repeating_it(raw: str) -> None:
    with pytest.raises(ValueError, match="write it like") as refused:
        e164(raw)
    assert not raw or raw not in str(refused.value).replace("+16145550100", "")


@pytest.mark.parametrize("raw", ["22395", "CLINIC", "", "9" * 200])
def test_a_sender_that_is_no_number_is_still_somebody(raw: str) -> None:
    assert sender_key(raw) == raw.strip()[:64]


@pytest.mark.parametrize("raw", ["+19005550142", "900 555 0142", "+448712345678", "+447012345678"])
def test_a_number_that_costs_extra_is_refused_without_repeating_it(raw: str) -> None:
    with pytest.raises(ValueError, match="costs extra") as refused:
        ordinary(raw)
    assert "555" not in str(refused.value)


@pytest.mark.parametrize("raw", ["262966", "911", "40404"])
def test_a_short_code_is_nobodys_number(raw: str) -> None:
    with pytest.raises(ValueError, match="not a complete phone number"):
        ordinary(raw)
