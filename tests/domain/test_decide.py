"""Decisions as tables: a kind of text and who sends it, and what is to follow."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from app.domain.conversation import Asked
from app.domain.effects import (
    AcknowledgeAlert,
    ConfirmVisit,
    Decision,
    OpenTask,
    OptIn,
    OptOut,
    Person,
    RaiseAlert,
    Remember,
    Sender,
    Visit,
)
from app.domain.inbound import decide
from faq.library import Library, load
from faq.understand import Understanding, understand

NOW = datetime(2026, 11, 23, 15, 0, tzinfo=UTC)
LIBRARY: Library = load()

STRANGER = Sender()
MARIA = Sender(people=(Person(1),))
BOOKED = replace(MARIA, visits=(Visit(7, 1, "Maria", NOW + timedelta(days=3)),))
ASKED = replace(BOOKED, asked=Asked().with_confirm(7, NOW, NOW + timedelta(days=3))[0])
OPTED_OUT = replace(ASKED, opted_out=True)
ON_CALL = Sender(is_on_call=True, alert_codes=("4711", "4712"))
CARRIER = replace(MARIA, carrier_confirms_opt_out=True)
FAMILY = Sender(
    people=(Person(1), Person(2)),
    visits=(Visit(7, 1, "Ana", NOW + timedelta(days=3)), Visit(8, 2, "Ben", NOW + timedelta(days=4))),
)


def answer_to(text: str, sender: Sender, **more: int) -> Decision:
    context = sender.asked.context(NOW, "en")
    return decide(understand(text, context, LIBRARY), text, sender, LIBRARY, NOW, **more)


def outline(decision: Decision) -> tuple[list[str], list[str]]:
    """Return what is said and done, as words: text ids, and effects with what tells them apart."""
    done = []
    for effect in decision.effects:
        match effect:
            case OpenTask(kind, subject):
                done.append(f"{kind} {subject}")
            case RaiseAlert(category):
                done.append(f"alert {category}")
            case AcknowledgeAlert(code):
                done.append(f"acknowledge {code}")
            case ConfirmVisit(appointment_id):
                done.append(f"confirm {appointment_id}")
            case OptOut(source) | OptIn(source):
                done.append(f"{type(effect).__name__} {source}")
            case Remember():
                pass  # told by the next text
            case _:
                done.append(type(effect).__name__)
    return [reply.text_id for reply in decision.replies], done


@pytest.mark.parametrize(
    ("text", "sender", "said", "done"),
    [
        # urgent, from anyone, whatever else the text says
        ("ALARM", STRANGER, ["text:urgent_alarm"], ["alert alarm"]),
        ("ALARM", MARIA, ["text:urgent_alarm"], ["alert alarm"]),
        ("ALARM", OPTED_OUT, ["text:urgent_alarm"], ["alert alarm"]),
        ("1 my pump is beeping", ASKED, ["text:urgent_alarm"], ["alert alarm"]),
        ("I can't breathe", STRANGER, ["text:urgent_breathing"], ["alert breathing"]),
        ("I took too much, overdose", MARIA, ["text:urgent_overdose"], ["alert overdose"]),
        (
            "stop texting me, I can't breathe",
            MARIA,
            ["text:urgent_breathing", "text:opted_out"],
            ["alert breathing", "OptOut text", "call_instead patient:1"],
        ),
        # opting out and in
        ("STOP", STRANGER, ["text:opted_out"], ["OptOut text"]),
        ("STOP", MARIA, ["text:opted_out"], ["OptOut text", "call_instead patient:1"]),
        ("STOP", OPTED_OUT, [], ["OptOut text", "call_instead patient:1"]),
        ("STOP", CARRIER, [], ["OptOut text", "call_instead patient:1"]),
        ("no more texts", CARRIER, ["text:opted_out"], ["OptOut text", "call_instead patient:1"]),
        ("STOP", FAMILY, ["text:opted_out"], ["OptOut text", "call_instead patient:1", "call_instead patient:2"]),
        ("START", OPTED_OUT, ["text:opted_in"], ["OptIn text"]),
        ("START", MARIA, ["text:already_in"], ["OptIn text"]),
        ("HELP", OPTED_OUT, ["text:help"], []),
        ("HELP", STRANGER, ["text:help"], []),
        # opted out: no answer, but never nothing
        ("TRAVEL", OPTED_OUT, [], ["call_instead phone"]),
        ("1", OPTED_OUT, [], ["call_instead phone"]),
        ("hello", OPTED_OUT, [], ["call_instead phone"]),
        # what we asked
        ("1", ASKED, ["text:confirmed"], ["confirm 7"]),
        (" 1. ", ASKED, ["text:confirmed"], ["confirm 7"]),
        ("yes", ASKED, ["text:confirmed"], ["confirm 7"]),
        ("2", ASKED, ["text:change"], ["reschedule appointment:7"]),
        ("2", replace(ASKED, people=(Person(1, is_carer=True),)), ["text:change_shared"], ["reschedule appointment:7"]),
        ("can't make it", ASKED, ["text:change"], ["reschedule appointment:7"]),
        ("can't make it", BOOKED, ["text:change"], ["reschedule appointment:7"]),
        ("can't make it", MARIA, ["text:change_no_visit"], ["reschedule patient:1"]),
        ("can't make it", STRANGER, ["text:change_no_visit"], ["reschedule phone"]),
        ("can't make it", FAMILY, ["text:which_visit"], []),
        ("1", BOOKED, ["text:unknown"], ["question phone"]),
        ("1", STRANGER, ["text:unknown"], ["question phone"]),
        # keyword, question, the rest
        ("TRAVEL", STRANGER, ["answer:travel"], []),
        ("TRAVEL", ASKED, ["answer:travel"], []),
        ("does the pump make noise?", MARIA, ["answer:noise"], []),
        ("MENU", MARIA, ["menu"], []),
        ("MORE", MARIA, ["text:more_none"], []),
        ("thanks", MARIA, ["text:thanks"], []),
        ("NURSE", MARIA, ["text:human"], ["human phone"]),
        ("wrong number", MARIA, ["text:wrong_number"], ["OptOut wrong number", "wrong_number phone"]),
        ("I'm running late", BOOKED, ["text:running_late"], ["reschedule patient:1"]),
        ("when is my refill?", BOOKED, ["text:next_visit"], []),
        ("when is my refill?", FAMILY, ["text:next_visit_shared"], []),
        ("when is my refill?", MARIA, ["text:no_visit"], ["reschedule patient:1"]),
        ("my insulin pump is broken", STRANGER, ["text:out_of_scope"], ["question phone"]),
        ("", MARIA, ["text:unknown"], ["question phone"]),
        # the on-call phone
        ("4711", ON_CALL, ["text:page_taken"], ["acknowledge 4711"]),
        ("Got it: 4712!", ON_CALL, ["text:page_taken"], ["acknowledge 4712"]),
        ("47110", ON_CALL, ["text:page_needs_code"], []),
        ("9999", ON_CALL, ["text:page_code_unknown"], []),
        ("4711", replace(MARIA, alert_codes=("4711",)), ["text:unknown"], ["question phone"]),
        ("ALARM", ON_CALL, ["text:urgent_alarm"], ["alert alarm"]),
    ],
)
def test_a_text_from_someone_leads_to_this(text: str, sender: Sender, said: list[str], done: list[str]) -> None:
    assert outline(answer_to(text, sender)) == (said, done)


@pytest.mark.parametrize(
    ("text", "said", "done"),
    [
        ("", ["text:media"], ["media phone"]),
        ("purple umbrella", ["text:media"], ["media phone"]),
        ("TRAVEL", ["answer:travel", "text:media"], ["media phone"]),
        ("ALARM", ["text:urgent_alarm"], ["alert alarm"]),
    ],
)
def test_a_picture_always_reaches_a_nurse(text: str, said: list[str], done: list[str]) -> None:
    assert outline(answer_to(text, MARIA, media=1)) == (said, done)


def test_a_digit_picks_from_the_numbered_choices_when_they_were_sent_last() -> None:
    close = Understanding("choices", "en", choices=("travel", "swimming"))
    asked = decide(close, "can i travel or swim", ASKED, LIBRARY, NOW + timedelta(hours=1))
    [remember] = asked.effects
    assert isinstance(remember, Remember)
    later = replace(ASKED, asked=remember.asked)
    assert dict(asked.replies[0].fill)["options"].startswith("1 ")
    now = NOW + timedelta(hours=2)
    text = understand("1", later.asked.context(now, "en"), LIBRARY)
    assert outline(decide(text, "1", later, LIBRARY, now))[0] == ["answer:travel"]


def test_every_decision_says_what_it_did_and_why() -> None:
    for text in ("ALARM", "STOP", "START", "HELP", "1", "2", "TRAVEL", "MENU", "MORE", "purple umbrella", "9999"):
        for sender in (STRANGER, MARIA, ASKED, OPTED_OUT, ON_CALL, FAMILY):
            assert all(answer_to(text, sender).trace), text


def test_no_text_is_met_by_silence_unless_the_phone_opted_out() -> None:
    for text in (
        "ALARM",
        "STOP",
        "START",
        "HELP",
        "1",
        "2",
        "7",
        "TRAVEL",
        "MENU",
        "MORE",
        "umbrella",
        "9999",
        "",
        "🙂",
    ):
        for sender in (STRANGER, MARIA, BOOKED, ASKED, ON_CALL, FAMILY):
            assert answer_to(text, sender).replies, (text, sender)
        quiet = answer_to(text, OPTED_OUT)
        assert quiet.replies or quiet.effects, text


def test_a_visit_is_never_confirmed_that_is_not_coming() -> None:
    gone = replace(ASKED, visits=())
    for text in ("1", "yes", "ok I'll be there"):
        assert not any(isinstance(effect, ConfirmVisit) for effect in answer_to(text, gone).effects)


def test_choices_for_a_text_that_tells_something_also_reach_a_nurse() -> None:
    close = Understanding("choices", "en", choices=("travel", "swimming"))
    for text, tasks in (("can i travel or swim", 0), ("the water was not good for me", 1)):
        decision = decide(close, text, MARIA, LIBRARY, NOW)
        assert sum(isinstance(effect, OpenTask) for effect in decision.effects) == tasks
