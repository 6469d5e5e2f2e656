"""A refill visit passes without word: guidance, a nurse at once, again next morning, until it is made good."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from flask.testing import FlaskClient

from app.actions.plan_reminders import plan_reminders
from app.actions.receive_text import Received
from app.db.care import AppointmentState
from app.db.messages import Purpose
from app.db.work import TaskKind
from tests.conftest import Desk, FrozenClock, Someone
from tests.fakes.twilio_server import FakeTwilio, Message

VISIT = datetime(2026, 11, 24, 15, 30, tzinfo=UTC)  # tomorrow, 10:30 in New York
NOTICED = VISIT + timedelta(minutes=60)
NEXT_MORNING = datetime(2026, 11, 25, 14, 0, tzinfo=UTC)  # 9:00

Live = Callable[[datetime], None]
Beat = Callable[[], None]


def guidance(twilio: FakeTwilio) -> list[Message]:
    """What was sent about the miss itself. What kept the patient is asked too, and after the refill how they are."""
    asked = ("what kept you from coming?", "how are you since your visit?")
    return [text for text in twilio.accepted if not any(words in text.body.lower() for words in asked)]


@pytest.fixture
def missed(maria: Someone, desk: Desk, live_until: Live, twilio: FakeTwilio) -> int:
    """Maria's visit, just noticed as missed; what was sent before is forgotten."""
    visit = desk.books(maria, VISIT)
    live_until(NOTICED - timedelta(seconds=1))
    twilio.accepted.clear()
    live_until(NOTICED)
    return visit


def test_a_missed_refill_is_noticed_after_an_hour_with_guidance_and_a_nurse_at_once(
    twilio: FakeTwilio, maria: Someone, desk: Desk, missed: int
) -> None:
    [text] = twilio.accepted
    assert (text.to, text.made_at) == (maria.phone, NOTICED)
    assert text.body.startswith("Northgate Pump Clinic: we missed you on Tue Nov 24. Call 614-555-0100 today")
    assert desk.messages(Purpose.MISSED)[0].text_id == "answer:missed-refill"
    [task] = desk.tasks()
    assert (task.kind, task.patient_id, task.opened_at) == (TaskKind.MISSED_REFILL, maria.id, NOTICED)


def test_nothing_is_missed_within_the_hour(twilio: FakeTwilio, maria: Someone, desk: Desk, live_until: Live) -> None:
    visit = desk.books(maria, VISIT)
    live_until(NOTICED - timedelta(seconds=1))
    assert desk.visit(visit).state is AppointmentState.BOOKED
    assert [task.kind for task in desk.tasks()] == [TaskKind.UNCONFIRMED]  # since noon the day before


def test_the_guidance_comes_once_more_the_next_morning_and_then_no_more(
    twilio: FakeTwilio, missed: int, live_until: Live
) -> None:
    live_until(NEXT_MORNING + timedelta(days=10))
    assert [text.made_at for text in guidance(twilio)] == [NOTICED, NEXT_MORNING]
    assert guidance(twilio)[1].body == guidance(twilio)[0].body


def test_more_after_the_guidance_goes_on_about_it(
    missed: int, maria: Someone, desk: Desk, texts: Callable[..., Received]
) -> None:
    texts(maria.phone, "MORE")
    assert desk.messages(Purpose.REPLY)[-1].text_id == "more:missed-refill"


def test_marking_the_visit_attended_stops_everything(
    twilio: FakeTwilio, desk: Desk, missed: int, live_until: Live
) -> None:
    desk.attends(missed)
    live_until(NEXT_MORNING + timedelta(days=2))
    assert len(guidance(twilio)) == 1
    assert desk.tasks() == []


def test_booking_again_stops_the_texts_and_leaves_the_task_to_a_nurse(
    twilio: FakeTwilio, maria: Someone, desk: Desk, missed: int, live_until: Live
) -> None:
    desk.books(maria, VISIT + timedelta(days=200))
    live_until(NEXT_MORNING + timedelta(days=2))
    assert len(guidance(twilio)) == 1
    assert [task.kind for task in desk.tasks()] == [TaskKind.MISSED_REFILL]  # the new day may be too far off


@pytest.mark.parametrize("made_good", ["booked again", "attended another visit"])
def test_the_nightly_planning_does_not_bring_back_what_was_made_good(
    made_good: str, twilio: FakeTwilio, maria: Someone, desk: Desk, missed: int, live_until: Live, clock: FrozenClock
) -> None:
    clock.forward(minutes=30)
    again = desk.books(maria, VISIT + timedelta(days=200))
    if made_good != "booked again":
        desk.attends(again)
    report = plan_reminders(desk.line, clock())
    assert (report.added, report.retimed) == (0, 0)
    live_until(NEXT_MORNING + timedelta(days=2))
    assert len(guidance(twilio)) == 1


def test_guidance_that_was_not_delivered_is_not_repeated_to_someone_booked_again(
    twilio: FakeTwilio, client: FlaskClient, maria: Someone, desk: Desk, missed: int, live_until: Live
) -> None:
    twilio.report(twilio.accepted[0], "undelivered", 30003, app=client)
    desk.books(maria, VISIT + timedelta(days=200))
    live_until(NEXT_MORNING)
    assert len(guidance(twilio)) == 1


def test_moving_the_missed_visit_stops_the_texts_and_the_task(
    twilio: FakeTwilio, desk: Desk, missed: int, live_until: Live
) -> None:
    desk.moves(missed, VISIT + timedelta(days=200))
    live_until(NEXT_MORNING + timedelta(days=2))
    assert len(guidance(twilio)) == 1
    assert desk.tasks() == []


def test_undelivered_guidance_is_a_nurses_task_at_once_although_it_is_tried_again(
    twilio: FakeTwilio, client: FlaskClient, maria: Someone, desk: Desk, missed: int, live_until: Live
) -> None:
    twilio.report(twilio.accepted[0], "undelivered", 30003, app=client)
    assert [task.patient_id for task in desk.tasks(TaskKind.UNDELIVERED)] == [maria.id]
    live_until(NOTICED + timedelta(minutes=30))
    assert len(guidance(twilio)) == 2


def test_a_visit_late_in_the_day_is_texted_about_the_next_morning_and_the_nurse_knows_at_once(
    twilio: FakeTwilio, maria: Someone, desk: Desk, live_until: Live
) -> None:
    evening = datetime(2026, 11, 25, 1, 30, tzinfo=UTC)  # 20:30: noticed at 21:30
    desk.books(maria, evening)
    live_until(evening)
    twilio.accepted.clear()
    live_until(evening + timedelta(minutes=60))
    assert [task.kind for task in desk.tasks()] == [TaskKind.MISSED_REFILL]
    assert twilio.accepted == []
    live_until(evening + timedelta(days=2))
    times = [f"{text.made_at.astimezone(ZoneInfo('America/New_York')):%d %H:%M}" for text in guidance(twilio)]
    assert times == ["25 08:00"]


def test_a_nurse_may_mark_a_visit_missed_before_the_hour_is_over(
    twilio: FakeTwilio, maria: Someone, desk: Desk, live_until: Live
) -> None:
    visit = desk.books(maria, VISIT)
    live_until(VISIT + timedelta(minutes=10))
    twilio.accepted.clear()
    desk.misses(visit)
    assert [task.kind for task in desk.tasks()] == [TaskKind.MISSED_REFILL]
    live_until(NOTICED)
    assert [text.made_at for text in twilio.accepted] == [NOTICED]


def test_an_opted_out_patient_who_missed_a_refill_is_called(
    twilio: FakeTwilio, maria: Someone, desk: Desk, live_until: Live, texts: Callable[..., Received]
) -> None:
    desk.books(maria, VISIT)
    texts(maria.phone, "STOP")
    live_until(NOTICED)
    assert twilio.accepted == []
    assert {task.kind for task in desk.tasks()} == {TaskKind.MISSED_REFILL, TaskKind.CALL_INSTEAD}


def test_an_attended_visit_is_never_missed(twilio: FakeTwilio, maria: Someone, desk: Desk, live_until: Live) -> None:
    visit = desk.books(maria, VISIT)
    live_until(VISIT + timedelta(minutes=20))
    twilio.accepted.clear()
    desk.attends(visit)
    live_until(VISIT + timedelta(days=3))
    assert guidance(twilio) == []
    assert desk.tasks() == []
