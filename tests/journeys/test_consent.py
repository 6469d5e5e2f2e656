"""Opting out and in: at once, in any words, and a history of who, when, how."""

from collections.abc import Callable
from datetime import UTC, datetime

import pytest
from flask.testing import FlaskClient

from app.actions.receive_text import Received
from app.db.messages import Purpose
from app.db.people import ConsentEvent, ConsentKind, Phone
from app.db.work import TaskKind
from app.domain.delivery import DeliveryState
from tests.conftest import Desk, FrozenClock, Someone
from tests.fakes.twilio_server import FakeTwilio

VISIT = datetime(2026, 12, 17, 15, 30, tzinfo=UTC)
FIRST = datetime(2026, 12, 3, 15, 0, tzinfo=UTC)

Text = Callable[..., Received]
Beat = Callable[[], None]


def opted_out(desk: Desk, someone: Someone) -> bool:
    return desk.rows(Phone, Phone.id == someone.phone_id)[0].opted_out_at is not None


WAYS_OUT = ["STOP", "stop", "Stop.", "STOPALL", "stop all", "UNSUBSCRIBE", "Cancel", "END", "quit", "REVOKE", "OPTOUT"]
WAYS_OUT += ["opt out", "sotp", "ARRET", "please stop texting me", "no more texts", "Take me off this list", "STOP!!!"]


@pytest.mark.parametrize("words", WAYS_OUT)
def test_every_spelling_of_stop_opts_out_with_one_neutral_answer(
    words: str, texts: Text, maria: Someone, desk: Desk, clock: FrozenClock
) -> None:
    [reply] = texts(maria.phone, words).replies
    assert reply.body.startswith("Northgate Pump Clinic: you will get no more texts from us.")
    assert opted_out(desk, maria)
    [event] = desk.rows(ConsentEvent)
    assert (event.phone_id, event.kind, event.at, event.source, event.words) == (
        maria.phone_id,
        ConsentKind.OPT_OUT,
        clock(),
        "text",
        words,
    )
    assert [(task.kind, task.patient_id) for task in desk.tasks()] == [(TaskKind.CALL_INSTEAD, maria.id)]


@pytest.mark.parametrize("words", ["stop the pain", "My pump will not stop", "when does the visit end?"])
def test_a_sentence_with_the_word_in_it_opts_nobody_out(words: str, texts: Text, maria: Someone, desk: Desk) -> None:
    texts(maria.phone, words)
    assert not opted_out(desk, maria)


def test_the_second_stop_is_recorded_and_not_answered(texts: Text, maria: Someone, desk: Desk) -> None:
    texts(maria.phone, "STOP")
    assert texts(maria.phone, "STOP").replies == ()
    assert len(desk.rows(ConsentEvent)) == 2


def test_where_the_carrier_answers_stop_itself_we_say_nothing(texts: Text, maria: Someone, desk: Desk) -> None:
    object.__setattr__(desk.line, "carrier_confirms_opt_out", True)  # as PUMPLINE_OPT_OUT_REPLY=carrier
    assert texts(maria.phone, "STOP").replies == ()
    assert opted_out(desk, maria)


def test_where_the_carrier_answers_stop_itself_we_still_answer_words_it_does_not_know(
    texts: Text, maria: Someone, desk: Desk
) -> None:
    object.__setattr__(desk.line, "carrier_confirms_opt_out", True)
    assert len(texts(maria.phone, "please stop texting me").replies) == 1


@pytest.mark.parametrize("words", ["BASTAYA", "TRAVEL", ""])
def test_what_the_carrier_took_as_stop_counts_whatever_we_would_have_read(
    words: str, twilio: FakeTwilio, client: FlaskClient, maria: Someone, desk: Desk
) -> None:
    twilio.deliver(client, maria.phone, words, OptOutType="STOP")
    assert opted_out(desk, maria)


def test_an_urgent_text_that_the_carrier_took_as_stop_is_both(
    twilio: FakeTwilio, client: FlaskClient, maria: Someone, desk: Desk
) -> None:
    said = twilio.deliver(client, maria.phone, "ALARM", OptOutType="STOP").texts
    assert said[0].startswith("Call us now")
    assert opted_out(desk, maria)
    assert {task.kind for task in desk.tasks()} == {TaskKind.ALERT, TaskKind.CALL_INSTEAD}


@pytest.mark.parametrize(("words", "kind"), [("START", "START"), ("unstop", None), ("Start", None), ("ALTA", "START")])
def test_start_opts_in_again_and_texts_flow(
    words: str,
    kind: str | None,
    twilio: FakeTwilio,
    client: FlaskClient,
    maria: Someone,
    desk: Desk,
    clock: FrozenClock,
    beat: Beat,
) -> None:
    desk.books(maria, VISIT)
    twilio.deliver(client, maria.phone, "STOP")
    clock.forward(days=1)
    [said] = twilio.deliver(client, maria.phone, words, **({"OptOutType": kind} if kind else {})).texts
    assert said.startswith("Northgate Pump Clinic: you will get our texts again.")
    assert [(event.kind, event.words) for event in desk.rows(ConsentEvent)] == [
        (ConsentKind.OPT_OUT, "STOP"),
        (ConsentKind.OPT_IN, words),
    ]
    assert desk.tasks() == []
    clock.to(FIRST)
    beat()
    assert len(twilio.accepted) == 1


def test_help_is_answered_although_opted_out(texts: Text, maria: Someone) -> None:
    texts(maria.phone, "STOP")
    assert len(texts(maria.phone, "HELP").replies) == 1


def test_a_question_of_someone_opted_out_is_not_answered_but_a_nurse_is_asked_to_call(
    texts: Text, maria: Someone, desk: Desk
) -> None:
    texts(maria.phone, "STOP")
    assert texts(maria.phone, "TRAVEL").replies == ()
    assert {task.subject for task in desk.tasks(TaskKind.CALL_INSTEAD)} == {
        f"patient:{maria.id}",
        f"phone:{maria.phone_id}",
    }


def test_a_reminder_already_queued_is_taken_back_by_stop(
    twilio: FakeTwilio, texts: Text, maria: Someone, desk: Desk, clock: FrozenClock, beat: Beat
) -> None:
    desk.books(maria, VISIT)
    clock.to(FIRST)
    twilio.refuse(429, 20429)
    beat()
    texts(maria.phone, "STOP")
    clock.forward(hours=2)
    beat()
    assert twilio.accepted == []
    assert [(m.state, m.reason) for m in desk.messages(Purpose.REMINDER)] == [(DeliveryState.WITHDRAWN, "opted out")]


def test_a_lost_reminder_is_not_sent_again_to_someone_who_opted_out_meanwhile(
    twilio: FakeTwilio, texts: Text, maria: Someone, desk: Desk, clock: FrozenClock, beat: Beat
) -> None:
    desk.books(maria, VISIT)
    clock.to(FIRST)
    twilio.hang_up(after_accepting=False)
    beat()
    texts(maria.phone, "STOP")
    for _ in range(4):
        clock.forward(minutes=2)
        beat()
    assert twilio.accepted == []


def test_a_refusal_as_opted_out_is_recorded_and_becomes_a_nurses_task(
    twilio: FakeTwilio, maria: Someone, desk: Desk, clock: FrozenClock, beat: Beat
) -> None:
    twilio.opted_out.add(maria.phone)
    desk.books(maria, VISIT)
    clock.to(FIRST)
    beat()
    assert opted_out(desk, maria)
    assert [(event.kind, event.source) for event in desk.rows(ConsentEvent)] == [(ConsentKind.OPT_OUT, "carrier")]
    assert [(m.state, m.error_code) for m in desk.messages()] == [(DeliveryState.REFUSED, 21610)]
    assert [task.kind for task in desk.tasks()] == [TaskKind.UNDELIVERED]
    clock.forward(days=7)
    beat()
    assert len(desk.messages()) == 1


def test_a_status_that_says_opted_out_is_recorded_and_becomes_a_nurses_task(
    twilio: FakeTwilio, client: FlaskClient, maria: Someone, desk: Desk
) -> None:
    twilio.deliver(client, maria.phone, "TRAVEL")
    twilio.report(twilio.replied[0], "failed", 21610, app=client)
    assert opted_out(desk, maria)
    assert [task.kind for task in desk.tasks()] == [TaskKind.UNDELIVERED]


def test_a_wrong_number_gets_no_more_texts_and_a_nurse_checks_it(
    twilio: FakeTwilio, texts: Text, maria: Someone, desk: Desk, clock: FrozenClock, beat: Beat
) -> None:
    desk.books(maria, VISIT)
    [reply] = texts(maria.phone, "wrong number").replies
    assert reply.body.startswith("Thank you for telling us.")
    assert [task.kind for task in desk.tasks()] == [TaskKind.WRONG_NUMBER]
    clock.to(FIRST)
    beat()
    assert twilio.accepted == []
