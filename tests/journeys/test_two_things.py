"""One text that says several things: the urgent part first, and nothing else lost."""

from collections.abc import Callable

import pytest

from app.actions.receive_text import Received
from app.db.messages import Purpose
from app.db.people import Phone
from app.db.work import TaskKind
from tests.conftest import Desk, FrozenClock, Someone

Text = Callable[..., Received]


@pytest.fixture
def said(desk: Desk) -> Callable[[], list[str]]:
    """Which words went back."""
    return lambda: [message.text_id for message in desk.messages(Purpose.REPLY)]


@pytest.mark.parametrize(
    "text",
    [
        "pump is beeping and also can i move my appointment",
        "can i move my appointment? also my pump is beeping",
        "la bomba esta pitando y tambien quiero cambiar mi cita",
    ],
)
def test_a_beep_beside_a_wish_for_another_time_is_an_alert_and_a_task(
    text: str, texts: Text, maria: Someone, desk: Desk, said: Callable[[], list[str]]
) -> None:
    texts(maria.phone, text)
    assert said()[0] == "text:urgent_alarm"
    assert [(task.kind, task.category) for task in desk.tasks(TaskKind.ALERT)] == [(TaskKind.ALERT, "alarm")]
    assert [task.patient_id for task in desk.tasks(TaskKind.RESCHEDULE)] == [maria.id]


def test_a_beep_beside_a_stop_is_answered_and_then_honoured(
    texts: Text, maria: Someone, desk: Desk, said: Callable[[], list[str]]
) -> None:
    texts(maria.phone, "stop texting me, my pump is beeping")
    assert said() == ["text:urgent_alarm", "text:opted_out"]
    assert desk.rows(Phone, Phone.id == maria.phone_id)[0].opted_out_at is not None
    assert {task.kind for task in desk.tasks()} == {TaskKind.ALERT, TaskKind.CALL_INSTEAD}


@pytest.mark.parametrize(
    ("text", "topic", "kind"),
    [
        ("can i go through airport security? also please move my appointment", "security", TaskKind.RESCHEDULE),
        ("please move my appointment. also can i go through airport security?", "security", TaskKind.RESCHEDULE),
    ],
)
def test_a_question_beside_a_wish_is_answered_and_a_nurse_is_told(
    text: str,
    topic: str,
    kind: TaskKind,
    texts: Text,
    maria: Someone,
    desk: Desk,
    said: Callable[[], list[str]],
) -> None:
    texts(maria.phone, text)
    assert f"answer:{topic}" in said()
    assert [task.kind for task in desk.tasks()] == [kind]


def test_a_question_beside_a_wish_says_that_a_nurse_will_read_it(texts: Text, maria: Someone) -> None:
    [_, told] = texts(maria.phone, "can i go through airport security? also please move my appointment").replies
    assert told.body.startswith("A nurse will read this")


def test_no_beep_beside_a_question_is_only_a_question(
    texts: Text, maria: Someone, desk: Desk, said: Callable[[], list[str]]
) -> None:
    texts(maria.phone, "no beeping, all good. how long does the battery last?")
    assert said() == ["answer:battery"]
    assert desk.tasks() == []


@pytest.mark.parametrize("text", ["and in winter?", "what about in winter?", "And then?"])
def test_a_question_that_leans_on_the_answer_before_gets_more_of_it(
    text: str, texts: Text, maria: Someone, desk: Desk, said: Callable[[], list[str]]
) -> None:
    texts(maria.phone, "TRAVEL")
    texts(maria.phone, text)
    assert said()[-1] == "more:travel"
    assert desk.tasks() == []


def test_it_leans_on_nothing_where_nothing_was_asked(
    texts: Text, maria: Someone, said: Callable[[], list[str]]
) -> None:
    texts(maria.phone, "and in winter?")
    assert not said()[-1].startswith(("more:", "answer:"))


def test_it_leans_on_nothing_a_day_later(
    texts: Text, maria: Someone, clock: FrozenClock, said: Callable[[], list[str]]
) -> None:
    texts(maria.phone, "TRAVEL")
    clock.forward(hours=24)
    texts(maria.phone, "and in winter?")
    assert not said()[-1].startswith(("more:", "answer:"))


def test_a_new_question_that_begins_with_and_is_a_question_of_its_own(
    texts: Text, maria: Someone, said: Callable[[], list[str]]
) -> None:
    texts(maria.phone, "TRAVEL")
    texts(maria.phone, "and how long does the battery last?")
    assert said()[-1] == "answer:battery"


def test_an_urgent_follow_up_is_urgent(texts: Text, maria: Someone, said: Callable[[], list[str]]) -> None:
    texts(maria.phone, "TRAVEL")
    texts(maria.phone, "and now it is beeping")
    assert said()[-1] == "text:urgent_alarm"
