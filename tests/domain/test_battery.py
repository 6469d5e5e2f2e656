"""Until when a pump must be replaced, by model and the day it was implanted."""

from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.domain.battery import SHORTEST_MONTHS, battery_months, replace_by

MODELS = ("SynchroMed II", "SynchroMed III", "SynchroMed EL", "Prometra", "Prometra II", "another pump", "")

days = st.dates(date(1990, 1, 1), date(2090, 12, 31))


@pytest.mark.parametrize(
    ("model", "months"),
    [
        ("SynchroMed II", 84),  # shuts itself off at seven years
        ("SynchroMed II 8637-40", 84),
        ("SynchroMed III", 60),  # begins with the name of the older one
        ("SynchroMed III 8667-20", 60),
        ("SynchroMed EL", 60),
        ("Prometra", 120),
        ("Prometra II 20 mL", 120),
        ("synchromed ii", 84),
        ("  SYNCHROMED   II ", 84),
        ("SynchroMed\tII\n", 84),
        ("PROMETRA", 120),
        # a name we cannot place never gets more time than the shortest
        ("SynchroMed", 60),
        ("SynchroMedII", 60),
        ("Medtronic", 60),
        ("8637", 60),
        ("", 60),
    ],
)
def test_a_battery_lasts_as_long_as_its_model_promises(model: str, months: int) -> None:
    assert battery_months(model) == months


@pytest.mark.parametrize(
    ("model", "implanted_on", "ends"),
    [
        ("SynchroMed II", "2023-06-15", "2030-06-15"),
        ("SynchroMed III", "2023-06-15", "2028-06-15"),
        ("SynchroMed EL", "2023-06-15", "2028-06-15"),
        ("Prometra", "2023-06-15", "2033-06-15"),
        ("another pump", "2023-06-15", "2028-06-15"),
        ("SynchroMed II", "2024-02-29", "2031-02-28"),  # implanted on a leap day
        ("Prometra", "2024-02-29", "2034-02-28"),
        ("SynchroMed II", "2021-12-31", "2028-12-31"),
        ("SynchroMed II", "2021-03-01", "2028-03-01"),  # in a leap year, after its day
    ],
)
def test_a_pump_must_be_replaced_so_many_months_after_it_was_implanted(
    model: str, implanted_on: str, ends: str
) -> None:
    assert replace_by(model, date.fromisoformat(implanted_on)) == date.fromisoformat(ends)


@pytest.mark.parametrize("model", MODELS)
def test_a_day_that_the_clinic_chose_counts_for_every_model(model: str) -> None:
    chosen = date(2027, 4, 1)
    assert replace_by(model, date(2023, 6, 15), chosen) == chosen
    assert replace_by(model, None, chosen) == chosen


@pytest.mark.parametrize("model", MODELS)
def test_without_the_day_of_the_implant_nothing_is_guessed(model: str) -> None:
    assert replace_by(model, None) is None


@given(st.sampled_from(MODELS), days)
def test_a_pump_is_never_given_a_day_more_than_its_months(model: str, implanted_on: date) -> None:
    ends = replace_by(model, implanted_on)
    assert ends is not None
    months = (ends.year - implanted_on.year) * 12 + ends.month - implanted_on.month
    assert months == battery_months(model) >= SHORTEST_MONTHS
    assert ends.day == implanted_on.day or (ends.day, ends.month, implanted_on.day) == (28, 2, 29)


@given(st.sampled_from(MODELS), days, st.integers(1, 800))
def test_a_pump_implanted_later_is_never_to_be_replaced_earlier(model: str, implanted_on: date, later: int) -> None:
    first, second = (replace_by(model, implanted_on + timedelta(days=days)) for days in (0, later))
    assert first is not None
    assert second is not None
    assert first <= second


@given(st.text(max_size=30))
def test_any_name_has_a_length_and_an_unknown_one_the_shortest(model: str) -> None:
    known = model.casefold().lstrip().startswith(("synchromed", "prometra"))
    assert battery_months(model) >= SHORTEST_MONTHS
    assert known or battery_months(model) == SHORTEST_MONTHS
