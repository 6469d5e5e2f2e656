"""Who a patient is, as staff type it."""

from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.domain.patient_details import DETAILS, Details, WrongDetails, details_of

TODAY = date(2026, 11, 23)
TYPED = {
    "family_name": " van  der Berg ",
    "given_name": "Zoë",
    "mrn": " 40-1234 ",
    "born_on": "14-Jul-1945",
    "language": "es",
    "time_zone": "America/Chicago",
}


def test_details_are_kept_on_one_line_each() -> None:
    assert details_of(TYPED, TODAY) == Details("van der Berg", "Zoë", "40-1234", "1945-07-14", "es", "America/Chicago")
    assert details_of(TYPED | {"born_on": " "}, TODAY).born_on is None


def test_everything_that_is_missing_is_told_at_once() -> None:
    with pytest.raises(WrongDetails) as wrong:
        details_of({}, TODAY)
    assert set(wrong.value.errors) == set(DETAILS) - {"born_on"}


@pytest.mark.parametrize("zone", ["", "America", "../x", "a" * 10_000, "a\0b", "Not/AZone"])
def test_what_is_no_time_zone_is_refused(zone: str) -> None:
    with pytest.raises(WrongDetails) as wrong:
        details_of(TYPED | {"time_zone": zone}, TODAY)
    assert list(wrong.value.errors) == ["time_zone"]


@given(st.dictionaries(st.sampled_from(DETAILS), st.text()))
def test_whatever_is_typed_is_taken_or_refused_by_field(typed: dict[str, str]) -> None:
    refused: dict[str, str] = {}
    try:
        details_of(TYPED | typed, TODAY)
    except WrongDetails as wrong:
        refused = wrong.errors
    assert refused.keys() <= typed.keys()
