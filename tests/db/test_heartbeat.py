"""A heartbeat that ended is noticed by what it no longer says."""

from datetime import datetime, timedelta

import pytest

from app.actions.line import Line
from app.channels.base import Channel
from app.db.heartbeat import FAILURES_THAT_COUNT, SILENT_AFTER, Heartbeat, heartbeat
from app.db.work import JobHealth
from app.jobs import jobs_for
from tests.conftest import FrozenClock

OLD = timedelta(minutes=11)  # an installation that is not new any more


def say_well(line: Line, at: datetime, *names: str) -> None:
    with line.db.begin() as session:
        for name in names or SILENT_AFTER:
            session.merge(JobHealth(name=name, ok_at=at, failures=0))


def seen(line: Line, now: datetime) -> Heartbeat:
    with line.db.read() as session:
        return heartbeat(session, now)


def test_every_job_of_a_live_line_is_watched_and_has_time_for_two_beats(line: Line, channel: Channel) -> None:
    jobs = {job.name: job.every for job in jobs_for(line, channel)}
    assert SILENT_AFTER.keys() == jobs.keys()
    assert all(limit > 2 * jobs[name] + timedelta(minutes=1) for name, limit in SILENT_AFTER.items())


def test_before_the_first_start_nothing_is_silent_for_ten_minutes(line: Line, clock: FrozenClock) -> None:
    assert seen(line, clock()) == Heartbeat((), (), yet_to_start=True)
    late = seen(line, clock() + OLD)
    assert (set(late.silent), late.stopped, late.yet_to_start) == (set(SILENT_AFTER), True, False)


def test_beats_are_fresh_for_five_minutes(line: Line, clock: FrozenClock) -> None:
    say_well(line, clock())
    assert seen(line, clock() + timedelta(minutes=5)).silent == ()
    late = seen(line, clock() + timedelta(minutes=5, seconds=1))
    assert set(late.silent) == SILENT_AFTER.keys() - {
        *("plan_reminders", "plan_care", "forget_imports", "forget_old", "catch_up")
    }
    assert late.stopped


def test_one_job_that_hangs_or_never_ran_is_enough(line: Line, clock: FrozenClock) -> None:
    now = clock() + OLD
    say_well(line, now, *SILENT_AFTER.keys() - {"raise_pages"})
    assert seen(line, now).silent == ("raise_pages",)
    say_well(line, clock(), "raise_pages")
    assert (seen(line, now).silent, seen(line, now).stopped) == (("raise_pages",), True)


def test_planning_may_be_silent_for_thirteen_hours_and_stops_no_page(line: Line, clock: FrozenClock) -> None:
    now = clock() + timedelta(hours=13)
    say_well(line, now)
    say_well(line, clock(), "plan_reminders")
    assert seen(line, now).silent == ()
    say_well(line, clock() - timedelta(seconds=1), "plan_reminders")
    assert (seen(line, now).silent, seen(line, now).stopped) == (("plan_reminders",), False)


def test_a_beat_that_lies_ahead_is_no_sign_of_life(line: Line, clock: FrozenClock) -> None:
    say_well(line, clock() + timedelta(hours=1))
    assert seen(line, clock()).stopped


@pytest.mark.parametrize("ok_ago", [None, timedelta(hours=1)])
def test_a_job_that_keeps_failing_is_failing_and_not_silent(
    line: Line, clock: FrozenClock, ok_ago: timedelta | None
) -> None:
    now = clock() + OLD
    say_well(line, now)
    with line.db.begin() as session:
        job = session.get_one(JobHealth, "send_outbox")
        job.failures, job.error, job.ok_at = FAILURES_THAT_COUNT, "OSError", now - ok_ago if ok_ago else None
    found = seen(line, now)
    assert [(job.name, job.failures, job.error) for job in found.failing] == [("send_outbox", 3, "OSError")]
    assert found.silent == ()
