"""An urgent text that says too little: the emergency words and an alert at once, then one yes/no question at a time."""

from collections.abc import Callable
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from app.actions.receive_text import Media, Received
from app.actions.render import render_reply
from app.db.messages import Purpose
from app.db.people import Phone
from app.db.work import Task, TaskKind, TaskState, TaskText
from app.domain.effects import Reply
from app.domain.texts import ClinicVoice, Words, load_words
from app.domain.triage import QUESTIONS
from app.domain.urgency import danger
from faq.context import Context
from faq.segments import measure
from faq.understand import understand
from tests.conftest import MONDAY, Desk, FrozenClock, Someone
from tests.fakes.twilio_server import FakeTwilio

Text = Callable[..., Received]

WORDS: Words = load_words()
LONGEST = ClinicVoice("C" * 40, "5" * 18, "5" * 18, "911", ZoneInfo("America/New_York"), "116 123")
FIRST = QUESTIONS[0]


def vague(*candidates: str) -> str:
    """The first of some plain texts that may be an emergency without saying which."""
    for text in candidates:
        sign = understand(text, Context(), WORDS.library).urgency
        if sign is not None and sign.vague:
            return text
    raise AssertionError(f"none of these is both urgent and vague: {candidates}")


@pytest.fixture(scope="module")
def unwell() -> str:
    return vague("something is wrong with him", "something is wrong", "he is not himself since this morning")


@pytest.fixture
def alert(desk: Desk) -> Callable[[], Task]:
    def only() -> Task:
        [task] = desk.tasks(TaskKind.ALERT)
        return task

    return only


def question(name: str, language: str = "en") -> str:
    return WORDS.voice(language).texts[f"triage_{name}"].text


def text_ids(desk: Desk) -> list[str]:
    return [message.text_id for message in desk.messages(Purpose.REPLY)]


def test_a_vague_urgent_text_gets_the_emergency_words_the_first_question_and_an_open_alert(
    texts: Text, maria: Someone, desk: Desk, alert: Callable[[], Task], unwell: str
) -> None:
    [reply] = texts(maria.phone, unwell).replies
    assert text_ids(desk) == ["text:urgent_vague"]
    assert reply.urgent
    assert "Call us now, day or night: 614-555-0100" in reply.body[:70]
    assert "We are alerting a nurse." in reply.body
    assert reply.body.endswith(question(FIRST.name))
    assert alert().state is TaskState.OPEN


def test_five_noes_lead_through_every_question_and_the_nurse_reads_each_answer(
    texts: Text, maria: Someone, desk: Desk, alert: Callable[[], Task], unwell: str
) -> None:
    texts(maria.phone, unwell)
    said = [texts(maria.phone, "2").replies[0].body for _ in QUESTIONS]
    assert said[:-1] == [question(asked.name) for asked in QUESTIONS[1:]]
    assert text_ids(desk)[-1] == "text:triage_done"
    assert "call us now all the same" in said[-1]
    assert said[-1].endswith("The nurse has your answers.")
    assert all(f"{asked.short}: no" in alert().reason for asked in QUESTIONS)
    assert alert().state is TaskState.OPEN


def test_no_answer_is_ever_a_task_of_its_own(texts: Text, maria: Someone, desk: Desk, unwell: str) -> None:
    texts(maria.phone, unwell)
    for _ in QUESTIONS:
        texts(maria.phone, "2")
    assert [task.kind for task in desk.tasks()] == [TaskKind.ALERT]


@pytest.mark.parametrize("position", [n for n, asked in enumerate(QUESTIONS) if asked.red])
def test_a_yes_at_a_red_question_ends_it_at_once(
    position: int, texts: Text, maria: Someone, desk: Desk, alert: Callable[[], Task], unwell: str
) -> None:
    texts(maria.phone, unwell)
    first = alert().category
    for _ in range(position):
        texts(maria.phone, "2")
    [reply] = texts(maria.phone, "1").replies
    asked = QUESTIONS[position]
    assert text_ids(desk)[-1] == "text:triage_red"
    assert reply.urgent
    assert reply.body.startswith('Call 911 now and say "baclofen pump".')
    assert alert().category == min(asked.category, first or "", key=danger)  # never a milder one
    texts(maria.phone, "2")
    assert text_ids(desk)[-1] == "text:triage_call"  # no further question


@pytest.mark.parametrize("position", range(len(QUESTIONS)))
def test_the_nurse_reads_which_question_was_answered_yes(
    position: int, texts: Text, maria: Someone, alert: Callable[[], Task], unwell: str
) -> None:
    texts(maria.phone, unwell)
    for _ in range(position):
        texts(maria.phone, "2")
    texts(maria.phone, "1")
    assert f"{QUESTIONS[position].short}: yes" in alert().reason
    assert all(f"{asked.short}: no" in alert().reason for asked in QUESTIONS[:position])


def test_a_yes_at_the_last_question_asks_to_call_the_clinic(
    texts: Text, maria: Someone, desk: Desk, unwell: str
) -> None:
    texts(maria.phone, unwell)
    for _ in QUESTIONS[1:]:
        texts(maria.phone, "2")
    [reply] = texts(maria.phone, "1").replies
    assert text_ids(desk)[-1] == "text:triage_call"
    assert reply.body.startswith("Call us now, day or night: 614-555-0100")


@pytest.mark.parametrize("yes", ["yes", "Yes.", "Y", "si", "sí", "yeah", "1.", "yes please", "1 yes", "1 si"])
def test_yes_in_words_counts(yes: str, texts: Text, maria: Someone, desk: Desk, unwell: str) -> None:
    texts(maria.phone, unwell)
    texts(maria.phone, yes)
    assert text_ids(desk)[-1] == "text:triage_red"


@pytest.mark.parametrize("no", ["no", "No!", "nope", "2.", "no thanks", "2 no"])
def test_no_in_words_counts(no: str, texts: Text, maria: Someone, desk: Desk, unwell: str) -> None:
    texts(maria.phone, unwell)
    texts(maria.phone, no)
    assert text_ids(desk)[-1] == f"text:triage_{QUESTIONS[1].name}"


@pytest.mark.parametrize("neither", ["i dont know", "maybe", "not sure", "no se"])
def test_an_answer_that_is_neither_leaves_the_question_open_and_the_phone_in(
    neither: str, texts: Text, maria: Someone, desk: Desk, unwell: str
) -> None:
    texts(maria.phone, unwell)
    texts(maria.phone, neither)
    assert desk.rows(Phone, Phone.id == maria.phone_id)[0].opted_out_at is None
    texts(maria.phone, "1")
    assert text_ids(desk)[-1] == "text:triage_red"


def test_a_new_urgent_sign_interrupts_and_the_digits_mean_nothing_more(
    texts: Text, maria: Someone, desk: Desk, alert: Callable[[], Task], unwell: str
) -> None:
    texts(maria.phone, unwell)
    texts(maria.phone, "2")
    texts(maria.phone, "he can't breathe")
    assert text_ids(desk)[-1] == "text:urgent_breathing"
    assert alert().category == "breathing"
    texts(maria.phone, "2")
    assert text_ids(desk)[-1] == "text:triage_call"  # told to call now, and asked nothing


def test_a_digit_counts_until_the_window_closes(
    texts: Text, maria: Someone, desk: Desk, clock: FrozenClock, unwell: str
) -> None:
    texts(maria.phone, unwell)
    clock.forward(hours=3, minutes=59)
    texts(maria.phone, "2")
    assert text_ids(desk)[-1] == f"text:triage_{QUESTIONS[1].name}"


@pytest.mark.parametrize("digit", ["1", "2"])
def test_a_digit_means_nothing_four_hours_later(
    digit: str, texts: Text, maria: Someone, desk: Desk, clock: FrozenClock, unwell: str
) -> None:
    texts(maria.phone, unwell)
    clock.forward(hours=4)
    texts(maria.phone, digit)
    assert text_ids(desk)[-1] == "text:unknown"


def test_a_phone_that_opted_out_is_led_through_as_well(texts: Text, maria: Someone, desk: Desk, unwell: str) -> None:
    texts(maria.phone, "STOP")
    texts(maria.phone, unwell)
    for _ in QUESTIONS:
        texts(maria.phone, "2")
    asked = [f"text:triage_{question.name}" for question in QUESTIONS[1:]]
    assert text_ids(desk)[1:] == ["text:urgent_vague", *asked, "text:triage_done"]


def test_a_yes_that_the_carrier_takes_for_an_opt_in_still_answers_the_question(
    texts: Text, maria: Someone, desk: Desk, unwell: str
) -> None:
    texts(maria.phone, "STOP")
    texts(maria.phone, unwell)
    texts(maria.phone, "YES", opt_out_type="START")
    assert "text:triage_red" in text_ids(desk)


def test_a_picture_beside_an_answer_reaches_the_nurse(texts: Text, maria: Someone, desk: Desk, unwell: str) -> None:
    texts(maria.phone, unwell)
    sent = texts(maria.phone, "2", media=(Media("https://example.org/wound", "image/jpeg"),))
    assert sent.inbound_id in [row.inbound_id for row in desk.rows(TaskText)]


def test_a_stranger_is_led_through_as_well(texts: Text, desk: Desk, alert: Callable[[], Task], unwell: str) -> None:
    texts("+16145550177", unwell)
    texts("+16145550177", "1")
    assert text_ids(desk) == ["text:urgent_vague", "text:triage_red"]
    assert alert().patient_id is None


@pytest.fixture
def reminded(
    maria: Someone, desk: Desk, live_until: Callable[[datetime], None], clock: FrozenClock
) -> Callable[[], bool]:
    """Maria was asked to confirm a visit a minute ago; tell whether she has."""
    visit = desk.books(maria, clock().replace(day=25))
    live_until(clock().replace(day=24))
    clock.forward(minutes=1)
    return lambda: desk.visit(visit).confirmed_at is not None


def test_a_question_about_a_visit_waits_while_an_emergency_is_narrowed(
    reminded: Callable[[], bool], texts: Text, maria: Someone, desk: Desk, clock: FrozenClock
) -> None:
    texts(maria.phone, "she does not look right, something is off")
    texts(maria.phone, "1")
    assert text_ids(desk) == ["text:urgent_vague", "text:triage_red"]
    assert not reminded()


@pytest.mark.parametrize(
    "text",
    [
        "something is wrong with him",
        "something is wrong with my son he is just not right",
        "he is not himself since this morning",
        "algo no esta bien con mi mama",
        "mi hija esta rara hoy y no es ella misma",
    ],
)
def test_somebody_who_is_not_right_is_an_emergency_after_a_reminder_as_well(
    text: str, reminded: Callable[[], bool], texts: Text, maria: Someone, desk: Desk
) -> None:
    texts(maria.phone, text)
    assert [task.kind for task in desk.tasks()] == [TaskKind.ALERT]
    assert desk.rows(Phone, Phone.id == maria.phone_id)[0].opted_out_at is None
    assert not reminded()


def test_a_breathing_problem_is_asked_nothing(texts: Text, maria: Someone, desk: Desk) -> None:
    texts(maria.phone, "I can't breathe")
    texts(maria.phone, "2")
    assert text_ids(desk) == ["text:urgent_breathing", "text:triage_call"]


def test_a_spanish_one_is_asked_in_spanish(texts: Text, maria: Someone, desk: Desk) -> None:
    [reply] = texts(
        maria.phone, vague("mi hija esta rara hoy y no es ella misma", "algo no esta bien con mi mama")
    ).replies
    assert reply.body.startswith("Llame ya, dia y noche: ")
    assert reply.body.endswith(question(FIRST.name, "es"))
    [following] = texts(maria.phone, "no").replies
    assert following.body == question(QUESTIONS[1].name, "es")


@pytest.mark.parametrize(
    "text",
    [
        "something is wrong with my son he is just not right",
        "something is wrong with him",
        "she does not look right, something is off",
        "algo le pasa a mi hijo, no esta bien",
        "algo anda mal con mi hijo",
        "a mi hija le pasa algo",
    ],
)
def test_somebody_who_is_not_right_is_an_emergency_in_either_language(
    text: str, texts: Text, maria: Someone, desk: Desk
) -> None:
    texts(maria.phone, text)
    assert [task.kind for task in desk.tasks()] == [TaskKind.ALERT]


@pytest.mark.parametrize("language", ["en", "es"])
@pytest.mark.parametrize("name", ["urgent_vague", *(f"triage_{q.name}" for q in QUESTIONS)])
def test_every_text_on_the_way_takes_at_most_two_segments(name: str, language: str) -> None:
    adds = f"triage_{FIRST.name}" if name == "urgent_vague" else ""
    assert measure(longest(Reply(f"text:{name}", urgent=True, adds=adds), language)).count <= 2


@pytest.mark.parametrize("language", ["en", "es"])
@pytest.mark.parametrize("name", ["triage_red", "triage_call", "triage_done"])
def test_every_ending_takes_at_most_two_segments(name: str, language: str) -> None:
    assert measure(longest(Reply(f"text:{name}", urgent=True, tells_nurse=True), language)).count <= 2


def longest(reply: Reply, language: str) -> str:
    [said] = render_reply(
        reply, WORDS, LONGEST, language, paged=True, visits=(), asks={}, shared=False, link="https://example.org/"
    )
    return said.body


def test_a_yes_stays_a_yes_when_we_ask_after_a_refill_meanwhile(
    texts: Text,
    maria: Someone,
    desk: Desk,
    clock: FrozenClock,
    live_until: Callable[[datetime], None],
    twilio: FakeTwilio,
    unwell: str,
) -> None:
    desk.fills(maria)
    live_until(MONDAY + timedelta(hours=3, minutes=50))
    texts(maria.phone, unwell)
    live_until(MONDAY + timedelta(hours=4, minutes=1))
    asked = next(m.body for m in reversed(twilio.accepted) if "how are you since" in m.body)
    assert "Reply 3 as usual, 4 sleepy" in asked
    texts(maria.phone, "1")
    assert text_ids(desk)[-1] == "text:triage_red"
    texts(maria.phone, "3")
    assert text_ids(desk)[-1] == "text:checkin_fine"
