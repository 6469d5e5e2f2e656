"""Places, slots and closed days of a clinic."""

from datetime import date, datetime, time, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.domain.visit_hours import SLOT_MINUTES, ClosedDays, VisitHours, clinic_days, fitting

MONDAY = date(2026, 11, 23)
EARLY = datetime.combine(MONDAY, time(6))
THANKSGIVING = ClosedDays(date(2026, 11, 26), date(2026, 11, 27), "Thanksgiving")


def test_a_usual_day_has_slots_from_opening_to_closing() -> None:
    slots = VisitHours().slots
    assert (slots[0], slots[-1], len(slots)) == (time(8), time(15, 30), 16)


def test_a_slot_that_would_end_after_closing_is_none() -> None:
    assert VisitHours(opens=time(8), closes=time(9, 50), slot_minutes=45).slots == (time(8), time(8, 45))


def test_a_visit_takes_one_slots_length_from_its_own_start() -> None:
    free = VisitHours().free([time(9), time(10, 15)])
    assert time(9) not in free
    assert not {time(10), time(10, 30)} & set(free), "10:15 reaches into both"
    assert {time(8, 30), time(9, 30), time(11)} <= set(free)


def test_a_day_with_more_places_than_slots_sees_several_at_once() -> None:
    hours = VisitHours(places=(48, 8, 8, 8, 8, 0, 0))  # 16 slots: three at once
    free = hours.free([time(9), time(9), time(9, 30), time(9, 30), time(9, 30)], 48)
    assert time(9) in free, "a third can come at nine"
    assert time(9, 30) not in free
    [day] = clinic_days(hours, (), {MONDAY: [time(8)] * 2}, MONDAY, 1, EARLY)
    assert day.free[0] == time(8)


def test_as_many_slots_are_offered_as_there_are_places_left() -> None:
    hours = VisitHours(places=(3, 8, 8, 8, 8, 0, 0))
    [day] = clinic_days(hours, (), {MONDAY: [time(8), time(9)]}, MONDAY, 1, EARLY)
    assert (day.taken, day.places, day.left, day.room) == (2, 3, 1, "")
    assert day.free == (time(8, 30),)


def test_full_closed_and_free_days_are_told_apart() -> None:
    hours = VisitHours(places=(2, 8, 8, 8, 8, 0, 0))
    week = clinic_days(hours, [THANKSGIVING], {MONDAY: [time(8), time(8), time(9)]}, MONDAY, 7, EARLY)
    assert [day.room for day in week] == ["full", "", "", "closed", "closed", "no places", "no places"]
    assert week[3].closed == "Thanksgiving"
    assert [len(day.free) for day in week] == [0, 8, 8, 0, 0, 0, 0]


def test_what_has_passed_today_is_offered_to_nobody() -> None:
    [day] = clinic_days(VisitHours(), (), {}, MONDAY, 1, datetime.combine(MONDAY, time(15)))
    assert day.free == (time(15, 30),)


def test_what_fits_is_before_the_plan_by_date_where_anything_is() -> None:
    week = clinic_days(VisitHours(), [THANKSGIVING], {}, MONDAY, 14, EARLY)
    assert [at.date() for at in fitting(week, date(2026, 11, 24))] == [MONDAY, MONDAY + timedelta(days=1)]
    assert [at.date().day for at in fitting(week, date(2026, 11, 20))] == [23, 24, 25], "late is better than never"


@pytest.mark.parametrize(
    ("values", "named"),
    [
        ({"places": (8, 8)}, "seven numbers"),
        ({"places": (8, 8, 8, 8, 8, 0, -1)}, "from 0 to 200"),
        ({"slot_minutes": 7}, "one of"),
        ({"opens": time(16), "closes": time(8)}, "after opening"),
        ({"opens": time(8), "closes": time(8, 10)}, "after opening"),
    ],
)
def test_values_that_give_no_schedule_are_refused_by_name(values: dict[str, object], named: str) -> None:
    with pytest.raises(ValueError, match=named):
        VisitHours(**values)  # type: ignore[arg-type]


TIMES = st.times().map(lambda at: at.replace(second=0, microsecond=0))


@given(st.lists(TIMES, max_size=20), st.sampled_from(SLOT_MINUTES), st.integers(0, 20))
def test_no_offered_slot_overlaps_more_visits_than_fit_at_once_and_no_day_is_offered_beyond_its_places(
    taken: list[time], minutes: int, places: int
) -> None:
    hours = VisitHours(places=(places,) * 7, slot_minutes=minutes)
    [day] = clinic_days(hours, (), {MONDAY: taken}, MONDAY, 1, EARLY)
    assert len(day.free) <= max(0, places - len(taken))
    beside = max(0, -(-places // len(hours.slots)) - 1)  # none where the day has a slot for each of its places
    for slot in day.free:
        begins = datetime.combine(MONDAY, slot)
        near = [at for at in taken if abs(datetime.combine(MONDAY, at) - begins) < timedelta(minutes=minutes)]
        assert len(near) <= beside
