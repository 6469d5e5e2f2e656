from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from zone_strategies import zones_and_instants

from scheduler.planning import REPLACED, TOO_LATE, DueDecision, Later, Send, Skip, due_decision, missed_decision
from scheduler.policy import ReminderPolicy
from scheduler.quiet_hours import next_allowed

POLICY = ReminderPolicy()
NEW_YORK = ZoneInfo("America/New_York")


def utc(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


@pytest.mark.parametrize(
    ("now", "newer_due", "decision"),
    [
        ("2026-06-14T14:00", False, Send(late=timedelta(0))),
        ("2026-06-14T20:00", False, Send(late=timedelta(hours=6))),  # down for an afternoon: it still helps
        ("2026-06-15T03:00", False, Later(utc("2026-06-15T12:00"))),  # up again at 23:00: not before 08:00
        ("2026-06-15T13:00", False, Send(late=timedelta(hours=23))),  # two hours before the visit, the last moment
        ("2026-06-15T13:00:01", False, Skip(TOO_LATE)),
        ("2026-06-15T16:00", False, Skip(TOO_LATE)),  # the visit has begun
        ("2026-06-14T14:00", True, Skip(REPLACED)),
        ("2026-06-15T03:00", True, Skip(REPLACED)),
        ("2026-06-15T16:00", True, Skip(TOO_LATE)),
        ("2026-06-14T13:00", False, Later(utc("2026-06-14T14:00"))),  # asked an hour early
    ],
)
def test_what_becomes_of_yesterdays_reminder_for_a_visit_at_eleven(
    now: str, newer_due: bool, decision: DueDecision
) -> None:
    due_at, starts_at = utc("2026-06-14T14:00"), utc("2026-06-15T15:00")
    assert due_decision(due_at, starts_at, utc(now), NEW_YORK, POLICY, newer_due) == decision


def test_a_quiet_hour_that_lasts_until_the_visit_skips_the_reminder() -> None:
    starts_at = utc("2026-06-15T13:30")  # 09:30; at 08:00 only an hour and a half is left
    decision = due_decision(utc("2026-06-14T14:00"), starts_at, utc("2026-06-15T03:00"), NEW_YORK, POLICY, False)
    assert decision == Skip(TOO_LATE)


@pytest.mark.parametrize(
    ("now", "newer_due", "decision"),
    [
        ("2026-06-15T16:00", False, Send(late=timedelta(0))),
        ("2026-06-16T03:00", False, Later(utc("2026-06-16T12:00"))),
        ("2026-06-16T13:00", True, Skip(REPLACED)),
        ("2026-06-25T16:00", False, Send(late=timedelta(days=10))),  # the refill is still owed
    ],
)
def test_the_text_of_a_missed_visit_is_held_at_night_but_never_too_late(
    now: str, newer_due: bool, decision: DueDecision
) -> None:
    assert missed_decision(utc("2026-06-15T16:00"), utc(now), NEW_YORK, POLICY, newer_due) == decision


minutes = st.integers(-24 * 60, 20 * 24 * 60).map(lambda count: timedelta(minutes=count))


@given(zones_and_instants(), minutes, minutes, st.booleans())
@settings(deadline=None)  # a busy machine is no failure
def test_nothing_is_sent_early_at_night_or_when_it_no_longer_helps(
    where: tuple[ZoneInfo, datetime], waited: timedelta, ahead: timedelta, newer_due: bool
) -> None:
    zone, now = where
    due_at, starts_at = now - waited, now + ahead
    decision = due_decision(due_at, starts_at, now, zone, POLICY, newer_due)
    limit = starts_at - POLICY.latest_before
    if isinstance(decision, Send):
        assert due_at <= now <= limit
        assert POLICY.quiet.contain(now.astimezone(zone).time())
        assert not newer_due
    elif isinstance(decision, Later):
        assert now < decision.at <= limit
        then = due_decision(due_at, starts_at, decision.at, zone, POLICY, False)
        assert then == Send(late=decision.at - due_at)  # waiting once is enough
    else:
        assert newer_due or next_allowed(max(now, due_at), zone, POLICY.quiet) > limit
