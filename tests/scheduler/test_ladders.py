"""The ladders beside a visit's reminders: the right step at the right instant, in every zone and over every change."""

import calendar
from datetime import UTC, date, datetime, time, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from reminder_rows import NEW_YORK, POLICY, policies, utc
from zone_strategies import LAST_YEAR, clock_changes, zones, zones_and_instants

from scheduler.ladders import (
    FAR,
    LAST,
    NEAR,
    RUNGS,
    SOON,
    Audience,
    Channel,
    Due,
    Rung,
    Step,
    battery_steps,
    check_ins,
    eri_steps,
    in_force,
    missed_steps,
    months_before,
    rung_for,
    scan_steps,
    supply_steps,
    task_due,
    visit_steps,
)
from scheduler.policy import Hours, ReminderPolicy

PLAN_BY, EARLY_EMPTY = date(2026, 3, 22), date(2026, 3, 30)
FILLING = supply_steps(4, PLAN_BY, EARLY_EMPTY, 28, POLICY, NEW_YORK)
BY_DAYS_LEFT = ("left:14", "owner:9", "left:7", "left:3")


def dues(steps: tuple[Step, ...]) -> list[tuple[str, datetime]]:
    return [(step.step, step.due_at) for step in steps]


def names(steps: tuple[Step, ...]) -> list[str]:
    return [step.step for step in steps]


def wall(at: datetime, zone: ZoneInfo) -> datetime:
    return at.astimezone(zone).replace(tzinfo=None)


def shows(at: datetime, wanted: datetime, zone: ZoneInfo) -> bool:
    """Whether the wall clock shows the wanted time at this instant, or has just jumped over it."""
    shown = wall(at, zone)
    return shown == wanted or (shown > wanted > wall(at - timedelta(microseconds=1), zone))


@st.composite
def instants_to_come(draw: st.DrawFn) -> tuple[ZoneInfo, datetime]:
    """A zone and an instant the service may live to see, half of the time near a clock change of that year."""
    zone, year = draw(zones), draw(st.integers(2026, LAST_YEAR))
    if draw(st.booleans()) and (changes := clock_changes(zone.key, year)):
        return zone, draw(st.sampled_from(changes)) + timedelta(minutes=draw(st.integers(-2 * 24 * 60, 2 * 24 * 60)))
    return zone, datetime(year, 1, 1, tzinfo=UTC) + timedelta(seconds=draw(st.integers(0, 365 * 24 * 3600)))


# ── what is done with so many days of drug left ────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("days", "rung"),
    [
        (400, FAR),
        (15, FAR),
        (14, NEAR),
        (8, NEAR),
        (7, SOON),
        (4, SOON),
        (3, LAST),
        (1, LAST),
        (0, LAST),
        (-30, LAST),  # the record says that the pump ran dry long ago
        (None, NEAR),  # not known, and so it may be near
    ],
)
def test_the_rung_is_named_by_the_days_of_drug_left(days: int | None, rung: Rung) -> None:
    assert rung_for(days) is rung


def test_fewer_days_of_drug_never_lead_to_a_milder_rung() -> None:
    rank = [RUNGS.index(rung_for(days)) for days in range(60, -10, -1)]
    assert rank == sorted(rank)
    assert set(rank) == {0, 1, 2, 3}


@pytest.mark.parametrize(
    ("rung", "due", "urgent_by_date", "told"),
    [
        (FAR, Due.WORKING_DAY, False, {"text patient", "task nurse"}),
        (NEAR, Due.TODAY, False, {"text patient", "task nurse"}),
        (SOON, Due.NOW, True, {"text patient", "text carer", "task nurse"}),
        (
            LAST,
            Due.NOW,
            True,
            {"text patient", "text carer", "alert on_call", "call patient", "call carer", "call on_call"},
        ),
    ],
)
def test_each_rung_tells_whom_it_promises_in_the_way_it_promises(
    rung: Rung, due: Due, urgent_by_date: bool, told: set[str]
) -> None:
    assert {f"{act.channel} {act.audience}" for act in rung.acts} == told
    assert (rung.due, rung.urgent_by_date) == (due, urgent_by_date)
    for channel in Channel:
        for audience in Audience:
            assert rung.tells(channel, audience) is (f"{channel} {audience}" in told)


# ── one filling ────────────────────────────────────────────────────────────────────────────────────────


def test_asking_to_book_begins_four_weeks_before_the_plan_by_date_and_comes_weekly() -> None:
    assert dues(FILLING)[:4] == [  # the clock springs forward on 8 March
        ("book:28", utc("2026-02-22T15:00")),
        ("book:21", utc("2026-03-01T15:00")),
        ("book:14", utc("2026-03-08T14:00")),
        ("book:7", utc("2026-03-15T14:00")),
    ]


def test_the_steps_by_days_of_drug_left_come_when_the_texting_hours_open() -> None:
    assert dues(FILLING)[4:] == [
        ("left:14", utc("2026-03-16T12:00")),
        ("owner:9", utc("2026-03-21T12:00")),
        ("left:7", utc("2026-03-23T12:00")),
        ("left:3", utc("2026-03-27T12:00")),
    ]


@pytest.mark.parametrize(
    ("ask_days", "asked"),
    [
        (28, [28, 21, 14, 7]),
        (30, [30, 23, 16, 9, 2]),
        (7, [7]),
        (1, [1]),
        (0, []),
        (56, [56, 49, 42, 35, 28, 21, 14, 7]),
    ],
)
def test_a_clinic_chooses_how_early_it_asks(ask_days: int, asked: list[int]) -> None:
    steps = supply_steps(4, PLAN_BY, EARLY_EMPTY, ask_days, POLICY, NEW_YORK)
    assert names(steps) == [*(f"book:{days}" for days in asked), *BY_DAYS_LEFT]


def test_a_leap_day_counts_as_a_day() -> None:
    steps = supply_steps(4, date(2028, 3, 14), date(2028, 3, 14), 14, POLICY, NEW_YORK)
    due = dict(dues(steps))
    assert due["book:14"] == utc("2028-02-29T15:00")
    assert due["left:14"] == utc("2028-02-29T13:00")


def test_a_day_that_a_zone_left_out_is_made_up_for_on_the_next_morning() -> None:
    samoa = ZoneInfo("Pacific/Apia")  # there was no 30 December 2011
    steps = supply_steps(4, date(2012, 1, 6), date(2012, 1, 6), 7, POLICY, samoa)
    due = dict(dues(steps))
    assert due["book:7"] == due["left:7"] == utc("2011-12-30T18:00")  # 08:00 on the 31st


days_ahead = st.integers(0, 60).map(lambda days: timedelta(days=days))


@given(zones_and_instants(), policies(), days_ahead, st.integers(0, 60))
@settings(deadline=None)  # a busy machine is no failure
def test_every_step_of_a_filling_comes_in_texting_hours_on_the_day_it_names(
    where: tuple[ZoneInfo, datetime], policy: ReminderPolicy, ahead: timedelta, ask_days: int
) -> None:
    zone, near = where
    plan_by = near.astimezone(zone).date()
    for step in supply_steps(4, plan_by, plan_by + ahead, ask_days, policy, zone):
        assert step.due_at.tzinfo is UTC
        assert policy.quiet.contain(step.due_at.astimezone(zone).time())
        of, at = (plan_by, policy.send_at) if step.kind == "book" else (plan_by + ahead, policy.quiet.opens)
        wanted = datetime.combine(of - timedelta(days=int(step.step.partition(":")[2])), at)
        shown = wall(step.due_at, zone)
        if wall(wanted.replace(tzinfo=zone).astimezone(UTC), zone) == wanted:
            assert shown == wanted
        else:  # that time was skipped by a clock change, and a narrow window may be over once it has passed
            assert wanted < shown < wanted + timedelta(days=2)


@given(zones_and_instants(), policies(), days_ahead, st.integers(0, 60))
@settings(deadline=None)  # a busy machine is no failure
def test_the_steps_of_a_filling_are_in_order_and_no_two_are_the_same(
    where: tuple[ZoneInfo, datetime], policy: ReminderPolicy, ahead: timedelta, ask_days: int
) -> None:
    zone, near = where
    plan_by = near.astimezone(zone).date()
    steps = supply_steps(4, plan_by, plan_by + ahead, ask_days, policy, zone)
    assert len({step.key for step in steps}) == len(steps)
    asking, by_days_left = [s for s in steps if s.kind == "book"], [s for s in steps if s.kind != "book"]
    assert tuple(step.step for step in by_days_left) == BY_DAYS_LEFT
    for kind in (asking, by_days_left):
        assert [step.due_at for step in kind] == sorted(step.due_at for step in kind)
    asked = [int(step.step.removeprefix("book:")) for step in asking]
    assert asked[:1] == ([ask_days] if ask_days else [])
    assert all(earlier - later == 7 for earlier, later in pairwise(asked))
    assert all(1 <= days <= 7 for days in asked[-1:])  # until the last week before the day


@given(zones_and_instants(), policies(), days_ahead)
@settings(deadline=None)  # a busy machine is no failure
def test_planned_again_a_filling_has_the_same_steps(
    where: tuple[ZoneInfo, datetime], policy: ReminderPolicy, ahead: timedelta
) -> None:
    zone, near = where
    plan_by = near.astimezone(zone).date()
    first = supply_steps(4, plan_by, plan_by + ahead, 28, policy, zone)
    assert supply_steps(4, plan_by, plan_by + ahead, 28, policy, zone) == first
    of_another_refill = supply_steps(5, plan_by, plan_by + ahead, 28, policy, zone)
    assert not {step.key for step in first} & {step.key for step in of_another_refill}


def test_new_texting_hours_move_the_steps_of_a_filling_and_make_no_new_ones() -> None:
    later = ReminderPolicy(send_at=time(15), missed_again_at=time(11), quiet=Hours(opens=time(11), closes=time(16)))
    moved = supply_steps(4, PLAN_BY, EARLY_EMPTY, 28, later, NEW_YORK)
    assert [step.key for step in moved] == [step.key for step in FILLING]
    assert all(new.due_at > old.due_at for new, old in zip(moved, FILLING, strict=True))


def test_an_emptier_pump_gets_new_steps_by_days_left_and_keeps_its_asking_to_book() -> None:
    sooner = supply_steps(4, PLAN_BY, EARLY_EMPTY - timedelta(days=2), 28, POLICY, NEW_YORK)
    assert {step.step for step in FILLING if step not in sooner} == set(BY_DAYS_LEFT)
    assert not {step.key for step in FILLING[4:]} & {step.key for step in sooner[4:]}
    assert sooner[:4] == FILLING[:4]


def test_another_plan_by_date_gets_new_askings_to_book_and_keeps_its_steps_by_days_left() -> None:
    later = supply_steps(4, PLAN_BY + timedelta(days=2), EARLY_EMPTY, 28, POLICY, NEW_YORK)
    assert not {step.key for step in FILLING[:4]} & {step.key for step in later[:4]}
    assert later[4:] == FILLING[4:]


# ── what of it is still owed ───────────────────────────────────────────────────────────────────────────


def on_day_with(days_left: int) -> datetime:
    """Noon in New York on the day when the filling has so many days left."""
    return datetime.combine(EARLY_EMPTY - timedelta(days=days_left), time(16), tzinfo=UTC)


@pytest.mark.parametrize(
    ("days_left", "settled", "owed"),
    [
        # nothing has passed, or a question that has: it is not asked late
        (40, set(), ["book:28", "book:21", "book:14", "book:7", *BY_DAYS_LEFT]),
        (16, set(), ["book:7", *BY_DAYS_LEFT]),
        (15, set(), [*BY_DAYS_LEFT]),
        # first heard of with so many days left: the last step that has passed, and the rest
        (13, set(), ["left:14", "owner:9", "left:7", "left:3"]),
        (8, set(), ["left:14", "owner:9", "left:7", "left:3"]),
        (5, set(), ["owner:9", "left:7", "left:3"]),
        (1, set(), ["owner:9", "left:3"]),
        (-20, set(), ["owner:9", "left:3"]),
        # what was done is not done again
        (13, {"left:14"}, ["owner:9", "left:7", "left:3"]),
        (8, {"left:14"}, ["owner:9", "left:7", "left:3"]),
        (8, {"left:14", "owner:9"}, ["left:7", "left:3"]),
        (5, {"left:14"}, ["owner:9", "left:7", "left:3"]),
        (5, {"owner:9"}, ["left:7", "left:3"]),
        (1, {"left:14", "left:7"}, ["owner:9", "left:3"]),
        (1, {"left:14", "owner:9", "left:7", "left:3"}, []),
        # the dates moved later after a worse step was done: the milder one is not done for a day that has passed
        (13, {"left:7"}, ["owner:9", "left:7", "left:3"]),
        (13, {"left:3"}, ["owner:9", "left:7", "left:3"]),
        (5, {"left:3", "owner:9"}, ["left:3"]),
        # asking to book says nothing about days left
        (13, {"book:28", "book:7"}, ["left:14", "owner:9", "left:7", "left:3"]),
    ],
)
def test_with_so_many_days_left_and_that_much_done_this_is_owed(
    days_left: int, settled: set[str], owed: list[str]
) -> None:
    assert names(in_force(FILLING, frozenset(settled), on_day_with(days_left))) == owed


def test_a_step_is_still_to_come_until_its_instant() -> None:
    at = dict(dues(FILLING))["left:7"]
    settled = frozenset({"left:14", "owner:9"})
    assert names(in_force(FILLING, settled, at - timedelta(seconds=1))) == ["left:7", "left:3"]
    assert names(in_force(FILLING, settled, at)) == ["left:7", "left:3"]
    assert names(in_force(FILLING, settled | {"left:7"}, at)) == ["left:3"]


everything = st.sets(st.sampled_from([*BY_DAYS_LEFT, "book:28", "book:21", "book:14", "book:7"])).map(frozenset)


@given(zones_and_instants(), policies(), days_ahead, st.integers(-40, 70), everything)
@settings(deadline=None)  # a busy machine is no failure
def test_everything_to_come_is_owed_and_of_what_has_passed_only_the_last(
    where: tuple[ZoneInfo, datetime], policy: ReminderPolicy, ahead: timedelta, days: int, settled: frozenset[str]
) -> None:
    zone, near = where
    plan_by = near.astimezone(zone).date()
    steps = supply_steps(4, plan_by, plan_by + ahead, 28, policy, zone)
    now = near + timedelta(days=days)
    owed = in_force(steps, settled, now)
    late = [step for step in owed if step.due_at <= now]
    assert [step for step in owed if step.due_at > now] == [step for step in steps if step.due_at > now]
    assert not {step.step for step in late} & settled
    assert all(step.kind != "book" for step in late)

    passed = [step for step in steps if step.due_at <= now]
    by_days_left = [step for step in passed if step.kind == "left"]
    done = min((int(step.removeprefix("left:")) for step in settled if step.startswith("left:")), default=99)
    worst = [step for step in by_days_left[-1:] if int(step.step.removeprefix("left:")) < done]
    assert [step for step in late if step.kind == "left"] == worst
    assert ("owner:9" in names(tuple(late))) == ("owner:9" in names(tuple(passed)) and "owner:9" not in settled)


@given(zones_and_instants(), policies(), days_ahead, st.integers(-40, 70), everything)
@settings(deadline=None)  # a busy machine is no failure
def test_what_is_owed_late_is_owed_once(
    where: tuple[ZoneInfo, datetime], policy: ReminderPolicy, ahead: timedelta, days: int, settled: frozenset[str]
) -> None:
    zone, near = where
    plan_by = near.astimezone(zone).date()
    steps = supply_steps(4, plan_by, plan_by + ahead, 28, policy, zone)
    now = near + timedelta(days=days)
    late = {step.step for step in in_force(steps, settled, now) if step.due_at <= now}
    assert all(step.due_at > now for step in in_force(steps, settled | late, now))
    after_it_all = steps[-1].due_at + timedelta(days=1)
    assert in_force(steps, frozenset(names(steps)), after_it_all) == ()


# ── a visit ────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("zone", "starts_at", "call_at"),
    [
        ("America/New_York", "2026-11-24T15:30", "2026-11-23T17:00"),
        ("America/New_York", "2026-11-23T15:30", "2026-11-22T17:00"),  # a Monday's visit: on Sunday all the same
        ("America/New_York", "2026-12-26T15:30", "2026-12-25T17:00"),  # and on a holiday
        ("America/New_York", "2026-03-09T13:30", "2026-03-08T16:00"),  # the day the clock sprang forward
        ("America/New_York", "2026-03-08T13:30", "2026-03-07T17:00"),
        ("America/New_York", "2026-11-02T14:30", "2026-11-01T17:00"),  # and the day it fell back
        ("America/New_York", "2026-06-15T02:00", "2026-06-13T16:00"),  # 22:00 on the 14th
        ("America/New_York", "2028-03-01T15:30", "2028-02-29T17:00"),
        ("Asia/Kolkata", "2026-06-14T20:00", "2026-06-14T06:30"),  # already the 15th
        ("Pacific/Apia", "2011-12-30T21:00", "2011-12-30T10:00"),  # the 31st; the 30th never was: as it ends
    ],
)
def test_whoever_has_not_confirmed_is_called_at_noon_the_day_before(zone: str, starts_at: str, call_at: str) -> None:
    call, _ = visit_steps(7, utc(starts_at), ZoneInfo(zone))
    assert (call.step, call.due_at) == ("call:1", utc(call_at))


@given(zones_and_instants())
@settings(deadline=None)  # a busy machine is no failure
def test_the_call_comes_before_the_visit_and_the_look_an_hour_after_in_every_zone(
    where: tuple[ZoneInfo, datetime],
) -> None:
    zone, starts_at = where
    call, arrive = visit_steps(7, starts_at, zone)
    noon = datetime.combine(starts_at.astimezone(zone).date() - timedelta(days=1), time(12))
    assert shows(call.due_at, noon, zone)
    assert call.due_at <= starts_at
    assert (arrive.step, arrive.due_at) == ("arrive:60", starts_at + timedelta(hours=1))


def test_a_moved_visit_has_steps_of_its_own_and_one_written_otherwise_the_same() -> None:
    starts_at = utc("2026-06-15T15:00")
    steps = visit_steps(7, starts_at, NEW_YORK)
    assert visit_steps(7, starts_at.astimezone(NEW_YORK), NEW_YORK) == steps
    others = (*visit_steps(7, starts_at + timedelta(hours=1), NEW_YORK), *visit_steps(8, starts_at, NEW_YORK))
    assert len({step.key for step in (*steps, *others)}) == 6


@pytest.mark.parametrize(
    ("starts_at", "noticed_at", "carer_at", "why_at"),
    [
        ("2026-06-15T15:00", "2026-06-15T16:00", "2026-06-15T16:00", "2026-06-15T16:01"),
        ("2026-06-15T15:00", "2026-06-15T15:10", "2026-06-15T16:00", "2026-06-15T16:01"),  # by a nurse, early
        ("2026-06-15T15:00", "2026-06-22T17:00", "2026-06-22T17:00", "2026-06-22T17:01"),  # a week late
        ("2026-06-15T23:00", "2026-06-16T02:00", "2026-06-16T02:00", "2026-06-16T12:01"),  # 22:00: asked at 8:01
        ("2026-03-07T23:59", "2026-03-08T01:59", "2026-03-08T01:59", "2026-03-08T12:00"),  # 20:59, a minute too late
        ("2026-10-31T23:30", "2026-11-01T01:30", "2026-11-01T01:30", "2026-11-01T13:01"),  # the long night
    ],
)
def test_after_a_miss_the_carer_is_told_at_once_and_the_patient_asked_in_texting_hours(
    starts_at: str, noticed_at: str, carer_at: str, why_at: str
) -> None:
    steps = missed_steps(7, utc(starts_at), utc(noticed_at), POLICY, NEW_YORK)
    assert dues(steps) == [("carer:1", utc(carer_at)), ("why:1", utc(why_at))]


@given(zones_and_instants(), policies(), st.integers(0, 14 * 24 * 60))
@settings(deadline=None)  # a busy machine is no failure
def test_what_kept_somebody_is_never_asked_outside_texting_hours(
    where: tuple[ZoneInfo, datetime], policy: ReminderPolicy, minutes: int
) -> None:
    zone, starts_at = where
    noticed_at = starts_at + timedelta(minutes=minutes)
    carer, why = missed_steps(7, starts_at, noticed_at, policy, zone)
    assert carer.due_at == max(noticed_at, starts_at + policy.missed_after)  # night or day
    assert policy.quiet.contain(why.due_at.astimezone(zone).time())
    assert why.due_at >= carer.due_at + timedelta(minutes=1)
    assert carer.key != why.key


# ── after a refill, and after a scan ───────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("since", "expected"),
    [
        # New York: texts from 8:00 to 21:00
        ("2026-06-15T15:00", [(4, "2026-06-15T19:00"), (24, "2026-06-16T15:00")]),
        ("2026-06-15T20:59", [(4, "2026-06-16T00:59"), (24, "2026-06-16T20:59")]),
        ("2026-06-15T21:00", [(4, "2026-06-16T12:00"), (24, "2026-06-16T21:00")]),  # 17:00: the night comes between
        ("2026-06-15T23:30", [(4, "2026-06-16T12:00"), (24, "2026-06-16T23:30")]),
        ("2026-06-15T11:30", [(4, "2026-06-15T15:30"), (24, "2026-06-16T12:00")]),  # 7:30
        ("2026-06-15T04:00", [(4, "2026-06-15T12:00"), (24, "2026-06-16T12:00")]),  # midnight
        ("2026-03-07T15:00", [(4, "2026-03-07T19:00"), (24, "2026-03-08T15:00")]),  # hours, not times of day
        ("2026-03-08T02:00", [(4, "2026-03-08T12:00"), (24, "2026-03-09T12:00")]),  # 21:00 EST, 22:00 EDT
        ("2026-10-31T16:00", [(4, "2026-10-31T20:00"), (24, "2026-11-01T16:00")]),
        ("2028-02-28T18:00", [(4, "2028-02-28T22:00"), (24, "2028-02-29T18:00")]),
    ],
)
def test_we_ask_how_somebody_is_four_hours_and_a_day_later_while_they_are_awake(
    since: str, expected: list[tuple[int, str]]
) -> None:
    steps = check_ins(utc(since).date(), utc(since), POLICY, NEW_YORK)
    assert dues(steps) == [(f"checkin:{hours}", utc(at)) for hours, at in expected]


def test_two_check_ins_that_would_come_together_are_one() -> None:
    mornings = ReminderPolicy(quiet=Hours(opens=time(9), closes=time(12)), missed_again_at=time(9))
    steps = check_ins(date(2026, 6, 15), utc("2026-06-15T12:30"), mornings, NEW_YORK)  # 8:30: next at 9:00, twice
    assert dues(steps) == [("checkin:4", utc("2026-06-16T13:00"))]


@given(zones_and_instants(), policies())
@settings(deadline=None)  # a busy machine is no failure
def test_check_ins_come_in_texting_hours_never_early_and_never_close_together(
    where: tuple[ZoneInfo, datetime], policy: ReminderPolicy
) -> None:
    zone, since = where
    steps = check_ins(since.date(), since, policy, zone)
    assert names(steps)[0] == "checkin:4"
    for step in steps:
        assert step.due_at.tzinfo is UTC
        assert policy.quiet.contain(step.due_at.astimezone(zone).time())
        assert step.due_at >= since + timedelta(hours=int(step.step.removeprefix("checkin:")))
    assert all(later.due_at - earlier.due_at >= timedelta(hours=8) for earlier, later in pairwise(steps))
    assert len({step.key for step in steps}) == len(steps)
    if steps[0].due_at < since + timedelta(hours=16):
        assert names(steps) == ["checkin:4", "checkin:24"]


def test_check_ins_of_another_day_are_others() -> None:
    since = utc("2026-06-15T15:00")
    first = check_ins(date(2026, 6, 15), since, POLICY, NEW_YORK)
    assert not {s.key for s in first} & {s.key for s in check_ins(date(2026, 6, 16), since, POLICY, NEW_YORK)}


@pytest.mark.parametrize(
    ("recorded_at", "scanned_at", "asked_at"),
    [
        ("2026-06-15T15:00", "2026-06-15T15:00", "2026-06-15T17:00"),
        ("2026-06-15T15:00", "2026-06-15T14:30", "2026-06-15T16:30"),
        ("2026-06-15T15:00", "2026-06-10T15:00", "2026-06-15T15:00"),  # recorded days later: at once
        ("2026-06-16T03:00", "2026-06-16T02:30", "2026-06-16T04:30"),  # half past midnight: a pump may stand still
    ],
)
def test_we_ask_two_hours_after_a_scan_and_a_nurse_sees_to_it_a_day_later(
    recorded_at: str, scanned_at: str, asked_at: str
) -> None:
    steps = scan_steps(5, utc(recorded_at), utc(scanned_at))
    assert dues(steps) == [("scan:1", utc(asked_at)), ("scan:2", utc(asked_at) + timedelta(hours=24))]
    assert {step.about for step in steps} == {"5"}


# ── the battery ────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("replace_by", "days"),
    [
        ("2030-11-23", ["2029-11-23", "2030-05-23", "2030-08-23", "2030-11-23"]),
        ("2028-02-29", ["2027-02-28", "2027-08-29", "2027-11-29", "2028-02-29"]),
        ("2027-05-31", ["2026-05-31", "2026-11-30", "2027-02-28", "2027-05-31"]),
        ("2028-05-31", ["2027-05-31", "2027-11-30", "2028-02-29", "2028-05-31"]),
        ("2029-01-31", ["2028-01-31", "2028-07-31", "2028-10-31", "2029-01-31"]),
    ],
)
def test_staff_are_warned_twelve_six_and_three_months_before_the_pump_must_be_replaced(
    replace_by: str, days: list[str]
) -> None:
    steps = battery_steps(9, date.fromisoformat(replace_by), ZoneInfo("UTC"), time(9))
    assert dues(steps) == [
        (f"battery:{months}", utc(f"{day}T09:00")) for months, day in zip((12, 6, 3, 0), days, strict=True)
    ]


def test_the_ninety_days_run_from_the_day_the_indicator_shows() -> None:
    steps = eri_steps(9, date(2028, 1, 15), NEW_YORK, time(9))
    assert dues(steps) == [
        ("eri:90", utc("2028-01-15T14:00")),
        ("eri:60", utc("2028-02-14T14:00")),
        ("eri:30", utc("2028-03-15T13:00")),  # summer time since the 12th
        ("eri:14", utc("2028-03-31T13:00")),
        ("eri:7", utc("2028-04-07T13:00")),
        ("eri:0", utc("2028-04-14T13:00")),  # there was a 29 February
    ]


@given(zones_and_instants(), st.times(timezones=st.none()).map(lambda at: at.replace(microsecond=0)))
@settings(deadline=None)  # a busy machine is no failure
def test_warnings_about_a_battery_come_in_order_at_the_clinics_hour_in_every_zone(
    where: tuple[ZoneInfo, datetime], at: time
) -> None:
    zone, near = where
    day = near.astimezone(zone).date()
    warned, clock = battery_steps(9, day, zone, at), eri_steps(9, day, zone, at)
    for steps in (warned, clock):
        assert all(earlier.due_at < later.due_at for earlier, later in pairwise(steps))
    for step in clock:
        left = int(step.step.removeprefix("eri:"))
        assert shows(step.due_at, datetime.combine(day + timedelta(days=90 - left), at), zone)
    for step in warned:
        months = int(step.step.removeprefix("battery:"))
        assert shows(step.due_at, datetime.combine(months_before(day, months), at), zone)
    assert shows(warned[-1].due_at, datetime.combine(day, at), zone)
    assert len({step.key for step in (*warned, *clock)}) == len(warned) + len(clock)


def test_a_pump_has_other_warnings_than_the_next_pump_or_another_day() -> None:
    day = date(2030, 11, 23)
    keys = [
        step.key
        for pump, on in ((9, day), (10, day), (9, day + timedelta(days=1)))
        for steps in (battery_steps(pump, on, NEW_YORK, time(9)), eri_steps(pump, on, NEW_YORK, time(9)))
        for step in steps
    ]
    assert len(set(keys)) == len(keys)


@pytest.mark.parametrize(
    ("day", "months", "before"),
    [
        ("2026-11-23", 0, "2026-11-23"),
        ("2026-11-23", 3, "2026-08-23"),
        ("2026-01-31", 1, "2025-12-31"),
        ("2026-03-31", 1, "2026-02-28"),
        ("2028-03-31", 1, "2028-02-29"),
        ("2028-02-29", 12, "2027-02-28"),
        ("2028-02-29", 48, "2024-02-29"),
        ("2026-12-31", 12, "2025-12-31"),
        ("2026-12-15", -1, "2027-01-15"),
        ("2020-02-29", -84, "2027-02-28"),
        ("2100-03-29", 1, "2100-02-28"),  # no leap year
        ("2000-03-29", 1, "2000-02-29"),
    ],
)
def test_so_many_months_before_is_the_same_day_or_the_last_of_a_shorter_month(
    day: str, months: int, before: str
) -> None:
    assert months_before(date.fromisoformat(day), months) == date.fromisoformat(before)


@given(st.dates(date(1950, 1, 1), date(2150, 12, 31)), st.integers(-240, 240))
def test_months_before_agrees_with_the_calendar(day: date, months: int) -> None:
    before = months_before(day, months)
    assert (day.year - before.year) * 12 + day.month - before.month == months
    assert before.day == min(day.day, calendar.monthrange(before.year, before.month)[1])


# ── until when a nurse is to have done it ──────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("due", "now", "by"),
    [
        # New York. A clock that watches over drug never waits for an hour, a weekend or a holiday.
        (Due.NOW, "2026-03-06T21:00", "2026-03-06T21:00"),
        (Due.NOW, "2026-12-25T07:30", "2026-12-25T07:30"),
        (Due.TODAY, "2026-11-23T15:00", "2026-11-24T05:00"),
        (Due.TODAY, "2026-11-28T15:00", "2026-11-29T05:00"),  # Saturday: today all the same
        (Due.TODAY, "2026-11-24T04:59:59", "2026-11-24T05:00"),  # a second is left of it
        (Due.TODAY, "2026-11-24T05:00", "2026-11-25T05:00"),
        (Due.TODAY, "2026-03-08T05:00", "2026-03-09T04:00"),  # 23 hours
        (Due.TODAY, "2026-11-01T04:00", "2026-11-02T05:00"),  # 25 hours
        (Due.WORKING_DAY, "2026-11-23T15:00", "2026-11-24T15:00"),  # Monday
        (Due.WORKING_DAY, "2026-11-26T15:00", "2026-11-27T15:00"),  # Thursday, Thanksgiving
        (Due.WORKING_DAY, "2026-11-27T15:00", "2026-11-30T15:00"),  # Friday
        (Due.WORKING_DAY, "2026-11-28T15:00", "2026-11-30T15:00"),  # Saturday
        (Due.WORKING_DAY, "2026-11-29T15:00", "2026-11-30T15:00"),  # Sunday
        (Due.WORKING_DAY, "2026-11-30T04:30", "2026-12-01T04:30"),  # still Sunday 23:30: Monday 23:30
        (Due.WORKING_DAY, "2026-12-24T15:00", "2026-12-25T15:00"),  # Christmas is a Friday
        (Due.WORKING_DAY, "2026-03-06T21:00", "2026-03-09T20:00"),  # 16:00 by the new time
        (Due.WORKING_DAY, "2026-10-30T20:00", "2026-11-02T21:00"),
        (Due.WORKING_DAY, "2028-02-28T15:00", "2028-02-29T15:00"),
    ],
)
def test_a_task_is_due_at_once_by_midnight_or_within_a_working_day(due: Due, now: str, by: str) -> None:
    assert task_due(due, utc(now), NEW_YORK) == utc(by)
    assert task_due(due, utc(now).astimezone(ZoneInfo("Asia/Tokyo")), NEW_YORK) == utc(by)


@pytest.mark.parametrize(
    ("zone", "now", "by"),
    [
        ("Asia/Beirut", "2026-03-28T12:00", "2026-03-28T22:00"),  # midnight is left out: as the clock jumps to 1:00
        ("Pacific/Apia", "2011-12-29T20:00", "2011-12-30T10:00"),  # a day is left out: as the 29th ends
        ("Asia/Kolkata", "2026-06-01T18:29", "2026-06-01T18:30"),
    ],
)
def test_today_ends_with_the_day_at_the_clinic(zone: str, now: str, by: str) -> None:
    assert task_due(Due.TODAY, utc(now), ZoneInfo(zone)) == utc(by)


@given(instants_to_come())
@settings(deadline=None)  # a busy machine is no failure
def test_today_is_over_at_the_first_instant_of_another_date_in_every_zone(where: tuple[ZoneInfo, datetime]) -> None:
    zone, now = where
    due = task_due(Due.TODAY, now, zone)
    assert task_due(Due.NOW, now, zone) == now < due
    assert due.tzinfo is UTC
    assert (due - timedelta(microseconds=1)).astimezone(zone).date() == now.astimezone(zone).date()
    assert due.astimezone(zone).date() > now.astimezone(zone).date()


@given(instants_to_come())
@settings(deadline=None)  # a busy machine is no failure
def test_within_a_working_day_is_the_same_hour_of_the_next_weekday_in_every_zone(
    where: tuple[ZoneInfo, datetime],
) -> None:
    zone, now = where
    due, opened = task_due(Due.WORKING_DAY, now, zone), wall(now, zone)
    day = next(
        opened.date() + timedelta(days=days)
        for days in (1, 2, 3)
        if calendar.day_name[(opened.date() + timedelta(days=days)).weekday()] not in ("Saturday", "Sunday")
    )
    assert shows(due, datetime.combine(day, opened.time()), zone)
    assert task_due(Due.NOW, now, zone) < due


@given(instants_to_come())
@settings(deadline=None)  # a busy machine is no failure
def test_a_more_urgent_task_is_never_due_later(where: tuple[ZoneInfo, datetime]) -> None:
    zone, now = where
    by = [task_due(due, now, zone) for due in (Due.NOW, Due.TODAY, Due.WORKING_DAY)]
    assert by == sorted(by)


@pytest.mark.parametrize(
    "plan_naively",
    [
        lambda at: visit_steps(7, at, NEW_YORK),
        lambda at: missed_steps(7, at, at, POLICY, NEW_YORK),
        lambda at: check_ins(at.date(), at, POLICY, NEW_YORK),
        lambda at: scan_steps(5, at, at),
        lambda at: task_due(Due.NOW, at, NEW_YORK),
        lambda at: task_due(Due.WORKING_DAY, at, NEW_YORK),
    ],
)
def test_an_instant_without_a_zone_is_refused(plan_naively: object) -> None:
    with pytest.raises(ValueError, match="aware"):
        plan_naively(datetime(2026, 6, 15, 12))  # type: ignore[operator]  # noqa: DTZ001
