"""The drug runs low: who is asked, told and paged, by days of drug left, until the pump is filled."""

from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from app.actions.errors import Refused
from app.actions.plan_care import plan_care
from app.actions.receive_text import Received
from app.db.messages import Purpose
from app.db.supply import StepState
from app.db.work import TaskKind
from tests.conftest import MONDAY, Desk, FrozenClock, Someone
from tests.fakes.twilio_server import FakeTwilio, Message

NEW_YORK = ZoneInfo("America/New_York")
ON_CALL = "+16145550190"
FILLED = date(2026, 11, 23)
PLAN_BY = FILLED + timedelta(days=78)  # 9 February 2027
EMPTY = FILLED + timedelta(days=86)  # by the early edge

Live = Callable[[datetime], None]


def on(day: date, hour: int = 15) -> datetime:
    """An instant of that day in New York, in the morning unless said otherwise."""
    return datetime(day.year, day.month, day.day, hour, tzinfo=UTC)


def to(phone: str, twilio: FakeTwilio) -> list[Message]:
    return [message for message in twilio.accepted if message.to == phone]


def days(messages: list[Message]) -> list[date]:
    return [message.made_at.astimezone(NEW_YORK).date() for message in messages]


@pytest.fixture
def filled(desk: Desk, maria: Someone, beat: Callable[[], None], clock: FrozenClock, twilio: FakeTwilio) -> Someone:
    """Maria's pump was filled this morning; the check-ins are behind her."""
    desk.fills(maria)
    return maria


def test_nobody_booked_is_asked_to_book_weekly_from_four_weeks_before(
    filled: Someone, desk: Desk, live_until: Live, twilio: FakeTwilio
) -> None:
    live_until(on(PLAN_BY - timedelta(days=8)))
    asked = [text for text in to(filled.phone, twilio) if "time to book" in text.body]
    assert days(asked) == [PLAN_BY - timedelta(days=n) for n in (28, 21, 14)]
    assert {text.made_at.astimezone(NEW_YORK).hour for text in asked} == {10}
    assert desk.tasks(TaskKind.SUPPLY) == []


def test_whoever_is_booked_in_time_is_asked_nothing_and_nobody_is_called(
    filled: Someone, desk: Desk, live_until: Live, twilio: FakeTwilio
) -> None:
    desk.books(filled, on(EMPTY - timedelta(days=12)))
    live_until(on(EMPTY - timedelta(days=12)) - timedelta(minutes=1))
    assert not [text for text in to(filled.phone, twilio) if "book" in text.body]
    assert desk.tasks(TaskKind.SUPPLY, TaskKind.ALERT) == []
    assert {step.reason for step in desk.steps(filled) if step.state is StepState.SKIPPED} == {
        "a visit is booked in time"
    }


def test_without_a_visit_the_calls_become_alerts_as_the_days_run_out(
    filled: Someone, desk: Desk, live_until: Live, twilio: FakeTwilio
) -> None:
    live_until(on(EMPTY - timedelta(days=14)))
    [task] = desk.tasks(TaskKind.SUPPLY)
    assert task.reason.startswith("14 days of drug left by the early edge, no visit is booked in time: call")
    assert (task.needed_by, desk.tasks(TaskKind.ALERT)) == (PLAN_BY, [])
    assert "call us today to book" in to(filled.phone, twilio)[-1].body
    live_until(on(EMPTY - timedelta(days=9)))
    [alert] = desk.tasks(TaskKind.ALERT)  # nobody has taken the task: somebody is paged
    assert (alert.category, alert.patient_id) == ("missed_refill", filled.id)
    assert to(ON_CALL, twilio)
    live_until(on(EMPTY - timedelta(days=7)))
    [task] = desk.tasks(TaskKind.SUPPLY)
    assert (task.reason[:6], task.needed_by) == ("7 days", EMPTY)
    live_until(on(EMPTY - timedelta(days=3)))
    last = to(filled.phone, twilio)[-1]
    assert last.body.startswith("Call us NOW, day or night")


def test_a_task_that_somebody_took_is_not_paged_about_until_the_last_days(
    filled: Someone, desk: Desk, live_until: Live, twilio: FakeTwilio, nurse_takes: Callable[[int], None]
) -> None:
    live_until(on(EMPTY - timedelta(days=14)))
    nurse_takes(desk.tasks(TaskKind.SUPPLY)[0].id)
    live_until(on(EMPTY - timedelta(days=4)))
    assert to(ON_CALL, twilio) == []
    [task] = desk.tasks(TaskKind.SUPPLY)
    assert task.acknowledged_at is not None  # whoever has it keeps it, and reads how few days are left
    assert task.reason.startswith("7 days")
    live_until(on(EMPTY - timedelta(days=3)))
    assert to(ON_CALL, twilio)


def test_a_visit_close_to_empty_is_guarded_by_a_person(filled: Someone, desk: Desk, live_until: Live) -> None:
    desk.books(filled, on(PLAN_BY))
    live_until(on(EMPTY - timedelta(days=14)))
    [task] = desk.tasks(TaskKind.SUPPLY)
    assert "the visit leaves 8 days of drug behind it" in task.reason


def test_a_cancelled_visit_brings_back_what_it_had_made_needless(filled: Someone, desk: Desk, live_until: Live) -> None:
    visit = desk.books(filled, on(EMPTY - timedelta(days=11)))
    live_until(on(EMPTY - timedelta(days=12)))
    assert desk.tasks(TaskKind.SUPPLY) == []
    desk.cancels(visit)
    live_until(on(EMPTY - timedelta(days=12)) + timedelta(minutes=1))
    [task] = desk.tasks(TaskKind.SUPPLY)
    assert task.reason.startswith("12 days of drug left")


@pytest.mark.parametrize("good", ["books", "fills", "attends"])
def test_booking_in_time_or_a_refill_stops_everything_at_once(
    good: str, filled: Someone, desk: Desk, live_until: Live, clock: FrozenClock, twilio: FakeTwilio
) -> None:
    visit = desk.books(filled, on(EMPTY - timedelta(days=8)), late_reason="no earlier slot") if good == "attends" else 0
    live_until(on(EMPTY - timedelta(days=14)))
    assert desk.tasks(TaskKind.SUPPLY)
    match good:
        case "books":
            desk.books(filled, on(EMPTY - timedelta(days=11)))
        case "fills":
            desk.fills(filled)
        case _:
            desk.attends(visit)
    assert desk.tasks(TaskKind.SUPPLY, TaskKind.ALERT, TaskKind.MISSED_REFILL) == []
    before = len(to(ON_CALL, twilio))
    if good != "books":
        live_until(clock() + timedelta(days=16))
        assert desk.tasks(TaskKind.SUPPLY, TaskKind.ALERT) == []
        assert len(to(ON_CALL, twilio)) == before


def test_a_digit_after_asking_to_book_has_a_nurse_call(
    filled: Someone, desk: Desk, live_until: Live, texts: Callable[..., Received]
) -> None:
    live_until(on(PLAN_BY - timedelta(days=28)))
    [reply] = texts(filled.phone, "1").replies
    assert reply.body.startswith("Thank you. A nurse will call you to book the visit.")
    [task] = desk.tasks(TaskKind.RESCHEDULE)
    assert (task.reason, task.patient_id) == ("wants to book a visit: call", filled.id)


def test_asking_to_book_gives_way_to_other_texts(
    filled: Someone, desk: Desk, live_until: Live, twilio: FakeTwilio, owed: Callable[..., int], clock: FrozenClock
) -> None:
    live_until(on(PLAN_BY - timedelta(days=28), 14))
    owed(filled, "A reminder of something.", purpose=Purpose.REMINDER)
    live_until(on(PLAN_BY - timedelta(days=26)))
    asked = [text for text in to(filled.phone, twilio) if "time to book" in text.body]
    assert days(asked) == [PLAN_BY - timedelta(days=27)]
    assert "gives way" not in {step.reason for step in desk.steps(filled)}


def test_planning_again_changes_nothing(filled: Someone, desk: Desk, live_until: Live, clock: FrozenClock) -> None:
    for at in (on(PLAN_BY - timedelta(days=20)), on(EMPTY - timedelta(days=10)), on(EMPTY - timedelta(days=2))):
        live_until(at)
        before = [(s.id, s.key, s.due_at, s.state, s.reason) for s in desk.steps(filled)]
        tasks = [(t.id, t.version, t.reason) for t in desk.tasks()]
        plan_care(desk.line, clock())
        plan_care(desk.line, clock())
        live_until(at + timedelta(minutes=1))
        assert [(s.id, s.key, s.due_at, s.state, s.reason) for s in desk.steps(filled)] == before
        assert [(t.id, t.version, t.reason) for t in desk.tasks()] == tasks


def test_a_pump_that_by_the_record_ran_dry_before_we_knew_it_is_looked_at_and_nobody_is_paged(
    desk: Desk, maria: Someone, live_until: Live, twilio: FakeTwilio
) -> None:
    desk.fills(maria, days_ago=150)
    live_until(MONDAY + timedelta(days=3))
    [task] = desk.tasks(TaskKind.SUPPLY)
    assert (
        task.reason
        == "by the record this pump ran dry before it was entered here: call today, and record the last refill"
    )
    assert twilio.accepted == []


def test_who_enters_with_a_few_days_left_is_acted_on_at_once(
    desk: Desk, maria: Someone, live_until: Live, twilio: FakeTwilio
) -> None:
    desk.fills(maria, days_ago=81)
    live_until(MONDAY + timedelta(minutes=2))
    [task] = desk.tasks(TaskKind.SUPPLY)
    assert task.reason.startswith("5 days of drug left")
    assert desk.tasks(TaskKind.ALERT)  # later than nine days, and nobody has it


def test_a_visit_after_the_plan_by_date_needs_a_reason_and_is_not_saved_without(filled: Someone, desk: Desk) -> None:
    late = on(PLAN_BY + timedelta(days=2))
    with pytest.raises(Refused, match="2 days after the plan-by date, 09-Feb-2027") as refused:
        desk.books(filled, late)
    assert refused.value.kind == "late"
    visit = desk.books(filled, late, late_reason="the only slot of the specialist")
    assert desk.visit(visit).late_reason == "the only slot of the specialist"
    assert desk.tasks(TaskKind.LATE_BOOKING) == []
    with pytest.raises(Refused, match="3 days after"):
        desk.moves(visit, late + timedelta(days=1))
    desk.moves(visit, on(PLAN_BY))
    assert desk.visit(visit).late_reason is None


def test_a_visit_that_a_higher_dose_makes_late_is_flagged_at_once(filled: Someone, desk: Desk) -> None:
    from decimal import Decimal

    from app.actions.change_program import change_program
    from app.actions.programs import Entry

    visit = desk.books(filled, on(PLAN_BY))
    change_program(desk.line, filled.id, Entry(Decimal(2000), Decimal(2), Decimal(480)), FILLED, desk.clock(), "test")
    [task] = desk.tasks(TaskKind.LATE_BOOKING)
    assert task.subject == f"appointment:{visit}"
    assert task.reason.startswith("booked 13 days after the plan-by date")
    desk.moves(visit, on(PLAN_BY - timedelta(days=14)))
    assert desk.tasks(TaskKind.LATE_BOOKING) == []


def test_a_pump_that_nobody_knows_the_dates_of_is_asked_about_where_no_visit_is_booked(
    maria: Someone, desk: Desk, clock: FrozenClock
) -> None:
    plan_care(desk.line, clock())
    [task] = desk.tasks()
    assert task.kind is TaskKind.RECORD_REFILL
    assert task.reason.startswith("nobody knows until when this pump holds drug, and no visit is booked")
    desk.fills(maria, days_ago=5)
    assert desk.tasks() == []


def test_a_refill_written_down_for_friday_is_that_of_the_visit_marked_on_monday(
    maria: Someone, desk: Desk, live_until: Live
) -> None:
    desk.fills(maria, days_ago=3)
    visit = desk.books(maria, MONDAY + timedelta(hours=1))
    desk.attends(visit)
    empty = EMPTY - timedelta(days=3)
    live_until(on(empty - timedelta(days=14)))
    [task] = desk.tasks(TaskKind.SUPPLY)
    assert task.reason.startswith("14 days of drug left by the early edge, no visit is booked in time: call")


def test_a_visit_whose_volumes_nobody_records_quiets_the_dates_for_two_weeks_and_no_longer(
    filled: Someone, desk: Desk, live_until: Live, twilio: FakeTwilio, clock: FrozenClock
) -> None:
    seen = EMPTY - timedelta(days=10)
    visit = desk.books(filled, on(seen))
    live_until(on(seen))
    desk.attends(visit)
    live_until(on(seen + timedelta(days=13)))
    plan_care(desk.line, clock())  # the scheduler does this every six hours
    assert desk.tasks(TaskKind.SUPPLY) == []
    assert to(ON_CALL, twilio) == []
    live_until(on(seen + timedelta(days=14)))
    plan_care(desk.line, clock())
    live_until(on(seen + timedelta(days=15)))
    [alert] = desk.tasks(TaskKind.ALERT)
    assert "the volumes never recorded" in alert.reason
    assert to(ON_CALL, twilio)
    asked = [text for text in to(filled.phone, twilio) if text.made_at > on(seen)]
    assert not [text for text in asked if "book" in text.body or "call us" in text.body.lower()]
    desk.fills(filled)
    assert desk.tasks(TaskKind.RECORD_REFILL) == []
