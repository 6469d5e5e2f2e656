from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from reminder_rows import BOOKED, NEW_YORK, POLICY, VISIT, Rows, booked, policies, utc
from zone_strategies import zones_and_instants

from scheduler.planning import Changes, Stored, diff, plan, replan
from scheduler.policy import ReminderPolicy

STATES = ("planned", "cancelled", "queued", "sent", "skipped")


def test_booking_stores_the_whole_ladder_once() -> None:
    rows = booked()
    assert len(rows.pending()) == 4
    again = replan(VISIT, POLICY, NEW_YORK, BOOKED, rows.stored())
    assert again == Changes(keep=(1, 2, 3, 4))
    assert again.empty


def test_a_moved_visit_cancels_the_old_ladder_and_plans_a_new_one() -> None:
    rows = booked()
    moved = VISIT + timedelta(days=1)
    changes = replan(moved, POLICY, NEW_YORK, BOOKED, rows.stored())
    assert changes.cancel == (1, 2, 3, 4)
    assert changes.add == plan(moved, POLICY, NEW_YORK, BOOKED)


def test_a_visit_moved_back_revives_what_was_cancelled_and_repeats_nothing_sent() -> None:
    rows = booked()
    rows.settle(1, "sent")
    now = utc("2026-06-02T00:00")
    rows.apply(replan(VISIT + timedelta(hours=3), POLICY, NEW_YORK, now, rows.stored()))
    back = replan(VISIT, POLICY, NEW_YORK, now, rows.stored())
    assert [row_id for row_id, _ in back.revive] == [2, 3, 4]
    assert back.add == ()
    assert back.keep == (1,)
    rows.apply(back)
    assert len(rows.pending()) == 3


@pytest.mark.parametrize("state", ["queued", "sent", "skipped", "a state of a later version"])
def test_a_settled_row_is_neither_touched_nor_repeated(state: str) -> None:
    rows = booked()
    rows.settle(2, state)
    assert replan(VISIT, POLICY, NEW_YORK, BOOKED, rows.stored()).empty
    assert 2 not in replan(None, POLICY, NEW_YORK, BOOKED, rows.stored()).cancel


def test_an_attended_or_cancelled_visit_stops_everything_pending() -> None:
    rows = booked()
    rows.apply(replan(None, POLICY, NEW_YORK, BOOKED, rows.stored()))
    assert rows.pending() == []
    assert replan(None, POLICY, NEW_YORK, BOOKED, rows.stored()).empty


def test_a_patient_who_moves_across_zones_keeps_the_rows_at_new_times() -> None:
    rows = booked()
    los_angeles = ZoneInfo("America/Los_Angeles")
    changes = replan(VISIT, POLICY, los_angeles, BOOKED, rows.stored())
    assert [row_id for row_id, _ in changes.retime] == [1, 2, 3, 4]
    assert (changes.add, changes.cancel) == ((), ())
    rows.apply(changes)
    assert sorted(due for _, due in rows.pending()) == [r.due_at for r in plan(VISIT, POLICY, los_angeles, BOOKED)]


def test_a_shorter_ladder_cancels_the_steps_it_dropped() -> None:
    rows = booked()
    rows.apply(replan(VISIT, ReminderPolicy(ladder_days=(7, 1)), NEW_YORK, BOOKED, rows.stored()))
    assert [key.split("@")[0] for key, _ in rows.pending()] == ["ladder:1", "ladder:7"]


def test_a_reminder_that_came_due_while_the_service_was_down_is_left_to_the_sweep() -> None:
    rows = booked()
    after_an_outage = utc("2026-06-08T20:00")  # the 14 and the 7 days' reminders have come due
    assert replan(VISIT, POLICY, NEW_YORK, after_an_outage, rows.stored()).empty


def test_an_overdue_reminder_of_a_visit_since_moved_is_cancelled() -> None:
    rows = booked()
    changes = replan(VISIT + timedelta(days=3), POLICY, NEW_YORK, utc("2026-06-08T20:00"), rows.stored())
    assert changes.cancel == (1, 2, 3, 4)


def test_of_rows_that_share_a_key_one_counts() -> None:
    reminder = plan(VISIT, ReminderPolicy(ladder_days=(1,)), NEW_YORK, BOOKED)[0]
    twice = [Stored(row_id, reminder.key, reminder.due_at, "planned") for row_id in (7, 5)]
    assert diff([reminder], twice) == Changes(cancel=(7,), keep=(5,))
    assert diff([], twice, overdue=[reminder]) == Changes(cancel=(7,), keep=(5,))
    cancelled = Stored(1, reminder.key, reminder.due_at, "cancelled")
    assert diff([reminder], [cancelled, *twice]) == Changes(cancel=(7,), keep=(1, 5))
    sent = Stored(9, reminder.key, reminder.due_at, "sent")
    assert diff([reminder], [*twice, sent]) == Changes(cancel=(5, 7), keep=(9,))


@st.composite
def histories(draw: st.DrawFn) -> list[tuple[timedelta | None, timedelta, bool, list[str]]]:
    """What happens to one appointment: moved to here (or ended), so much later, missed or not, rows settled."""
    shifts = st.one_of(st.none(), st.sampled_from([timedelta(0), timedelta(hours=3), timedelta(days=9)]))
    passed = st.integers(0, 12 * 24).map(lambda hours: timedelta(hours=hours))
    return draw(
        st.lists(st.tuples(shifts, passed, st.booleans(), st.lists(st.sampled_from(STATES), max_size=3)), max_size=7)
    )


@given(zones_and_instants(), policies(), histories())
@settings(deadline=None)  # a busy machine is no failure
def test_whatever_happens_rows_match_the_plan_and_nothing_is_sent_twice(
    where: tuple[ZoneInfo, datetime],
    policy: ReminderPolicy,
    history: list[tuple[timedelta | None, timedelta, bool, list[str]]],
) -> None:
    zone, first_visit = where
    now = first_visit - timedelta(days=30)
    rows = Rows()
    for shift, passed, missed, settled in history:
        now += passed
        starts_at = None if shift is None else first_visit + shift
        noticed_at = now if missed and starts_at is not None and starts_at < now else None
        done = {row.id: row for row in rows.stored() if row.state not in ("planned", "cancelled")}

        rows.apply(replan(starts_at, policy, zone, now, rows.stored(), missed_noticed_at=noticed_at))

        assert replan(starts_at, policy, zone, now, rows.stored(), missed_noticed_at=noticed_at).empty
        assert done.items() <= rows.rows.items()
        pending = {key for key, _ in rows.pending()}
        if starts_at is None:
            assert not pending
        elif noticed_at is None:
            finished = {row.key for row in done.values()}
            owed = {reminder.key for reminder in plan(starts_at, policy, zone, now)} - finished
            assert owed <= pending
            assert all(key in owed or due_at <= now for key, due_at in rows.pending())
        assert all(key.endswith(f"@{starts_at.isoformat()}") for key in pending if starts_at)
        for row, state in zip(rows.stored(), settled, strict=False):
            if row.state == "planned":
                rows.settle(row.id, state)


@given(zones_and_instants(), policies(), st.data())
@settings(deadline=None)  # a busy machine is no failure
def test_applying_a_diff_twice_changes_nothing(
    where: tuple[ZoneInfo, datetime], policy: ReminderPolicy, data: st.DataObject
) -> None:
    zone, starts_at = where
    planned = plan(starts_at, policy, zone, now=starts_at - timedelta(days=20))
    keys = [reminder.key for reminder in planned] + ["ladder:5@an earlier visit"]
    one_row = st.tuples(st.sampled_from(keys), st.sampled_from(STATES), st.integers(0, 48))
    rows = Rows()
    for row_id, (key, state, hours) in enumerate(data.draw(st.lists(one_row, max_size=12)), start=1):
        rows.rows[row_id] = Stored(row_id, key, starts_at - timedelta(hours=hours), state)
    rows.apply(diff(planned, rows.stored()))
    again = diff(planned, rows.stored())
    assert again.empty
    assert set(again.keep) == set(rows.rows)
