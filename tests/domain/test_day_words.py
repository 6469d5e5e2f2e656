"""Days as people type them."""

from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.domain.day_words import FIRST_YEAR, LAST_YEAR, NoDay, birth_day_of, day_of

TODAY = date(2026, 11, 23)  # a Monday
DAYS = st.dates(date(FIRST_YEAR, 1, 1), date(LAST_YEAR, 12, 31))


@pytest.mark.parametrize(
    ("entered", "day"),
    [
        ("27-Nov-2026", date(2026, 11, 27)),
        ("Fri 27-Nov-2026", date(2026, 11, 27)),
        ("27 november 2026", date(2026, 11, 27)),
        ("27 Nov, 2026", date(2026, 11, 27)),
        ("2026-11-27", date(2026, 11, 27)),
        ("27 Nov", date(2026, 11, 27)),
        ("22-Nov", date(2027, 11, 22)),  # this year's has passed
        ("23-nov", TODAY),
        ("29 Feb", date(2028, 2, 29)),
        ("3 sept", date(2027, 9, 3)),
        ("27-ene-2027", date(2027, 1, 27)),  # as the console shows it in Spanish
        ("3 septiembre 2027", date(2027, 9, 3)),
        ("vie 27-nov-2026", date(2026, 11, 27)),
        ("miércoles 2 de diciembre de 2026", date(2026, 12, 2)),
        ("el 3 de enero", date(2027, 1, 3)),
        ("3 de enero del 2027", date(2027, 1, 3)),
        ("Hoy", TODAY),
        ("mañana", date(2026, 11, 24)),
        ("MANANA", date(2026, 11, 24)),
        ("+10 días", date(2026, 12, 3)),
        ("+2s", date(2026, 12, 7)),
        ("+2 semanas", date(2026, 12, 7)),
        ("+3 meses", date(2027, 2, 23)),
        ("+1 año", date(2027, 11, 23)),
        (" Today ", TODAY),
        ("tomorrow", date(2026, 11, 24)),
        ("+10d", date(2026, 12, 3)),
        ("+2w", date(2026, 12, 7)),
        ("+ 2 weeks", date(2026, 12, 7)),
        ("+3m", date(2027, 2, 23)),
        ("+3 months", date(2027, 2, 23)),
        ("+1y", date(2027, 11, 23)),
        ("+0d", TODAY),
    ],
)
def test_what_was_typed_is_this_day(entered: str, day: date) -> None:
    assert day_of(entered, TODAY) == day


@pytest.mark.parametrize(
    "entered",
    ["", "soon", "27", "31-Feb-2026", "2026-13-01", "11/27/2026", "+3", "+3x", "-2w", "+99999d", "27-Noon-2026"],
)
def test_what_names_no_day_is_refused_with_an_example(entered: str) -> None:
    with pytest.raises(NoDay, match="\\+2w"):
        day_of(entered, TODAY)


def test_a_year_far_off_is_a_slip() -> None:
    for entered in ("27-Nov-1026", "2926-11-27", "+999y"):
        with pytest.raises(NoDay, match="Check the year"):
            day_of(entered, TODAY)


def test_months_end_where_they_end() -> None:
    assert day_of("+1m", date(2027, 1, 31)) == date(2027, 2, 28)
    assert day_of("+3m", date(2026, 11, 30)) == date(2027, 2, 28)
    assert day_of("+12m", date(2028, 2, 29)) == date(2029, 2, 28)


@given(DAYS, DAYS)
def test_every_day_is_read_back_as_it_is_written(day: date, today: date) -> None:
    for written in (day.isoformat(), f"{day.day}-{day:%b-%Y}", f"{day:%a} {day.day} {day:%B %Y}", f"{day:%d-%b-%Y}"):
        assert day_of(written, today) == day


@given(DAYS)
def test_a_day_without_a_year_is_the_next_one(today: date) -> None:
    read = day_of(f"{today.day}-{today:%b}", today)
    assert read == today
    if today > date(FIRST_YEAR, 1, 1):
        before = today - timedelta(days=1)
        try:
            assert today < day_of(f"{before.day}-{before:%b}", today) <= today + timedelta(days=8 * 366)
        except NoDay:
            assert today.year > LAST_YEAR - 9


@given(DAYS, st.integers(0, 400))
def test_spans_count_from_today(today: date, count: int) -> None:
    if (today + timedelta(weeks=count)).year <= LAST_YEAR:
        assert day_of(f"+{count}d", today) - today == timedelta(days=count)
        assert day_of(f"+{count}w", today) - today == timedelta(weeks=count)


@given(st.text(max_size=60), DAYS)
def test_anything_typed_gives_a_day_or_a_sentence(entered: str, today: date) -> None:
    try:
        found = day_of(entered, today)
    except NoDay:
        return
    assert FIRST_YEAR <= found.year <= LAST_YEAR


@pytest.mark.parametrize(
    ("entered", "day"),
    [
        ("14-Jul-1945", date(1945, 7, 14)),
        (" 14 july 1945 ", date(1945, 7, 14)),
        ("14-ene-1945", date(1945, 1, 14)),
        ("1945-07-14", date(1945, 7, 14)),
        ("29-Feb-2024", date(2024, 2, 29)),
        ("today", TODAY),
    ],
)
def test_a_birth_date_may_lie_far_back(entered: str, day: date) -> None:
    assert birth_day_of(entered, TODAY) == day


@pytest.mark.parametrize(
    ("entered", "said"),
    [
        ("", "Write the birth date like"),
        ("x" * 10_000, "Write the birth date like"),
        ("07/14/1945", "Write the birth date like"),
        ("14-Jul", "Give the year too"),
        ("29-Feb-1945", "no such day"),
        ("+3m", "still to come"),
        ("24-Nov-2026", "still to come"),
        ("14-Jul-1845", "no earlier than 1900"),
    ],
)
def test_what_is_no_birth_date_says_what_to_mend(entered: str, said: str) -> None:
    with pytest.raises(NoDay, match=said):
        birth_day_of(entered, TODAY)
