from datetime import datetime, time, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from reminder_rows import NEW_YORK, POLICY, VISIT, booked, dues, policies, utc
from zone_strategies import zones_and_instants

from scheduler.planning import missed_texts, replan
from scheduler.policy import ReminderPolicy


@pytest.mark.parametrize(
    ("starts_at", "noticed_at", "expected"),
    [
        # 11:00 local, noticed an hour later by the sweep
        ("2026-06-15T15:00", "2026-06-15T16:00", ["2026-06-15T16:00", "2026-06-16T13:00"]),
        # Marked missed by a nurse after ten minutes: the patient still gets the hour
        ("2026-06-15T15:00", "2026-06-15T15:10", ["2026-06-15T16:00", "2026-06-16T13:00"]),
        # Noticed at 22:00: told at 08:00, and not again an hour later
        ("2026-06-15T23:00", "2026-06-16T02:00", ["2026-06-16T12:00"]),
        # Noticed a week late: once, now
        ("2026-06-15T15:00", "2026-06-22T17:00", ["2026-06-22T17:00"]),
        # Noticed at 05:00 on the next morning, after a night's outage
        ("2026-06-15T15:00", "2026-06-16T09:00", ["2026-06-16T12:00"]),
        # The night the clock springs forward and the night it falls back
        ("2026-03-07T18:00", "2026-03-07T19:00", ["2026-03-07T19:00", "2026-03-08T13:00"]),
        ("2026-10-31T18:00", "2026-10-31T19:00", ["2026-10-31T19:00", "2026-11-01T14:00"]),
    ],
)
def test_a_missed_visit_is_told_at_once_and_again_the_next_morning(
    starts_at: str, noticed_at: str, expected: list[str]
) -> None:
    texts = missed_texts(utc(starts_at), utc(noticed_at), POLICY, NEW_YORK)
    assert dues(texts) == [(f"missed:{n}", utc(due)) for n, due in enumerate(expected, start=1)]


def test_the_second_text_stays_when_it_comes_four_hours_after_the_first() -> None:
    policy = ReminderPolicy(missed_again_at=time(12))
    texts = missed_texts(utc("2026-06-15T23:00"), utc("2026-06-16T02:00"), policy, NEW_YORK)
    assert [text.due_at for text in texts] == [utc("2026-06-16T12:00"), utc("2026-06-16T16:00")]


def test_marking_a_missed_visit_attended_stops_its_texts() -> None:
    rows = booked()
    noticed_at = VISIT + timedelta(hours=1)
    rows.apply(replan(VISIT, POLICY, NEW_YORK, noticed_at, rows.stored(), missed_noticed_at=noticed_at))
    assert {key.split(":")[0] for key, _ in rows.pending()} >= {"missed"}
    rows.apply(replan(None, POLICY, NEW_YORK, noticed_at, rows.stored()))
    assert rows.pending() == []


def test_the_nightly_replan_leaves_the_texts_of_a_missed_visit_alone() -> None:
    rows = booked()
    noticed_at = VISIT + timedelta(hours=1)
    rows.apply(replan(VISIT, POLICY, NEW_YORK, noticed_at, rows.stored(), missed_noticed_at=noticed_at))
    night = noticed_at + timedelta(hours=10)
    assert replan(VISIT, POLICY, NEW_YORK, night, rows.stored(), missed_noticed_at=noticed_at).empty


@given(zones_and_instants(), policies(), st.integers(0, 14 * 24 * 60))
@settings(deadline=None)  # a busy machine is no failure
def test_texts_of_a_missed_visit_keep_to_allowed_hours_and_apart(
    where: tuple[ZoneInfo, datetime], policy: ReminderPolicy, minutes: int
) -> None:
    zone, starts_at = where
    noticed_at = starts_at + timedelta(minutes=minutes)
    texts = missed_texts(starts_at, noticed_at, policy, zone)
    assert texts[0].due_at >= max(noticed_at, starts_at + policy.missed_after)
    assert all(policy.quiet.contain(text.due_at.astimezone(zone).time()) for text in texts)
    for earlier, later in pairwise(texts):
        assert later.due_at - earlier.due_at >= timedelta(hours=4)
