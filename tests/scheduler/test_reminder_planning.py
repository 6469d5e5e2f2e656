from datetime import UTC, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from reminder_rows import NEW_YORK, POLICY, dues, policies, utc
from zone_strategies import zones_and_instants

from scheduler.planning import Planned, plan
from scheduler.policy import ReminderPolicy
from scheduler.quiet_hours import local_instant


@pytest.mark.parametrize(
    ("zone", "starts_at", "expected"),
    [
        # Spring forward on 8 March 2026: 10:00 is 15:00 UTC before and 14:00 after
        (
            "America/New_York",
            "2026-03-16T13:30",
            ["2026-03-02T15:00", "2026-03-09T14:00", "2026-03-14T14:00", "2026-03-15T14:00"],
        ),
        # Fall back on 1 November 2026
        (
            "America/New_York",
            "2026-11-02T14:30",
            ["2026-10-19T14:00", "2026-10-26T14:00", "2026-10-31T14:00", "2026-11-01T15:00"],
        ),
        (
            "Europe/Berlin",
            "2026-03-30T07:00",
            ["2026-03-16T09:00", "2026-03-23T09:00", "2026-03-28T09:00", "2026-03-29T08:00"],
        ),
        # 20:00 UTC is already the next day in India
        (
            "Asia/Kolkata",
            "2026-06-14T20:00",
            ["2026-06-01T04:30", "2026-06-08T04:30", "2026-06-13T04:30", "2026-06-14T04:30"],
        ),
        (
            "America/Phoenix",
            "2026-03-10T17:00",
            ["2026-02-24T17:00", "2026-03-03T17:00", "2026-03-08T17:00", "2026-03-09T17:00"],
        ),
        (
            "Australia/Lord_Howe",
            "2026-10-04T23:00",  # 10:00 on the 5th, +11; the clock moved half an hour on the 4th
            ["2026-09-20T23:30", "2026-09-27T23:30", "2026-10-02T23:30", "2026-10-03T23:00"],
        ),
        # The visit is on 1 January 2012; the day two before it, 30 December, never was: both fall on the 31st
        (
            "Pacific/Apia",
            "2011-12-31T21:00",
            ["2011-12-18T20:00", "2011-12-25T20:00", "2011-12-30T18:00", "2011-12-30T20:00"],
        ),
    ],
)
def test_reminders_come_at_ten_on_the_patients_wall_clock(zone: str, starts_at: str, expected: list[str]) -> None:
    planned = plan(utc(starts_at), POLICY, ZoneInfo(zone), now=utc("2001-01-01T00:00"))
    steps = ("ladder:14", "ladder:7", "ladder:2", "ladder:1")
    assert dues(planned) == [(step, utc(due)) for step, due in zip(steps, expected, strict=True)]


def test_two_reminders_on_one_instant_become_the_nearer_one() -> None:
    policy = ReminderPolicy(ladder_days=(2, 1), send_at=time(8))  # Apia: 30 December slips to the 31st at 08:00
    planned = plan(utc("2011-12-31T21:00"), policy, ZoneInfo("Pacific/Apia"), now=utc("2011-12-01T00:00"))
    assert dues(planned) == [("ladder:1", utc("2011-12-30T18:00"))]


def test_a_visit_booked_late_gets_only_what_is_still_to_come() -> None:
    starts_at = utc("2026-06-15T15:00")
    assert [step for step, _ in dues(plan(starts_at, POLICY, NEW_YORK, now=utc("2026-06-13T13:59")))] == [
        "ladder:2",
        "ladder:1",
    ]
    assert [step for step, _ in dues(plan(starts_at, POLICY, NEW_YORK, now=utc("2026-06-13T14:00")))] == ["ladder:1"]
    assert plan(starts_at, POLICY, NEW_YORK, now=utc("2026-06-20T00:00")) == ()


@pytest.mark.parametrize(
    ("starts_at", "steps"),
    [
        ("2026-06-15T16:00", ["ladder:0"]),  # noon: 10:00 is just two hours before
        ("2026-06-15T15:59", []),
        ("2026-06-15T12:30", []),  # 08:30: day 0 at 10:00 would come after the visit
    ],
)
def test_a_reminder_on_the_day_comes_only_while_it_helps(starts_at: str, steps: list[str]) -> None:
    planned = plan(utc(starts_at), ReminderPolicy(ladder_days=(0,)), NEW_YORK, now=utc("2026-06-01T00:00"))
    assert [reminder.step for reminder in planned] == steps


def test_a_key_is_the_same_however_the_visit_is_written() -> None:
    in_utc = Planned("ladder:1", utc("2026-06-14T14:00"), utc("2026-06-15T15:00"))
    local = Planned("ladder:1", utc("2026-06-14T14:00"), utc("2026-06-15T15:00").astimezone(NEW_YORK))
    assert in_utc.key == local.key == "ladder:1@2026-06-15T15:00:00+00:00"


spans = st.integers(-2 * 24 * 60, 400 * 24 * 60).map(lambda minutes: timedelta(minutes=minutes))


@given(zones_and_instants(), policies(), spans)
@settings(deadline=None)  # a busy machine is no failure
def test_every_planned_reminder_is_timely_in_every_zone(
    where: tuple[ZoneInfo, datetime], policy: ReminderPolicy, ahead: timedelta
) -> None:
    zone, starts_at = where
    now = starts_at - ahead
    planned = plan(starts_at, policy, zone, now)
    instants = [reminder.due_at for reminder in planned]
    assert instants == sorted(set(instants))
    assert len({reminder.key for reminder in planned}) == len(planned)
    for due_at in instants:
        assert due_at.tzinfo is UTC
        assert now < due_at <= starts_at - policy.latest_before
        assert policy.quiet.contain(due_at.astimezone(zone).time())


@given(zones_and_instants(), policies())
@settings(deadline=None)  # a busy machine is no failure
def test_every_reminder_falls_on_the_day_its_step_names(
    where: tuple[ZoneInfo, datetime], policy: ReminderPolicy
) -> None:
    zone, starts_at = where
    for reminder in plan(starts_at, policy, zone, now=starts_at - timedelta(days=500)):
        days_before = int(reminder.step.removeprefix("ladder:"))
        wanted = datetime.combine(starts_at.astimezone(zone).date() - timedelta(days=days_before), policy.send_at)
        wall = reminder.due_at.astimezone(zone).replace(tzinfo=None)
        if local_instant(wanted.date(), policy.send_at, zone).astimezone(zone).replace(tzinfo=None) == wanted:
            assert wall == wanted
        else:  # that time was skipped by a clock change, and a narrow window may be over once it has passed
            assert wanted < wall < wanted + timedelta(days=2)


@given(zones_and_instants(), policies())
@settings(deadline=None)  # a busy machine is no failure
def test_no_step_is_missing_from_a_plan_made_early(where: tuple[ZoneInfo, datetime], policy: ReminderPolicy) -> None:
    zone, starts_at = where
    planned = plan(starts_at, policy, zone, now=starts_at - timedelta(days=500))
    visit_day = starts_at.astimezone(zone).date()
    sent_at = [local_instant(visit_day - timedelta(days=days), policy.send_at, zone) for days in policy.ladder_days]
    open_hours = [at for at in sent_at if policy.quiet.contain(at.astimezone(zone).time())]
    expected = {at for at in open_hours if at <= starts_at - policy.latest_before}
    assert expected <= {reminder.due_at for reminder in planned}
