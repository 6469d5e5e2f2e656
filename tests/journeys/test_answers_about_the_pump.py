"""Answers beside other questions, in words, twice, late: each was once taken for something else."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from app.actions.plan_care import plan_care
from app.db.messages import Purpose
from app.domain import helped
from app.domain.conversation import OF_THE_PUMP
from app.domain.effects import ConfirmVisit, DropVisit, OptIn, RaiseAlert, Remember, Visit
from app.domain.turn import Turn
from app.domain.visit_talk import changed, confirmed
from faq.understand import Understanding
from scheduler.ladders import missed_steps
from scheduler.planning import missed_texts
from tests.domain.test_care_talk import (
    AFTER,
    LIBRARY,
    NOW,
    asking,
    booked_and,
    done,
    phone,
    question,
    says,
    told,
)
from tests.journeys.test_missed_refills import NEXT_MORNING, missed  # noqa: F401


def alerts(decision):
    return [e.category for e in decision.effects if isinstance(e, RaiseAlert)]


def test_what_kept_them_can_still_be_answered_after_the_second_text(maria, desk, missed, live_until, texts):  # noqa: F811
    live_until(NEXT_MORNING + timedelta(hours=1))
    texts(maria.phone, "2")
    assert desk.messages(Purpose.REPLY)[-1].text_id == "text:why_ill"


def test_a_carers_answer_about_one_patient_is_not_taken_for_another(maria):
    asked = phone(question("checkin", 1), question("why", 2, at=AFTER), people=2)
    digits = [range(a.digit, a.digit + OF_THE_PUMP[a.kind]) for a in asked.asked.asks]
    assert not set(digits[0]) & set(digits[1])


@pytest.mark.parametrize("kind", ["checkin", "scan", "why"])
@pytest.mark.parametrize("text", ["1 please", "1 yes", "1 fine", "2 please", "two"])
@pytest.mark.parametrize("other_at", [None, NOW + timedelta(days=5)])
def test_a_digit_with_a_word_never_touches_a_visit_that_nobody_asked_about(kind, text, other_at):
    sender = replace(booked_and(kind), visits=(Visit(7, 1, "Maria", NOW + timedelta(days=3), other_at),))
    decision = says(sender, text)
    assert not any(isinstance(e, ConfirmVisit | DropVisit) for e in decision.effects)
    assert told(decision) != ["text:change"]


@pytest.mark.parametrize("text", ["no", "No.", "not sure"])
def test_no_to_was_your_pump_checked_is_an_alert(text):
    assert alerts(says(phone(question("scan")), text)) == ["scan_unchecked"]


@pytest.mark.parametrize("opted_out", [False, True])
def test_yes_they_did_is_no_opt_in(opted_out):
    decision = says(phone(question("scan"), opted_out=opted_out), "yes they did")
    assert not any(isinstance(e, OptIn) for e in decision.effects)


@pytest.mark.parametrize("text", ["I was sick", "I was ill", "was sick", "2 ill"])
def test_whoever_says_in_a_sentence_that_they_were_ill_is_that_alert(text):
    assert alerts(says(phone(question("why")), text)) == ["missed_refill_symptoms"]


def test_did_that_help_is_never_asked_beside_another_question():
    turn = Turn("TRAVEL", Understanding("topic", "en"), phone(question("checkin")), LIBRARY, NOW)
    assert not helped.may_ask(turn)


def test_the_same_digit_twice_does_not_answer_an_older_question():
    from tests.domain.test_care_talk import remembered

    sender = phone(question("checkin"), question("scan", at=AFTER))
    first = says(sender, "1")
    again = says(replace(sender, asked=remembered(first)), "1", NOW + timedelta(seconds=20))
    assert "checked in 1: 1" not in done(again)


def test_after_an_outage_one_text_says_the_last_thing(maria, desk, clock, beat, line, twilio):
    desk.fills(maria, 60)
    plan_care(line, clock())
    clock.forward(days=24)
    beat()
    beat()
    assert len([text for text in twilio.accepted if text.to == maria.phone]) == 1


def test_what_kept_them_is_asked_after_what_to_do():
    from zoneinfo import ZoneInfo

    from scheduler.policy import ReminderPolicy

    new_york, policy = ZoneInfo("America/New_York"), ReminderPolicy()

    starts_at, noticed_at = datetime(2026, 6, 15, 23, tzinfo=UTC), datetime(2026, 6, 16, 2, tzinfo=UTC)
    why = missed_steps(7, starts_at, noticed_at, policy, new_york)[1]
    assert why.due_at > missed_texts(starts_at, noticed_at, policy, new_york)[0].due_at


@pytest.mark.parametrize("kind", ["why", "checkin", "scan", "book"])
def test_any_number_of_patients_on_one_phone_can_be_asked_about(kind):
    asking(*(question(kind, patient) for patient in range(1, 120)))


@pytest.mark.parametrize("settled", [confirmed, changed])
def test_what_kept_them_is_still_to_be_answered_when_a_visit_is_confirmed_or_changed(settled):
    sender = phone(question("why"))
    missed_visit = Visit(sender.asked.asks[0].appointment_id, 1, "Maria", NOW + timedelta(days=3))
    [asked] = [e.asked for e in settled(sender, missed_visit, "").effects if isinstance(e, Remember)]
    assert asked == sender.asked
