"""Phone numbers: E.164 inside, as people read them outside."""

import re
from functools import lru_cache

import phonenumbers
from phonenumbers import NumberParseException, PhoneNumber, PhoneNumberFormat, PhoneNumberType

_NORTH_AMERICAN = re.compile(r"\+1[2-9]\d{9}", re.ASCII)
_AS_WRITTEN_THERE = re.compile(r"(?:\+?1[ .-]?)?\(?([2-9]\d\d)\)?[ .-]?(\d{3})[ .-]?(\d{4})", re.ASCII)


def e164(raw: str, country: str = "US") -> str:
    """Return a dialable number as E.164. Raises ValueError, without repeating the number, if it is none."""
    return phonenumbers.format_number(_dialable(raw, country), PhoneNumberFormat.E164)


def _dialable(raw: str, country: str) -> PhoneNumber:
    if plain := _plainly_north_american(raw.strip(), country):
        return plain
    try:
        number = phonenumbers.parse(raw.strip(), country)
    except NumberParseException as error:
        raise ValueError("not a phone number: write it like +16145550100") from error
    whole = phonenumbers.is_possible_number_with_reason(number) == phonenumbers.ValidationResult.IS_POSSIBLE
    if not whole or number.extension:  # possible only within one town is not enough
        raise ValueError("not a complete phone number: write it like +16145550100")
    return number


def _plainly_north_american(raw: str, country: str) -> PhoneNumber | None:
    """Return what the library makes of ten digits as they are written there, in a twentieth of its time."""
    found = _AS_WRITTEN_THERE.fullmatch(raw)
    if found is None or not (raw.startswith("+") or country == "US"):
        return None
    return PhoneNumber(country_code=1, national_number=int("".join(found.groups())))


def ordinary(raw: str, country: str = "US") -> str:
    """Return a number that may be texted as E.164. Raises ValueError, also where each text to it would cost extra."""
    number = _dialable(raw, country)
    if phonenumbers.number_type(number) in _COSTS_EXTRA:
        raise ValueError(COSTS_EXTRA)
    return phonenumbers.format_number(number, PhoneNumberFormat.E164)


COSTS_EXTRA = "this number costs extra (premium rate): give an ordinary number"
_NO_COUNTRY = "001"  # satellite phones, and services of the whole world: dear ones
_COSTS_EXTRA = (PhoneNumberType.PREMIUM_RATE, PhoneNumberType.SHARED_COST, PhoneNumberType.PERSONAL_NUMBER)
_BELONG_TO = {"US": ("PR", "VI", "GU", "AS", "MP")}  # numbered and charged as the country itself


def is_country(code: str) -> bool:
    return code in phonenumbers.SUPPORTED_REGIONS


def countries_named(said: str) -> frozenset[str]:
    """Return the ISO codes in "US, CA", with the territories that belong to them."""
    named = [part.strip().upper() for part in said.split(",") if part.strip()]
    return frozenset(code for name in named for code in (name, *_BELONG_TO.get(name, ())))


def may_be_texted(number: str, countries: frozenset[str]) -> bool:
    """Whether a number lies in one of the countries and costs nothing extra; no for what is no number at all.

    A number range that the library does not know yet belongs to the main country of its code: +1 876 is Jamaica, a
    new area code of the United States is theirs.
    """
    return _region_of(number) in countries


def is_ordinary(number: str) -> bool:
    """Whether it is a number of some country and costs nothing extra."""
    return _region_of(number) not in (None, _NO_COUNTRY)


@lru_cache(maxsize=4096)  # the library takes as long as understanding a text
def _region_of(number: str) -> str | None:
    try:
        parsed = phonenumbers.parse(number)
    except NumberParseException:
        return None
    if phonenumbers.number_type(parsed) in _COSTS_EXTRA:
        return None
    return phonenumbers.region_code_for_number(parsed) or phonenumbers.region_code_for_country_code(
        parsed.country_code or 0
    )


def digits_of(text: str) -> str:
    """Return the digits of a text, one after the other: a number whatever stands between them."""
    return re.sub(r"\D", "", text, flags=re.ASCII)


def sender_key(raw: str) -> str:
    """Return the one spelling of a sender as a provider gives it: E.164 where it is one, else as it came.

    Short codes, alphanumeric senders and rubbish still get an answer, so this never raises.
    """
    if _NORTH_AMERICAN.fullmatch(raw):  # what Twilio sends us for nearly every text; parsing takes its time
        return raw
    try:
        return e164(raw)
    except ValueError:
        return raw.strip()[:64]


def readable(number: str, country: str = "US") -> str:
    """Return how people at home in `country` write the number: 614-555-0100; +44 20 7946 0958 from elsewhere."""
    try:
        parsed = phonenumbers.parse(number, country)
    except NumberParseException:
        return number
    if phonenumbers.region_code_for_number(
        parsed
    ) != country and parsed.country_code != phonenumbers.country_code_for_region(country):
        return phonenumbers.format_number(parsed, PhoneNumberFormat.INTERNATIONAL)
    national = phonenumbers.format_number(parsed, PhoneNumberFormat.NATIONAL)
    if parsed.country_code == 1:
        return national.replace("(", "").replace(") ", "-")
    return national
