"""An urgent text: words first, then a nurse, until somebody has it."""

from collections.abc import Callable
from datetime import UTC, datetime

import pytest
from flask.testing import FlaskClient

from app.actions.receive_text import Received
from app.db.messages import InboundMessage, Purpose
from app.db.people import Clinic, Phone
from app.db.work import TaskKind, TaskState, TaskText
from app.domain.delivery import DeliveryState
from tests.conftest import Desk, FrozenClock, Someone
from tests.fakes.twilio_server import FakeTwilio, Message
from tests.journeys.conftest import ON_CALL

STRANGER = "+16145550177"
NIGHT = datetime(2026, 11, 24, 8, 0, tzinfo=UTC)  # 3 a.m. in New York

Text = Callable[..., Received]
Beat = Callable[[], None]
Pages = Callable[[], list[Message]]


@pytest.mark.parametrize("who", ["known", "unknown", "opted out"])
def test_an_alarm_at_3_a_m_is_answered_raised_and_paged_at_once(
    who: str,
    twilio: FakeTwilio,
    client: FlaskClient,
    maria: Someone,
    desk: Desk,
    clock: FrozenClock,
    beat: Beat,
    pages: Pages,
) -> None:
    phone = STRANGER if who == "unknown" else maria.phone
    if who == "opted out":
        twilio.deliver(client, phone, "STOP")
    clock.to(NIGHT)
    [said] = twilio.deliver(client, phone, "ALARM").texts
    assert "Call us now, day or night: 614-555-0100" in said[:70]
    assert said.endswith("We are alerting a nurse.")
    [alert] = desk.tasks(TaskKind.ALERT)
    assert (alert.state, alert.category, alert.patient_id) == (
        TaskState.OPEN,
        "alarm",
        None if who == "unknown" else maria.id,
    )
    beat()
    [page] = pages()
    assert page.body == f"Pumpline: urgent alert {alert.code}. Reply {alert.code} to take it, or open " + (
        "https://pumpline.test/staff/"
    )


def test_nobody_acknowledges_so_the_on_call_phone_is_paged_every_five_minutes(
    texts: Text, maria: Someone, clock: FrozenClock, beat: Beat, pages: Pages
) -> None:
    texts(maria.phone, "ALARM")
    beat()
    for minutes in (4, 1, 4, 1):
        clock.forward(minutes=minutes)
        beat()
    assert [page.made_at.minute for page in pages()] == [0, 5, 10]
    assert "still waits, text 3" in pages()[-1].body


def test_pages_stop_when_the_on_call_phone_replies_with_the_code(
    texts: Text, twilio: FakeTwilio, client: FlaskClient, maria: Someone, desk: Desk, clock: FrozenClock, beat: Beat
) -> None:
    texts(maria.phone, "ALARM")
    beat()
    [alert] = desk.tasks()
    [said] = twilio.deliver(client, ON_CALL, f" {alert.code}, thanks").texts
    assert said == f"Alert {alert.code} is yours. Open https://pumpline.test/staff/"
    clock.forward(minutes=30)
    beat()
    assert len([message for message in twilio.accepted if message.to == ON_CALL]) == 1
    assert [task.state for task in desk.tasks()] == [TaskState.ACKNOWLEDGED]


def test_a_second_page_still_waiting_is_taken_back_by_the_code_of_the_first(
    texts: Text, twilio: FakeTwilio, maria: Someone, desk: Desk, clock: FrozenClock, beat: Beat, pages: Pages
) -> None:
    texts(maria.phone, "ALARM")
    beat()
    clock.forward(minutes=5)
    twilio.refuse(429, 20429)
    beat()
    texts(ON_CALL, desk.tasks(TaskKind.ALERT)[0].code)
    clock.forward(minutes=2)
    beat()
    assert len(pages()) == 1


def test_a_stranger_who_sends_the_code_stops_nothing(
    texts: Text, maria: Someone, desk: Desk, clock: FrozenClock, beat: Beat, pages: Pages
) -> None:
    texts(maria.phone, "ALARM")
    beat()
    alert = desk.tasks()[0]
    texts(STRANGER, alert.code)
    texts(maria.phone, alert.code)
    clock.forward(minutes=5)
    beat()
    assert len(pages()) == 2
    assert desk.tasks(TaskKind.ALERT)[0].state is TaskState.OPEN


def test_a_code_nobody_waits_for_is_said_to_be_none_and_makes_no_work(texts: Text, desk: Desk) -> None:
    [reply] = texts(ON_CALL, "1234").replies
    assert reply.body == "No open alert has that code. Open https://pumpline.test/staff/"
    assert desk.tasks() == []


def test_pages_stop_when_a_nurse_acknowledges_in_the_staff_page(
    texts: Text,
    maria: Someone,
    desk: Desk,
    clock: FrozenClock,
    beat: Beat,
    pages: Pages,
    acknowledges: Callable[[int], None],
) -> None:
    texts(maria.phone, "ALARM")
    beat()
    acknowledges(desk.tasks()[0].id)
    clock.forward(minutes=30)
    beat()
    assert len(pages()) == 1


def test_a_page_that_has_not_left_is_taken_back_when_somebody_acknowledges(
    texts: Text, maria: Someone, desk: Desk, beat: Beat, pages: Pages, acknowledges: Callable[[int], None]
) -> None:
    texts(maria.phone, "ALARM")
    acknowledges(desk.tasks()[0].id)
    beat()
    assert pages() == []
    assert [message.state for message in desk.messages(Purpose.PAGE)] == [DeliveryState.WITHDRAWN]


def test_one_phone_has_one_open_alert_and_every_further_text_is_added_to_it(
    texts: Text, maria: Someone, desk: Desk, clock: FrozenClock
) -> None:
    texts(maria.phone, "ALARM")
    clock.forward(minutes=3)
    texts(maria.phone, "I can't breathe")
    [alert] = desk.tasks()
    assert (alert.category, alert.raised_at, alert.opened_at) == ("breathing", clock(), clock.at.replace(minute=0))
    assert len(desk.rows(TaskText, TaskText.task_id == alert.id)) == len(desk.rows(InboundMessage)) == 2


def test_two_phones_have_an_alert_each_with_different_codes(texts: Text, maria: Someone, desk: Desk) -> None:
    texts(maria.phone, "ALARM")
    texts(STRANGER, "ALARM")
    codes = [alert.code for alert in desk.tasks()]
    assert len(set(codes)) == 2


def test_a_further_urgent_text_pages_at_once_but_not_twice_in_a_minute(
    texts: Text, maria: Someone, clock: FrozenClock, beat: Beat, pages: Pages
) -> None:
    for seconds in (0, 20, 60):
        clock.forward(seconds=seconds)
        texts(maria.phone, "ALARM")
        beat()
    assert [page.made_at.minute * 60 + page.made_at.second for page in pages()] == [0, 80]


def test_an_urgent_text_after_the_acknowledgement_pages_again_under_a_new_code(
    texts: Text, maria: Someone, desk: Desk, clock: FrozenClock, beat: Beat, pages: Pages
) -> None:
    texts(maria.phone, "ALARM")
    beat()
    before = desk.tasks()[0]
    texts(ON_CALL, before.code)
    clock.forward(seconds=10)
    texts(maria.phone, "It is still beeping")
    beat()
    [after] = desk.tasks(TaskKind.ALERT)
    assert (after.id, after.state, after.acknowledged_at) == (before.id, TaskState.OPEN, None)
    assert after.code != before.code
    assert str(after.code) in pages()[-1].body
    assert len(pages()) == 2


def test_a_clinic_without_an_on_call_phone_raises_the_alert_and_claims_nothing(
    texts: Text, twilio: FakeTwilio, maria: Someone, desk: Desk, clinic: Clinic, clock: FrozenClock, beat: Beat
) -> None:
    desk.change(Clinic, clinic.id, on_call_phone=None)
    [reply] = texts(maria.phone, "ALARM").replies
    for _ in range(3):
        beat()
        clock.forward(minutes=5)
    assert "alert" not in reply.body
    assert reply.body.endswith('say "baclofen pump".')
    assert [task.kind for task in desk.tasks()] == [TaskKind.ALERT]
    assert twilio.accepted == []


def test_no_nurse_is_claimed_where_the_on_call_phone_has_opted_out(texts: Text, maria: Someone, desk: Desk) -> None:
    texts(ON_CALL, "STOP")
    [reply] = texts(maria.phone, "ALARM").replies
    assert "alert" not in reply.body


def test_a_page_says_nothing_about_the_patient(texts: Text, maria: Someone, beat: Beat, pages: Pages) -> None:
    texts(maria.phone, "I am Maria Lopez and my pump is beeping")
    beat()
    assert not any(word in pages()[0].body.lower() for word in ("maria", "lopez", "beep", "pump ", maria.phone[2:]))


def test_a_page_that_cannot_be_sent_is_a_nurses_task_and_comes_again(
    texts: Text, twilio: FakeTwilio, maria: Someone, desk: Desk, clock: FrozenClock, beat: Beat, pages: Pages
) -> None:
    twilio.refuse(429, 20429)
    texts(maria.phone, "ALARM")
    beat()
    assert [task.reason for task in desk.tasks(TaskKind.UNDELIVERED)] == [
        "a page to the on-call phone failed: Twilio asked us to slow down"
    ]
    clock.forward(minutes=1)
    beat()
    assert len(pages()) == 1


def test_an_alarm_is_answered_even_where_the_clinics_reminder_hours_make_no_sense(
    texts: Text, maria: Someone, desk: Desk, clinic: Clinic, beat: Beat, pages: Pages
) -> None:
    desk.change(Clinic, clinic.id, ladder_days=[])
    assert texts(maria.phone, "ALARM").replies
    beat()
    assert len(pages()) == 1


def test_an_urgent_text_that_also_asks_to_stop_is_answered_first_and_then_obeyed(
    texts: Text, maria: Someone, desk: Desk
) -> None:
    first = texts(maria.phone, "stop texting me I can't breathe").replies[0]
    assert first.urgent
    assert first.body.startswith("Call 911 now")
    assert {task.kind for task in desk.tasks()} == {TaskKind.ALERT, TaskKind.CALL_INSTEAD}
    assert desk.rows(Phone, Phone.id == maria.phone_id)[0].opted_out_at


def test_more_after_an_alarm_goes_on_about_the_alarm(texts: Text, maria: Someone, desk: Desk) -> None:
    texts(maria.phone, "ALARM")
    texts(maria.phone, "MORE")
    assert desk.messages(Purpose.REPLY)[-1].text_id == "more:alarm"


def test_a_failed_emergency_answer_is_a_nurses_task_at_once(
    twilio: FakeTwilio, client: FlaskClient, maria: Someone, desk: Desk
) -> None:
    twilio.deliver(client, maria.phone, "ALARM")
    twilio.report(twilio.replied[0], "undelivered", 30006, app=client)
    assert [task.patient_id for task in desk.tasks(TaskKind.UNDELIVERED)] == [maria.id]


def test_a_milder_text_after_a_worse_one_leaves_the_worse_in_view(
    maria: Someone, desk: Desk, texts: Callable[..., Received]
) -> None:
    texts(maria.phone, "I can't breathe")
    texts(maria.phone, "the wound is red")
    [alert] = desk.tasks()
    assert alert.category == "breathing"
