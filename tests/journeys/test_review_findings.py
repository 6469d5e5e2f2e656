"""Stories found by reviewers: each went wrong once."""

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta

import pytest
from sqlalchemy import select

from app.actions.book_appointment import book_appointment
from app.actions.cancel_appointment import cancel_appointment
from app.actions.change_clinic import ClinicChange, change_clinic
from app.actions.errors import Refused
from app.actions.line import Line
from app.actions.move_appointment import move_appointment
from app.actions.receive_text import InboundText, Media, Received, receive_text
from app.db.care import Appointment
from app.db.messages import Purpose
from app.db.people import Clinic
from app.db.work import TaskKind
from tests.conftest import Desk, FrozenClock, Someone
from tests.fakes.twilio_server import FakeTwilio

PICTURE = (Media("https://media.example/1", "image/jpeg"),)


def test_yes_to_a_reminder_confirms_although_the_carrier_calls_it_an_opt_in(
    maria: Someone, desk: Desk, line: Line, texts: Callable[..., Received], beat: Callable[[], None], clock: FrozenClock
) -> None:
    visit = book_appointment(line, maria.id, clock() + timedelta(days=3), clock(), "command")
    clock.forward(days=1, minutes=1)
    beat()
    texts(maria.phone, "YES", opt_out_type="START")
    with line.db.read() as session:
        assert session.get_one(Appointment, visit).confirmed_at == clock()


def test_a_picture_under_help_reaches_a_nurse(maria: Someone, desk: Desk, texts: Callable[..., Received]) -> None:
    received = texts(maria.phone, "help", media=PICTURE)
    assert len(received.replies) == 1
    assert [task.kind for task in desk.tasks()] == [TaskKind.MEDIA]


def test_a_picture_from_an_opted_out_phone_reaches_a_nurse_without_an_answer(
    maria: Someone, desk: Desk, texts: Callable[..., Received]
) -> None:
    texts(maria.phone, "STOP")
    assert texts(maria.phone, "look at this", media=PICTURE).replies == ()
    assert TaskKind.MEDIA in [task.kind for task in desk.tasks()]


def test_an_on_call_phone_set_later_is_paged_about_what_already_waits(
    line: Line,
    maria: Someone,
    twilio: FakeTwilio,
    texts: Callable[..., Received],
    beat: Callable[[], None],
    clock: FrozenClock,
) -> None:
    with line.db.begin() as session:
        session.scalars(select(Clinic)).one().on_call_phone = None
    texts(maria.phone, "ALARM")
    beat()
    assert twilio.accepted == []
    change_clinic(line, ClinicChange(on_call_phone="+16145550191"), clock(), "command")
    beat()
    assert [message.to for message in twilio.accepted] == ["+16145550191"]


def test_somebody_with_many_visits_is_asked_about_the_first_few(
    line: Line, maria: Someone, desk: Desk, texts: Callable[..., Received], clock: FrozenClock
) -> None:
    for day in range(52):
        book_appointment(line, maria.id, clock() + timedelta(days=2 + day), clock(), "command")
    texts(maria.phone, "I can't make it")
    assert desk.messages(Purpose.REPLY)[-1].text_id == "text:which_visit"


def test_an_answer_to_an_old_reminder_confirms_no_visit_that_has_moved_since(
    line: Line, maria: Someone, texts: Callable[..., Received], beat: Callable[[], None], clock: FrozenClock
) -> None:
    visit = book_appointment(line, maria.id, clock() + timedelta(days=3), clock(), "command")
    clock.forward(days=1, minutes=1)
    beat()
    move_appointment(line, visit, clock() + timedelta(days=9), clock(), "command")
    texts(maria.phone, "1")
    with line.db.read() as session:
        assert session.get_one(Appointment, visit).confirmed_at is None


def test_cancelling_a_missed_visit_leaves_its_task(
    line: Line, maria: Someone, desk: Desk, beat: Callable[[], None], clock: FrozenClock
) -> None:
    visit = book_appointment(line, maria.id, clock() + timedelta(days=3), clock(), "command")
    clock.forward(days=3, hours=2)
    beat()
    cancel_appointment(line, visit, clock(), "command")
    assert [task.kind for task in desk.tasks()] == [TaskKind.MISSED_REFILL]


def test_a_mistyped_year_is_refused(line: Line, maria: Someone, clock: FrozenClock) -> None:
    with pytest.raises(Refused, match="check the year"):
        book_appointment(line, maria.id, clock() + timedelta(days=3650), clock(), "command")


def test_ok_from_the_on_call_phone_is_asked_for_the_code(
    maria: Someone, desk: Desk, texts: Callable[..., Received]
) -> None:
    texts(maria.phone, "ALARM")
    [reply] = texts("+16145550190", "ok").replies
    assert "4-digit code" in reply.body
    assert len(desk.tasks()) == 1


def test_the_carriers_own_help_is_not_answered_twice(
    maria: Someone, line: Line, texts: Callable[..., Received], clock: FrozenClock
) -> None:
    carrier = replace(line, carrier_confirms_opt_out=True)
    inbound = InboundText("SM" + "9" * 32, maria.phone, "", "HELP", opt_out_type="HELP")
    assert receive_text(carrier, inbound, clock()).replies == ()
