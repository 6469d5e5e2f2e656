"""A text in, a reply out."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime

from flask import Flask
from flask.testing import FlaskClient

from app.actions.receive_text import Received
from app.db.messages import InboundMessage, OutboundMessage, Purpose
from app.db.work import TaskKind, TaskText
from app.domain.delivery import DeliveryState
from tests.conftest import Desk, FrozenClock, Someone
from tests.fakes.twilio_server import FakeTwilio

STRANGER = "+16145550177"
HELPED = " Did that help? 1 yes, 2 no"


def test_a_question_is_answered_with_reviewed_words(twilio: FakeTwilio, client: FlaskClient, maria: Someone) -> None:
    [asked] = twilio.deliver(client, maria.phone, "Does the pump make noise?").texts
    [by_keyword] = twilio.deliver(client, maria.phone, "NOISE").texts
    assert asked == by_keyword + HELPED  # asked once a day
    assert "pump" in asked


def test_a_misspelt_keyword_is_answered_like_the_right_one(
    twilio: FakeTwilio, client: FlaskClient, maria: Someone
) -> None:
    [right] = twilio.deliver(client, maria.phone, "TRAVEL").texts
    assert twilio.deliver(client, maria.phone, "Travle, please").texts == [right.removesuffix(HELPED)]


def test_an_answered_question_leaves_no_task(
    twilio: FakeTwilio, client: FlaskClient, maria: Someone, desk: Desk
) -> None:
    twilio.deliver(client, maria.phone, "TRAVEL")
    assert desk.tasks() == []


def test_what_we_do_with_a_text_is_kept_in_plain_words(texts: Callable[..., Received], maria: Someone) -> None:
    said = texts(maria.phone, "TRAVLE").trace
    assert said[0] == "TRAVLE is TRAVEL, two letters swapped"
    assert said[1].startswith("Answer travel, version ")


def test_more_goes_on_about_the_answer_given_last(texts: Callable[..., Received], maria: Someone, desk: Desk) -> None:
    texts(maria.phone, "TRAVEL")
    [more] = texts(maria.phone, "More").replies
    assert desk.messages()[-1].text_id == "more:travel"
    assert more.body == desk.messages()[-1].body


def test_more_is_forgotten_after_a_day(texts: Callable[..., Received], maria: Someone, clock: FrozenClock) -> None:
    texts(maria.phone, "TRAVEL")
    clock.forward(hours=24)
    [reply] = texts(maria.phone, "MORE").replies
    assert reply.body.startswith("There is no more on this.")


def test_more_before_any_question_says_what_to_text(texts: Callable[..., Received]) -> None:
    [reply] = texts(STRANGER, "MORE").replies
    assert "MENU" in reply.body


def test_the_menu_names_a_keyword_of_every_topic_in_a_few_texts(
    texts: Callable[..., Received], maria: Someone, desk: Desk
) -> None:
    replies = texts(maria.phone, "MENU").replies
    said = " ".join(reply.body for reply in replies)
    answers = desk.line.words.library.answers["en"].values()
    assert [answer.topic for answer in answers if not set(answer.keywords) & set(said.replace(".", " ").split())] == []
    assert 2 <= len(replies) <= 4
    assert all(message.segments <= 2 for message in desk.messages())


def test_help_says_who_we_are_what_to_do_in_an_emergency_and_how_to_stop(texts: Callable[..., Received]) -> None:
    [reply] = texts(STRANGER, "help").replies
    for said in ("Northgate Pump Clinic", "614-555-0100", "614-555-0101", "911", "Nobody watches", "text STOP"):
        assert said in reply.body


def test_what_we_do_not_understand_gets_an_honest_answer_and_a_nurse(
    texts: Callable[..., Received], maria: Someone, desk: Desk
) -> None:
    [reply] = texts(maria.phone, "I had pizza with my dog").replies
    assert "A nurse will read this when we are open." in reply.body
    assert "MENU" in reply.body
    [task] = desk.tasks()
    assert (task.kind, task.patient_id, task.phone_id) == (TaskKind.QUESTION, maria.id, maria.phone_id)


def test_several_texts_nobody_understands_are_one_task_with_all_of_them(
    texts: Callable[..., Received], maria: Someone, desk: Desk
) -> None:
    first = texts(maria.phone, "zebra crossing")
    second = texts(maria.phone, "purple umbrella")
    [task] = desk.tasks()
    assert [row.inbound_id for row in desk.rows(TaskText, TaskText.task_id == task.id)] == [
        first.inbound_id,
        second.inbound_id,
    ]


def test_a_picture_reaches_a_nurse_and_is_kept_as_a_reference(
    twilio: FakeTwilio, client: FlaskClient, maria: Someone, desk: Desk
) -> None:
    address = "https://api.twilio.com/2010-04-01/Accounts/AC1/Messages/MM1/Media/ME1"
    [said] = twilio.deliver(client, maria.phone, "", media=[(address, "image/jpeg")]).texts
    assert said.startswith("A nurse will look at your picture")
    assert [task.kind for task in desk.tasks()] == [TaskKind.MEDIA]
    assert address in (desk.rows(InboundMessage)[0].media or "")


def test_a_clinic_that_sends_no_drafts_has_a_nurse_read_instead(
    texts: Callable[..., Received], maria: Someone, desk: Desk
) -> None:
    object.__setattr__(desk.line, "send_drafts", False)  # as PUMPLINE_SEND_DRAFTS=no would have made it
    [reply] = texts(maria.phone, "TRAVEL").replies
    assert reply.body.startswith("A nurse will read this")
    assert [task.kind for task in desk.tasks()] == [TaskKind.QUESTION]


def test_a_clinic_that_sends_no_drafts_still_answers_an_alarm(
    texts: Callable[..., Received], maria: Someone, desk: Desk
) -> None:
    object.__setattr__(desk.line, "send_drafts", False)
    assert texts(maria.phone, "ALARM").replies[0].body.startswith("Call us now")


def test_a_repeated_text_changes_nothing_and_gets_the_same_answer(
    twilio: FakeTwilio, client: FlaskClient, maria: Someone, desk: Desk, clock: FrozenClock
) -> None:
    first = twilio.deliver(client, maria.phone, "ALARM", sid="SM1")
    before = [len(desk.messages()), desk.tasks()[0].version, desk.tasks()[0].pages]
    clock.forward(minutes=2)
    assert twilio.deliver(client, maria.phone, "ALARM", sid="SM1").body == first.body
    assert [len(desk.messages()), desk.tasks()[0].version, desk.tasks()[0].pages] == before
    assert len(desk.rows(InboundMessage)) == 1


def test_sixteen_copies_at_one_instant_are_one_text_one_reply_and_one_alert(
    twilio: FakeTwilio, app: Flask, maria: Someone, desk: Desk
) -> None:
    with ThreadPoolExecutor(16) as pool:
        answers = list(
            pool.map(lambda _: twilio.deliver(app.test_client(), maria.phone, "ALARM", sid="SM1"), range(16))
        )
    assert {answer.status for answer in answers} == {200}
    assert len({answer.body for answer in answers}) == 1
    assert len(desk.rows(InboundMessage)) == 1
    assert [(m.purpose, m.state) for m in desk.rows(OutboundMessage, OutboundMessage.purpose == Purpose.REPLY)] == [
        (Purpose.REPLY, DeliveryState.HANDED_OVER)
    ]
    [alert] = desk.tasks()
    assert (alert.kind, alert.pages) == (TaskKind.ALERT, 1)


def test_a_text_in_the_middle_of_the_night_is_answered_at_once(
    texts: Callable[..., Received], maria: Someone, clock: FrozenClock
) -> None:
    clock.to(datetime(2026, 11, 24, 8, 0, tzinfo=UTC))  # 3 a.m. in New York
    assert texts(maria.phone, "TRAVEL").replies
