from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from zone_strategies import zones_and_instants

from scheduler.policy import Hours
from scheduler.quiet_hours import local_instant, next_allowed

DAYTIME = Hours(opens=time(8), closes=time(21))


def utc(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


@pytest.mark.parametrize(
    ("zone", "day", "at", "instant"),
    [
        # United States 2026: forward on 8 March (02:00 to 03:00), back on 1 November (02:00 to 01:00)
        ("America/New_York", "2026-03-07", "10:00", "2026-03-07T15:00"),
        ("America/New_York", "2026-03-08", "10:00", "2026-03-08T14:00"),
        ("America/New_York", "2026-03-08", "02:30", "2026-03-08T07:00"),  # never shown: 03:00 EDT
        ("America/New_York", "2026-11-01", "01:30", "2026-11-01T05:30"),  # shown twice: the first, EDT
        ("America/New_York", "2026-11-01", "10:00", "2026-11-01T15:00"),
        ("Europe/Berlin", "2026-03-29", "02:15", "2026-03-29T01:00"),
        ("Europe/Berlin", "2026-10-25", "02:15", "2026-10-25T00:15"),
        ("Asia/Kolkata", "2026-06-01", "10:00", "2026-06-01T04:30"),
        ("America/Phoenix", "2026-03-08", "02:30", "2026-03-08T09:30"),  # Arizona keeps its clocks
        # Lord Howe moves by half an hour: forward 4 October 2026 (02:00 to 02:30), back 5 April (02:00 to 01:30)
        ("Australia/Lord_Howe", "2026-10-04", "02:10", "2026-10-03T15:30"),
        ("Australia/Lord_Howe", "2026-04-05", "01:45", "2026-04-04T14:45"),
        ("Australia/Lord_Howe", "2026-10-04", "10:00", "2026-10-03T23:00"),
        # Samoa had no 30 December 2011
        ("Pacific/Apia", "2011-12-29", "10:00", "2011-12-29T20:00"),
        ("Pacific/Apia", "2011-12-30", "10:00", "2011-12-30T10:00"),  # midnight that began the 31st
        ("Pacific/Apia", "2011-12-31", "10:00", "2011-12-30T20:00"),
        # Beirut springs forward at midnight: 00:00 to 01:00
        ("Asia/Beirut", "2026-03-29", "00:00", "2026-03-28T22:00"),
    ],
)
def test_a_local_time_is_the_instant_the_wall_clock_shows_it(zone: str, day: str, at: str, instant: str) -> None:
    assert local_instant(date.fromisoformat(day), time.fromisoformat(at), ZoneInfo(zone)) == utc(instant)


@pytest.mark.parametrize(
    ("zone", "at", "instant"),
    [
        ("America/New_York", "2026-06-01T12:00:00", "2026-06-01T12:00:00"),  # 08:00 sharp is open
        ("America/New_York", "2026-06-01T11:59:59", "2026-06-01T12:00:00"),
        ("America/New_York", "2026-06-02T00:59:59", "2026-06-02T00:59:59"),
        ("America/New_York", "2026-06-02T01:00:00", "2026-06-02T12:00:00"),  # 21:00 sharp is quiet
        ("America/New_York", "2026-03-08T03:00:00", "2026-03-08T12:00:00"),  # 22:00 EST, the short night
        ("America/New_York", "2026-11-01T02:00:00", "2026-11-01T13:00:00"),  # 22:00 EDT, the long night
        ("Europe/Berlin", "2026-03-28T22:30:00", "2026-03-29T06:00:00"),
        ("Asia/Kolkata", "2026-06-01T20:00:00", "2026-06-02T02:30:00"),
        ("America/Phoenix", "2026-03-08T05:00:00", "2026-03-08T15:00:00"),
        ("Australia/Lord_Howe", "2026-10-03T12:00:00", "2026-10-03T21:00:00"),
        ("Pacific/Apia", "2011-12-30T09:00:00", "2011-12-30T18:00:00"),  # 23:00 on the 29th, then 08:00 on the 31st
    ],
)
def test_a_quiet_hour_waits_for_the_morning(zone: str, at: str, instant: str) -> None:
    assert next_allowed(utc(at), ZoneInfo(zone), DAYTIME) == utc(instant)


@pytest.mark.parametrize(
    ("at", "hours", "instant"),
    [
        # Opening falls in the gap of 02:00-03:00: open as soon as the clock has jumped
        ("2026-03-08T05:00", Hours(opens=time(2, 30), closes=time(5)), "2026-03-08T07:00"),
        ("2026-03-08T05:00:00.250", Hours(opens=time(2, 30), closes=time(5)), "2026-03-08T07:00"),
        # The whole window falls in the gap: the next day
        ("2026-03-08T05:00", Hours(opens=time(2, 10), closes=time(2, 50)), "2026-03-09T06:10"),
        # 01:30 comes twice: the first, and after that the second
        ("2026-11-01T05:00", Hours(opens=time(1, 30), closes=time(1, 40)), "2026-11-01T05:30"),
        ("2026-11-01T05:45", Hours(opens=time(1, 30), closes=time(1, 40)), "2026-11-01T06:30"),
        # Closed at 01:40, but at 02:00 the clock goes back to 01:00 and it is open again
        ("2026-11-01T05:50", Hours(opens=time(0, 30), closes=time(1, 40)), "2026-11-01T06:00"),
    ],
)
def test_a_window_inside_a_clock_change_opens_as_the_wall_clock_shows_it(at: str, hours: Hours, instant: str) -> None:
    assert next_allowed(utc(at), ZoneInfo("America/New_York"), hours) == utc(instant)


def test_the_two_hours_of_a_local_time_that_comes_twice_stay_two() -> None:
    berlin = ZoneInfo("Europe/Berlin")
    night = Hours(opens=time(1), closes=time(5))
    first = datetime(2026, 10, 25, 2, 15, tzinfo=berlin)
    found = [next_allowed(at, berlin, night) for at in (first, first.replace(fold=1))]
    assert found == [utc("2026-10-25T00:15"), utc("2026-10-25T01:15")]


def test_an_instant_without_a_zone_is_refused() -> None:
    with pytest.raises(ValueError, match="aware"):
        next_allowed(datetime(2026, 6, 1, 12), ZoneInfo("Asia/Kolkata"), DAYTIME)  # noqa: DTZ001


def test_an_instant_inside_the_hours_comes_back_to_the_microsecond() -> None:
    at = utc("2026-06-01T12:00:00.000001")
    assert next_allowed(at, ZoneInfo("America/New_York"), DAYTIME) == at


@st.composite
def windows(draw: st.DrawFn) -> Hours:
    opens, closes = sorted(draw(st.lists(st.integers(0, 24 * 4 - 1), min_size=2, max_size=2, unique=True)))
    return Hours(opens=time(opens // 4, opens % 4 * 15), closes=time(closes // 4, closes % 4 * 15))


@given(zones_and_instants(), windows())
@settings(deadline=None)  # a busy machine is no failure
def test_next_allowed_is_the_first_open_minute_in_every_zone(where: tuple[ZoneInfo, datetime], hours: Hours) -> None:
    zone, at = where
    allowed = next_allowed(at, zone, hours)
    assert allowed.tzinfo is UTC
    assert allowed >= at
    assert hours.contain(allowed.astimezone(zone).time())
    minute = at
    while minute < allowed:  # the slow way round: look at every minute before it
        assert not hours.contain(minute.astimezone(zone).time())
        minute += timedelta(minutes=1)


@given(zones_and_instants(), windows())
@settings(deadline=None)  # a busy machine is no failure
def test_an_allowed_instant_is_left_where_it_is(where: tuple[ZoneInfo, datetime], hours: Hours) -> None:
    zone, at = where
    allowed = next_allowed(at, zone, hours)
    assert next_allowed(allowed, zone, hours) == allowed


@given(zones_and_instants(), st.times(timezones=st.none()))
@settings(deadline=None)  # a busy machine is no failure
def test_a_local_instant_shows_its_time_or_the_end_of_a_gap(where: tuple[ZoneInfo, datetime], at: time) -> None:
    zone, near = where
    wall = datetime.combine(near.astimezone(zone).date(), at)
    instant = local_instant(wall.date(), at, zone)
    shown = instant.astimezone(zone).replace(tzinfo=None)
    just_before = (instant - timedelta(microseconds=1)).astimezone(zone).replace(tzinfo=None)
    assert shown >= wall
    if shown == wall:
        earlier = (instant - timedelta(hours=1)).astimezone(zone).replace(tzinfo=None)
        assert earlier != wall  # of two, the first
    else:
        assert just_before < wall  # the clock jumped over it at this very instant


@given(zones_and_instants())
@settings(deadline=None)  # a busy machine is no failure
def test_a_shown_time_leads_back_to_its_first_instant(where: tuple[ZoneInfo, datetime]) -> None:
    zone, at = where
    local = at.astimezone(zone)
    instant = local_instant(local.date(), local.time(), zone)
    assert instant == at if local.fold == 0 else instant < at
