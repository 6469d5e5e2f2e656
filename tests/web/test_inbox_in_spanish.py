"""The inbox for somebody who reads Spanish: its own words in it, patients' words as they were texted."""

import pytest

from app.db.messages import Purpose
from app.web.language import _sentence
from tests.conftest import Desk, Someone
from tests.web.conftest import Visitor
from tests.web.inbox_stage import NONSENSE, Text, seen


@pytest.fixture
def reader(nurse: Visitor) -> Visitor:
    nurse.headers["Accept-Language"] = "es"
    return nurse


@pytest.fixture
def path(maria: Someone, texts: Text) -> str:
    texts(maria.phone, NONSENSE)
    return f"/staff/inbox/{maria.phone_id}"


def test_a_thread_is_read_and_worked_in_spanish(reader: Visitor, path: str, desk: Desk) -> None:
    page = seen(reader.page(path))
    assert "Bandeja" in page
    assert "No la lleva nadie" in page
    assert "no entendido" in page
    assert NONSENSE in page
    answer = reader.post(f"{path}/assign", seen_on=path, to="me", seen=0)
    assert "Usted tomó esta conversación" in seen(reader.page(answer.location or ""))
    reader.post(f"{path}/reply", seen_on=path, body="Hello Maria")
    assert [message.body for message in desk.messages(Purpose.STAFF)] == ["Hello Maria"]
    assert "Se envía en 10 s" in seen(reader.page(path))


def test_outcomes_are_read_in_spanish_and_kept_as_they_are(reader: Visitor, path: str) -> None:
    page = reader.page(path)
    assert '<option value="Called, settled">Se llamó, resuelto</option>' in page
    assert "<option>" not in page


def test_what_the_scripts_say_is_spanish_too(reader: Visitor, path: str) -> None:
    page = reader.page(path)
    assert '"sending": "Enviando"' in page
    assert '"alone": "{units} de 160"' in page


def test_every_text_says_its_language(reader: Visitor, path: str) -> None:
    page = reader.page(path)
    assert f'<span lang="en">{NONSENSE}</span>' in page
    assert f'<div class="bubble" lang="en">{NONSENSE}</div>' in page


def test_words_of_content_and_learning(reader: Visitor) -> None:
    content = seen(reader.page("/staff/content"))
    assert "Borrador sin firmar" in content
    assert "Cuerpo y vida diaria" in content
    assert "Ningún paciente ha dicho si una respuesta le sirvió" in seen(reader.page("/staff/learning"))


def test_what_stands_in_quotation_marks_is_left_as_it_was_said() -> None:
    _length, sentence = _sentence("'{words}' asks for: {what}", "«{words}» pide: {what}")
    assert sentence.filled("es", "'Cancel' asks for: Cancel") == "«Cancel» pide: Cancelar"
