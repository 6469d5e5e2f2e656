"""Phones that nobody knows: a person who asks is answered, and nobody earns money by having us text."""

import logging
from collections.abc import Callable
from dataclasses import replace

import pytest
from flask import Flask

from app.actions.line import Line
from app.actions.receive_text import InboundText, Received, receive_text
from app.db.answers_given import _counts
from app.db.work import TaskKind
from app.domain.phone import countries_named
from app.domain.strangers import ANSWERED_ABROAD, FROM_ABROAD, LINE_IS_FULL, WROTE_MUCH, Bounds
from tests.conftest import Desk, FrozenClock, Someone

STRANGER = "+16145550177"
Texts = Callable[..., Received]


def reasons(desk: Desk) -> list[str]:
    return [task.reason for task in desk.tasks()]


def test_a_stranger_gets_ten_answers_a_day_and_then_a_nurse_reads(texts: Texts, desk: Desk, clock: FrozenClock) -> None:
    answered = 0
    for _ in range(30):
        answered += len(texts(STRANGER, "HELP").replies)
        clock.forward(minutes=1)
    assert answered == 10
    assert reasons(desk) == [WROTE_MUCH]
    assert "No answer: this unknown phone was answered often enough today" in texts(STRANGER, "MENU").trace
    assert texts("+16145550178", "HELP").replies  # it is nobody else's bound
    clock.forward(hours=24)
    assert texts(STRANGER, "HELP").replies


def test_an_emergency_is_answered_however_much_was_said_before(texts: Texts, clock: FrozenClock) -> None:
    for _ in range(12):
        texts(STRANGER, "HELP")
    for _ in range(12):
        clock.forward(minutes=5)
        assert texts(STRANGER, "my pump is beeping and im so itchy").replies
    assert texts(STRANGER, "yes").replies, "what is asked after an emergency is part of it"


def test_whoever_opts_out_is_told_so_once_and_an_urgent_text_still_counts(texts: Texts) -> None:
    for _ in range(12):
        texts(STRANGER, "HELP")
    assert [reply.body[:20] for reply in texts(STRANGER, "STOP").replies]
    assert not texts(STRANGER, "STOP").replies


@pytest.mark.parametrize("body", ["HELP", "what about my dog", "can i travel with my pump"])
@pytest.mark.parametrize(
    "number", ["+18765550142", "+12465550142", "+19005550142", "+447700900123", "+882161234567", "262966", "CASINO"]
)
def test_a_number_of_another_country_or_of_extra_cost_is_kept_and_not_answered(
    texts: Texts, desk: Desk, number: str, body: str
) -> None:
    received = texts(number, body)
    assert received.replies == ()
    assert "No answer: not a number of the countries that this line texts" in received.trace
    assert desk.messages() == []


@pytest.mark.parametrize("number", ["+16145550142", "+17875550142", "+18005550142", "+19995550142", "+13305550100"])
def test_numbers_of_the_country_new_area_codes_among_them_are_answered(texts: Texts, number: str) -> None:
    assert texts(number, "HELP").replies


def test_an_emergency_from_abroad_gets_its_words_pages_and_a_nurse_is_asked_to_call(texts: Texts, desk: Desk) -> None:
    received = texts("+525512345678", "ALARM")
    assert [reply.urgent for reply in received.replies] == [True]
    (alert,) = desk.tasks(TaskKind.ALERT)
    assert alert.phone_id
    assert ANSWERED_ABROAD in reasons(desk)
    assert texts("+525512345678", "is anyone there").replies, "who is in danger is not met by silence"
    assert texts("+525598765432", "can i travel with my pump").replies == ()


@pytest.mark.parametrize("number", ["+19005550142", "+882161234567", "262966"])
def test_an_emergency_from_a_dear_number_pages_and_a_nurse_is_told_that_it_got_no_answer(
    texts: Texts, desk: Desk, number: str
) -> None:
    assert texts(number, "ALARM").replies == ()
    assert desk.tasks(TaskKind.ALERT)
    assert FROM_ABROAD in reasons(desk)


def test_emergencies_from_abroad_are_bounded_too(texts: Texts, desk: Desk) -> None:
    answered = [bool(texts("+525512345678", f"my pump is beeping {n}").replies) for n in range(14)]
    assert answered == [True] * 10 + [False] * 4
    assert desk.tasks(TaskKind.ALERT)


@pytest.mark.parametrize("number", ["+16145550142", "+18765550142", "+447700900123"])
def test_a_patient_is_never_held_back_wherever_and_however_often(
    add_patient: Callable[..., Someone], texts: Texts, number: str
) -> None:
    maria = add_patient("Maria", number)
    assert all(texts(maria.phone, "HELP").replies for _ in range(25))


def test_a_carer_is_never_held_back(texts: Texts, desk: Desk, maria: Someone) -> None:
    desk.adds_carer(maria, "+18765550143")
    assert all(texts("+18765550143", "HELP").replies for _ in range(25))


def test_many_strangers_together_get_so_many_answers_an_hour_and_the_operator_hears_of_it(
    line: Line, desk: Desk, clock: FrozenClock, maria: Someone, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.ERROR)
    few = replace(line, strangers=Bounds(a_day=10, an_hour=20))
    count = 0

    def says(number: str, body: str) -> Received:
        nonlocal count
        count += 1
        if count % 7 == 0:
            _counts.pop(line.db, None)  # another process has not seen what this one answered
        clock.forward(seconds=1)
        return receive_text(few, InboundText(f"SM{count:032d}", number, "", body), clock())

    answered = sum(len(says(f"+1614555{n:04d}", "HELP").replies) for n in range(1000, 1060))
    assert answered == 20
    assert reasons(desk).count(LINE_IS_FULL) == 1
    assert len([record for record in caplog.records if "unknown phones got" in record.getMessage()]) == 1
    assert says("+16145552000", "ALARM").replies
    assert says(maria.phone, "HELP").replies
    unread = says("+16145552001", "when is my visit")
    assert unread.replies == ()
    assert "an unknown phone that got no answer: read it" in reasons(desk)
    clock.forward(hours=1, minutes=1)
    assert says("+16145552002", "HELP").replies


def test_the_countries_are_the_operators_to_name(line: Line, clock: FrozenClock) -> None:
    wide = replace(line, strangers=Bounds(countries_named("us, ca")))
    assert receive_text(wide, InboundText("SM1", "+14165550142", "", "HELP"), clock()).replies
    assert not receive_text(line, InboundText("SM2", "+14165550143", "", "HELP"), clock()).replies


def test_the_settings_reach_the_line(app: Flask, line: Line) -> None:
    assert line.strangers == Bounds(frozenset({"US", "PR", "VI", "GU", "AS", "MP"}), 10, 100)
