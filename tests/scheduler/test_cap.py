"""At most one routine text a day and three in any seven days, whichever way one looks at the calendar."""

from collections.abc import Iterable
from datetime import date, datetime, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from reminder_rows import NEW_YORK, POLICY, utc
from zone_strategies import zones_and_instants

from scheduler.cap import first_free_day, fits, fitting
from scheduler.planning import plan
from scheduler.policy import MOST_LADDER_DAYS, ReminderPolicy

MONDAY = date(2026, 11, 23)

ladders = st.sets(st.integers(0, MOST_LADDER_DAYS), max_size=12) | st.sets(st.integers(0, 21), max_size=22)


def keeps_the_cap(days: Iterable[date]) -> bool:
    """The slow way round: no day twice, and of any four texts the last comes a week after the first or later."""
    ordered = sorted(days)
    apart = all(later > earlier for earlier, later in pairwise(ordered))
    return apart and all(last - first >= timedelta(days=7) for first, last in zip(ordered, ordered[3:], strict=False))


def before_monday(ladder: Iterable[int]) -> list[date]:
    return [MONDAY - timedelta(days=days) for days in ladder]


@st.composite
def texted_days(draw: st.DrawFn) -> tuple[date, ...]:
    """Days around a Monday on which texts went out or will, and which keep the cap."""
    kept: list[date] = []
    for days in draw(st.lists(st.integers(-20, 20), max_size=14)):
        day = MONDAY + timedelta(days=days)
        if keeps_the_cap([*kept, day]):
            kept.append(day)
    return tuple(kept)


@pytest.mark.parametrize(
    ("others", "may"),
    [
        ([], True),
        ([0], False),  # one that day already
        ([-1], True),
        ([1, 2], True),
        ([-1, -2, -3], False),  # the fourth in four days
        ([-6, -3, -1], False),  # the fourth in seven days
        ([-7, -3, -1], True),  # a week ago to the day no longer counts
        ([1, 3, 6], False),  # a fourth before three that are planned
        ([1, 3, 7], True),
        ([-3, -1, 3], False),  # three around it within the same seven days
        ([-4, -1, 3], True),
        ([-20, -19, -18, 18, 19, 20], True),
    ],
)
def test_one_more_text_on_monday_fits_beside_the_others(others: list[int], may: bool) -> None:
    assert fits(MONDAY, [MONDAY + timedelta(days=days) for days in others]) is may


@given(texted_days(), st.integers(-21, 21))
@settings(deadline=None)  # a busy machine is no failure
def test_a_text_fits_exactly_where_all_together_keep_the_cap(others: tuple[date, ...], days: int) -> None:
    day = MONDAY + timedelta(days=days)
    assert fits(day, others) == keeps_the_cap([*others, day])


@pytest.mark.parametrize(
    ("ladder", "kept"),
    [
        ((14, 7, 2, 1), (14, 7, 2, 1)),  # the default: untouched
        ((30, 14, 7, 2, 1), (30, 14, 7, 2, 1)),
        ((14, 7, 3, 2, 1), (14, 3, 2, 1)),  # 7 days before is the fourth of one week
        ((14, 8, 3, 2, 1), (14, 8, 3, 2, 1)),
        ((7, 6, 5, 4, 3, 2, 1, 0), (7, 2, 1, 0)),
        ((9, 8, 2, 1), (9, 8, 2, 1)),
        ((4, 3, 2, 1), (3, 2, 1)),
        ((0,), (0,)),
        ((), ()),
        (tuple(range(20, -1, -1)), (16, 15, 14, 9, 8, 7, 2, 1, 0)),
    ],
)
def test_a_ladder_loses_its_earlier_days_first(ladder: tuple[int, ...], kept: tuple[int, ...]) -> None:
    assert fitting(ladder) == kept


@given(ladders)
@settings(deadline=None)  # a busy machine is no failure
def test_no_ladder_texts_a_phone_more_often_than_the_cap(ladder: set[int]) -> None:
    kept = fitting(ladder)
    assert keeps_the_cap(before_monday(kept))
    assert list(kept) == sorted(set(kept), reverse=True)
    assert set(kept) <= ladder


@given(ladders)
@settings(deadline=None)  # a busy machine is no failure
def test_a_day_is_given_up_only_where_those_nearer_the_visit_leave_no_room(ladder: set[int]) -> None:
    kept = fitting(ladder)
    for days in ladder:
        nearer = [other for other in kept if other < days]
        assert (days in kept) == keeps_the_cap(before_monday([*nearer, days]))


@given(ladders)
@settings(deadline=None)  # a busy machine is no failure
def test_a_ladder_that_fits_is_left_as_it_is(ladder: set[int]) -> None:
    kept = fitting(ladder)
    assert fitting(kept) == kept
    assert fitting([*kept, *kept]) == kept


@given(zones_and_instants(), ladders.filter(bool))
@settings(deadline=None)  # a busy machine is no failure
def test_a_visits_reminders_keep_the_cap_on_the_calendar_of_every_zone(
    where: tuple[ZoneInfo, datetime], ladder: set[int]
) -> None:
    zone, starts_at = where
    policy = ReminderPolicy(ladder_days=tuple(sorted(ladder, reverse=True)))
    planned = plan(starts_at, policy, zone, now=starts_at - timedelta(days=500))
    visit_day = starts_at.astimezone(zone).date()
    named = [visit_day - timedelta(days=int(reminder.step.removeprefix("ladder:"))) for reminder in planned]
    texted = [reminder.due_at.astimezone(zone).date() for reminder in planned]
    assume(named == texted)  # but for a day that a zone left out of its calendar: tests of planning look at those
    assert keeps_the_cap(texted)


def test_a_visits_reminders_leave_out_what_the_cap_does_not_allow() -> None:
    visit = utc("2026-06-15T15:00")
    daily = ReminderPolicy(ladder_days=(7, 6, 5, 4, 3, 2, 1))
    assert [reminder.step for reminder in plan(visit, daily, NEW_YORK, now=utc("2026-05-01T00:00"))] == [
        "ladder:3",
        "ladder:2",
        "ladder:1",
    ]
    assert len(plan(visit, POLICY, NEW_YORK, now=utc("2026-05-01T00:00"))) == 4


@pytest.mark.parametrize(
    ("busy", "free"),
    [
        ([], 0),
        ([-1], 0),
        ([0], 1),
        ([0, 1], 2),
        ([0, 1, 2], 7),  # three in a row: a week after the first
        ([-6, -5, -1], 1),  # a week after the first of them
        ([-2, -1, 0], 5),
        ([1, 2, 3], 8),  # what is planned counts: today would be the fourth of that week
        ([0, 2], 1),  # between two is room
        ([6], 0),
        ([-7, -7, -7], 0),
    ],
)
def test_a_text_that_gives_way_goes_on_the_first_free_day(busy: list[int], free: int) -> None:
    days = [MONDAY + timedelta(days=offset) for offset in busy]
    assert first_free_day(MONDAY, days) == MONDAY + timedelta(days=free)


@given(texted_days())
@settings(deadline=None)  # a busy machine is no failure
def test_no_earlier_day_was_free(busy: tuple[date, ...]) -> None:
    free = first_free_day(MONDAY, busy)
    assert keeps_the_cap([*busy, free])
    waited = [MONDAY + timedelta(days=days) for days in range((free - MONDAY).days)]
    assert not any(keeps_the_cap([*busy, day]) for day in waited)


@given(texted_days(), st.integers(1, 8))
@settings(deadline=None)  # a busy machine is no failure
def test_however_many_texts_give_way_one_after_the_other_all_keep_the_cap(busy: tuple[date, ...], count: int) -> None:
    days = list(busy)
    for _ in range(count):
        days.append(first_free_day(MONDAY, iter(days)))
    assert keeps_the_cap(days)
    assert min(days[len(busy) :]) >= MONDAY
