"""What comes in the hours after an urgent text: never silence, never "when we are open", never the wrong door."""

from collections.abc import Callable

import pytest

from app.actions.receive_text import Received
from app.db.messages import Purpose
from app.db.people import Phone
from app.db.work import TaskKind
from tests.conftest import Desk, Someone

Text = Callable[..., Received]


def text_ids(desk: Desk) -> list[str]:
    return [message.text_id for message in desk.messages(Purpose.REPLY)]


@pytest.mark.parametrize("then", ["no tengo con quien hablar", "no one cares", "ok thanks", "what number"])
def test_after_words_of_self_harm_the_crisis_line_is_said_again(
    then: str, texts: Text, maria: Someone, desk: Desk
) -> None:
    texts(maria.phone, "i want to kill myself")
    texts(maria.phone, then)
    assert text_ids(desk) == ["text:urgent_self_harm", "text:urgent_self_harm"]
    assert desk.rows(Phone, Phone.id == maria.phone_id)[0].opted_out_at is None


def test_after_words_of_self_harm_a_stop_is_honoured_behind_the_crisis_line(
    texts: Text, maria: Someone, desk: Desk
) -> None:
    texts(maria.phone, "i want to kill myself")
    texts(maria.phone, "no more texts please")
    assert text_ids(desk)[1:] == ["text:urgent_self_harm", "text:opted_out"]
    assert desk.rows(Phone, Phone.id == maria.phone_id)[0].opted_out_at is not None


@pytest.mark.parametrize("then", ["is anyone there", "nobody answers the phone", "what now"])
def test_after_an_alarm_a_cry_for_somebody_is_told_to_call_now(
    then: str, texts: Text, maria: Someone, desk: Desk
) -> None:
    texts(maria.phone, "my pump is beeping")
    texts(maria.phone, then)
    assert text_ids(desk)[-1] in ("text:triage_call", "text:urgent_vague", "text:urgent_alarm")


def test_after_an_alarm_help_by_its_name_is_still_help(texts: Text, maria: Someone, desk: Desk) -> None:
    texts(maria.phone, "my pump is beeping")
    texts(maria.phone, "HELP")
    assert text_ids(desk)[-1] == "text:help"


@pytest.mark.parametrize("then", ["thats what hes doing right now", "he has some of those", "eso mismo le pasa"])
def test_whoever_has_the_signs_we_listed_is_an_emergency(then: str, texts: Text, maria: Someone, desk: Desk) -> None:
    texts(maria.phone, "What are the signs of withdrawal from intrathecal baclofen?")
    assert desk.tasks(TaskKind.ALERT) == []
    texts(maria.phone, then)
    assert [task.category for task in desk.tasks(TaskKind.ALERT)] == ["withdrawal"]


@pytest.mark.parametrize("then", ["he has none of those", "how do i know if he has that", "ok thanks"])
def test_whoever_has_none_of_the_signs_is_none(then: str, texts: Text, maria: Someone, desk: Desk) -> None:
    texts(maria.phone, "What are the signs of withdrawal from intrathecal baclofen?")
    texts(maria.phone, then)
    assert desk.tasks(TaskKind.ALERT) == []


@pytest.mark.parametrize("asks", ["who is this", "who is this?", "quien habla", "Hola, quién es?"])
def test_a_patient_who_asks_who_we_are_is_told_and_keeps_the_texts(
    asks: str, texts: Text, maria: Someone, desk: Desk
) -> None:
    texts(maria.phone, asks)
    assert text_ids(desk) == ["text:help"]
    assert desk.rows(Phone, Phone.id == maria.phone_id)[0].opted_out_at is None
