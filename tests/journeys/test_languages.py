"""Whoever writes Spanish is answered in Spanish, now and from then on."""

from collections.abc import Callable
from datetime import UTC, datetime

import pytest

from app.actions.line import voice_of
from app.actions.receive_text import Received
from app.db.messages import Purpose
from app.db.people import Clinic, Phone
from app.db.work import TaskKind
from tests.conftest import Desk, Someone
from tests.fakes.twilio_server import FakeTwilio

VISIT = datetime(2026, 12, 17, 15, 30, tzinfo=UTC)  # Thursday 10:30 in New York
FIRST = datetime(2026, 12, 3, 15, 0, tzinfo=UTC)

Text = Callable[..., Received]
Live = Callable[[datetime], None]

CAN_I_TRAVEL = "¿Puedo viajar en avion con la bomba?"


@pytest.fixture
def rosa(add_patient: Callable[..., Someone]) -> Someone:
    return add_patient("Rosa", "+16145550143", language="es")


@pytest.fixture
def words(desk: Desk, clinic: Clinic) -> Callable[..., str]:
    """The reviewed words of an answer or a text, filled for this clinic."""

    def find(text_id: str, language: str) -> str:
        kind, _, name = text_id.partition(":")
        if kind == "text":
            return desk.line.words.system(name, voice_of(clinic), language).body
        return desk.line.words.answer(name, voice_of(clinic), language, more=kind == "more").body

    return find


def language_of(desk: Desk, someone: Someone) -> str | None:
    return desk.rows(Phone, Phone.id == someone.phone_id)[0].language


def test_a_spanish_question_gets_the_spanish_answer(texts: Text, maria: Someone, words: Callable[..., str]) -> None:
    [reply] = texts(maria.phone, CAN_I_TRAVEL).replies
    assert reply.body.removesuffix(words("text:helped_ask", "es")) == words("answer:travel", "es")


def test_more_goes_on_in_spanish(texts: Text, maria: Someone, words: Callable[..., str]) -> None:
    texts(maria.phone, CAN_I_TRAVEL)
    [reply] = texts(maria.phone, "MAS").replies
    assert reply.body == words("more:travel", "es")


def test_the_next_reminder_after_a_spanish_question_goes_out_in_spanish(
    texts: Text, twilio: FakeTwilio, maria: Someone, desk: Desk, live_until: Live
) -> None:
    desk.books(maria, VISIT)
    texts(maria.phone, CAN_I_TRAVEL)
    assert language_of(desk, maria) == "es"
    live_until(FIRST)
    assert twilio.accepted[0].body == (
        "Northgate Pump Clinic: su cita es el jue 17 dic, 10:30 AM. "
        "Responda 1 para confirmar, 2 para cambiar. Preguntas: 614-555-0100."
    )


@pytest.mark.parametrize("word", ["gracias", "ok gracias", "hola"])
def test_a_word_or_two_do_not_switch(
    word: str, texts: Text, twilio: FakeTwilio, maria: Someone, desk: Desk, live_until: Live
) -> None:
    desk.books(maria, VISIT)
    texts(maria.phone, word)
    assert language_of(desk, maria) is None
    live_until(FIRST)
    assert "your visit is on" in twilio.accepted[0].body


def test_an_english_question_switches_a_spanish_patient(
    texts: Text, rosa: Someone, desk: Desk, words: Callable[..., str]
) -> None:
    [reply] = texts(rosa.phone, "Can I go swimming with my pump?").replies
    assert reply.body.startswith(words("answer:bathing", "en"))
    assert language_of(desk, rosa) == "en"


@pytest.mark.parametrize(
    ("text", "language"),
    [
        ("español", "es"),
        ("Español por favor", "es"),
        ("ESPANOL", "es"),
        ("en español", "es"),
        ("spanish please", "es"),
        ("no hablo ingles", "es"),
        ("english please", "en"),
        ("ENGLISH", "en"),
        ("i dont speak spanish", "en"),
    ],
)
def test_asking_for_a_language_switches_to_it_and_says_so_in_it(
    text: str, language: str, texts: Text, maria: Someone, rosa: Someone, desk: Desk, words: Callable[..., str]
) -> None:
    someone = maria if language == "es" else rosa
    [reply] = texts(someone.phone, text).replies
    assert reply.body == words("text:language_set", language)
    assert language_of(desk, someone) == language
    assert desk.tasks() == []


def test_i_dont_speak_english_in_english_with_espanol_beside_it_switches_to_spanish(
    texts: Text, maria: Someone, words: Callable[..., str]
) -> None:
    [reply] = texts(maria.phone, "I don't speak english, español please").replies
    assert reply.body == words("text:language_set", "es")


@pytest.mark.parametrize("text", ["do you have this in chinese", "chinese please"])
def test_a_language_we_do_not_have_goes_to_a_nurse(text: str, texts: Text, maria: Someone, desk: Desk) -> None:
    texts(maria.phone, text)
    assert [message.text_id for message in desk.messages()] == ["text:language_not_yet"]
    [task] = desk.tasks()
    assert (task.kind, task.reason) == (TaskKind.HUMAN, "asked for another language")
    assert language_of(desk, maria) is None


@pytest.mark.parametrize(
    ("text", "category", "first"),
    [
        ("mi bomba esta pitando", "alarm", "Llame ya al 614-555-0100, de dia o de noche"),
        ("no puedo respirar", "breathing", "Llame ya al 911"),
        ("quiero matarme", "self_harm", "Llame o escriba ya al 988"),
    ],
)
def test_an_urgent_spanish_text_gets_the_spanish_emergency_words_and_a_nurse(
    text: str, category: str, first: str, texts: Text, maria: Someone, desk: Desk
) -> None:
    [reply] = texts(maria.phone, text).replies
    assert reply.body.startswith(first)
    assert reply.body.endswith("Ya le estamos avisando a una enfermera.")
    [alert] = desk.tasks(TaskKind.ALERT)
    assert alert.category == category


@pytest.mark.parametrize("word", ["ALTO", "BAJA", "Basta", "parar", "no mas mensajes", "STOP"])
def test_spanish_words_for_stop_are_honoured(
    word: str, texts: Text, rosa: Someone, desk: Desk, words: Callable[..., str]
) -> None:
    [reply] = texts(rosa.phone, word).replies
    assert desk.rows(Phone, Phone.id == rosa.phone_id)[0].opted_out_at is not None
    assert reply.body == words("text:opted_out", "es")


@pytest.mark.parametrize("word", ["ALTO", "BAJA"])
def test_spanish_words_for_stop_are_honoured_on_an_english_phone(
    word: str, texts: Text, maria: Someone, desk: Desk
) -> None:
    texts(maria.phone, word)
    assert desk.rows(Phone, Phone.id == maria.phone_id)[0].opted_out_at is not None


@pytest.mark.parametrize("word", ["MENU", "temas"])
def test_the_spanish_menu_names_a_keyword_of_every_topic_in_a_few_texts(
    word: str, texts: Text, rosa: Someone, desk: Desk
) -> None:
    replies = texts(rosa.phone, word).replies
    said = " ".join(reply.body for reply in replies)
    answers = desk.line.words.library.answers["es"].values()
    assert [answer.topic for answer in answers if not set(answer.keywords) & set(said.replace(".", " ").split())] == []
    assert "Urgente: " in said
    assert 2 <= len(replies) <= 4
    assert all(message.segments <= 2 for message in desk.messages())


def test_a_spanish_keyword_from_an_english_phone_is_answered_in_spanish(
    texts: Text, maria: Someone, words: Callable[..., str]
) -> None:
    texts(maria.phone, "how long does the battery last")
    [reply] = texts(maria.phone, "RESONANCIA").replies
    assert reply.body.startswith(words("answer:mri", "es"))


def test_help_is_said_in_spanish(texts: Text, rosa: Someone, words: Callable[..., str]) -> None:
    [reply] = texts(rosa.phone, "AYUDA").replies
    assert reply.body == words("text:help", "es")


@pytest.mark.parametrize("yes", ["1", "si", "sí", "Sí, confirmo", "confirmo"])
def test_a_spanish_reminder_is_confirmed_and_answered_in_spanish(
    yes: str, texts: Text, rosa: Someone, desk: Desk, live_until: Live
) -> None:
    visit = desk.books(rosa, VISIT)
    live_until(FIRST)
    [reply] = texts(rosa.phone, yes).replies
    assert reply.body.startswith("Gracias. Nos vemos el jue 17 dic, 10:30 AM.")
    assert desk.visit(visit).confirmed_at is not None


@pytest.mark.parametrize("text", ["no esta bien", "ese dia no esta bien para mi", "no se", "no confirmo"])
def test_a_spanish_no_confirms_nothing(text: str, texts: Text, rosa: Someone, desk: Desk, live_until: Live) -> None:
    visit = desk.books(rosa, VISIT)
    live_until(FIRST)
    texts(rosa.phone, text)
    assert desk.visit(visit).confirmed_at is None


@pytest.mark.parametrize("change", ["2", "no puedo ir ese dia", "necesito cambiar la cita"])
def test_a_spanish_wish_for_another_time_is_a_nurses_task_and_answered_in_spanish(
    change: str, texts: Text, rosa: Someone, desk: Desk, live_until: Live
) -> None:
    desk.books(rosa, VISIT)
    live_until(FIRST)
    [reply] = texts(rosa.phone, change).replies
    assert reply.body.startswith("Una enfermera le va a llamar para buscar otra fecha.")
    assert [task.kind for task in desk.tasks()] == [TaskKind.RESCHEDULE]


def test_a_missed_refill_is_said_in_spanish(rosa: Someone, desk: Desk, live_until: Live) -> None:
    visit = desk.books(rosa, datetime(2026, 11, 24, 15, 0, tzinfo=UTC))
    live_until(datetime(2026, 11, 24, 16, 0, tzinfo=UTC))
    desk.misses(visit)
    live_until(datetime(2026, 11, 25, 16, 0, tzinfo=UTC))
    said = desk.messages(Purpose.MISSED)
    assert said
    assert "Llame hoy al 614-555-0100" in said[0].body
