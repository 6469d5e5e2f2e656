"""Did that help? Asked after an answer, seldom, and never where it could be in the way of something else."""

from collections.abc import Callable
from datetime import UTC, datetime

import pytest

from app.actions.receive_text import Received
from app.db.learning import Feedback
from app.db.messages import Purpose
from app.db.work import TaskKind
from tests.conftest import Desk, FrozenClock, Someone

ASKS = " Did that help? 1 yes, 2 no"
VISIT = datetime(2026, 12, 17, 15, 30, tzinfo=UTC)
FIRST = datetime(2026, 12, 3, 15, 0, tzinfo=UTC)

Text = Callable[..., Received]


@pytest.fixture
def last(desk: Desk) -> Callable[[], str]:
    """Which words went back last."""
    return lambda: desk.messages(Purpose.REPLY)[-1].text_id


def asked(received: Received) -> bool:
    return any(reply.body.endswith(ASKS) for reply in received.replies)


def test_an_answer_with_room_for_it_asks_whether_it_helped(texts: Text, maria: Someone, desk: Desk) -> None:
    assert asked(texts(maria.phone, "TRAVEL"))
    assert desk.messages()[-1].segments <= 2


def test_no_answer_takes_a_further_segment_to_ask(texts: Text, desk: Desk) -> None:
    for n, answer in enumerate(desk.line.words.library.answers["en"].values()):
        texts(f"+1614555{n:04d}", answer.keywords[0])
    assert [message.text_id for message in desk.messages(Purpose.REPLY) if message.segments > 2] == []


def test_it_is_asked_once_in_24_hours(texts: Text, maria: Someone, clock: FrozenClock) -> None:
    assert asked(texts(maria.phone, "TRAVEL"))
    clock.forward(hours=23, minutes=59)
    assert not asked(texts(maria.phone, "TRAVEL"))
    clock.forward(minutes=1)
    assert asked(texts(maria.phone, "TRAVEL"))


def test_an_answer_to_it_does_not_make_it_asked_again(texts: Text, maria: Someone, clock: FrozenClock) -> None:
    texts(maria.phone, "TRAVEL")
    texts(maria.phone, "1")
    clock.forward(hours=23)
    assert not asked(texts(maria.phone, "TRAVEL"))


@pytest.mark.parametrize("text", ["ALARM", "I can't breathe", "something is wrong with him"])
def test_an_urgent_text_is_never_asked_about(text: str, texts: Text, maria: Someone) -> None:
    assert not asked(texts(maria.phone, text))


def test_a_question_right_after_an_urgent_text_is_answered_without_asking(texts: Text, maria: Someone) -> None:
    texts(maria.phone, "ALARM")
    assert not asked(texts(maria.phone, "TRAVEL"))


def test_an_urgent_text_in_between_does_not_make_it_asked_twice_in_a_day(
    texts: Text, maria: Someone, clock: FrozenClock
) -> None:
    assert asked(texts(maria.phone, "TRAVEL"))
    texts(maria.phone, "ALARM")
    clock.forward(hours=6)
    assert not asked(texts(maria.phone, "TRAVEL"))


@pytest.mark.parametrize("text", ["what is withdrawal", "what does the alarm sound like, just asking", "MISSED"])
def test_the_answer_on_an_urgent_topic_is_not_asked_about(text: str, texts: Text, maria: Someone) -> None:
    assert not asked(texts(maria.phone, text))


def test_it_is_not_asked_while_a_visit_waits_to_be_confirmed(
    texts: Text, maria: Someone, desk: Desk, live_until: Callable[[datetime], None]
) -> None:
    visit = desk.books(maria, VISIT)
    live_until(FIRST)
    assert not asked(texts(maria.phone, "TRAVEL"))
    texts(maria.phone, "1")
    assert desk.visit(visit).confirmed_at is not None
    assert desk.rows(Feedback) == []


def test_a_reminder_after_it_takes_the_digit(
    texts: Text, maria: Someone, desk: Desk, clock: FrozenClock, live_until: Callable[[datetime], None]
) -> None:
    visit = desk.books(maria, VISIT)
    live_until(FIRST.replace(hour=14))
    assert asked(texts(maria.phone, "TRAVEL"))
    live_until(FIRST)
    texts(maria.phone, "1")
    assert desk.visit(visit).confirmed_at == clock()
    assert desk.rows(Feedback) == []


def test_a_phone_that_opted_out_is_not_asked(texts: Text, maria: Someone) -> None:
    texts(maria.phone, "STOP")
    assert not asked(texts(maria.phone, "TRAVEL"))


@pytest.mark.parametrize(
    ("text", "helped"),
    [("1", True), ("yes", True), ("Yes thanks", True), ("2", False), ("no", False), ("Nope", False)],
)
def test_what_they_say_is_recorded_with_the_answer_it_is_about(
    text: str, helped: bool, texts: Text, maria: Someone, desk: Desk, clock: FrozenClock
) -> None:
    texts(maria.phone, "TRAVEL")
    clock.forward(minutes=5)
    texts(maria.phone, text)
    [row] = desk.rows(Feedback)
    assert (row.phone_id, row.topic, row.language, row.helped, row.answered_at) == (
        maria.phone_id,
        "travel",
        "en",
        helped,
        clock(),
    )


def test_what_they_say_about_a_spanish_answer_is_recorded_as_such(texts: Text, maria: Someone, desk: Desk) -> None:
    assert texts(maria.phone, "CALOR").replies[0].body.endswith("¿Le ha servido? 1 si, 2 no")
    [reply] = texts(maria.phone, "1").replies
    assert [(row.language, row.helped) for row in desk.rows(Feedback)] == [("es", True)]
    assert reply.body.startswith("Gracias, es bueno saberlo.")


def test_an_answer_that_helped_leaves_no_task(texts: Text, maria: Someone, desk: Desk, last: Callable[[], str]) -> None:
    texts(maria.phone, "TRAVEL")
    texts(maria.phone, "1")
    assert last() == "text:helped_yes"
    assert desk.tasks() == []


def test_an_answer_that_did_not_help_is_read_by_a_nurse(
    texts: Text, maria: Someone, desk: Desk, last: Callable[[], str]
) -> None:
    texts(maria.phone, "TRAVEL")
    texts(maria.phone, "2")
    assert last() == "text:helped_no"
    [task] = desk.tasks()
    assert (task.kind, task.reason) == (TaskKind.QUESTION, "says that an answer did not help")


@pytest.mark.parametrize("digit", ["1", "2"])
def test_a_second_digit_means_nothing_and_is_recorded_nowhere(
    digit: str, texts: Text, maria: Someone, desk: Desk, last: Callable[[], str]
) -> None:
    texts(maria.phone, "TRAVEL")
    texts(maria.phone, "1")
    texts(maria.phone, digit)
    assert last() == "text:unknown"
    assert len(desk.rows(Feedback)) == 1


def test_more_still_goes_on_about_the_answer(texts: Text, maria: Someone, desk: Desk, last: Callable[[], str]) -> None:
    texts(maria.phone, "TRAVEL")
    texts(maria.phone, "MORE")
    assert last() == "more:travel"
    texts(maria.phone, "2")
    assert [row.helped for row in desk.rows(Feedback)] == [False]


def test_more_still_works_after_they_said_whether_it_helped(
    texts: Text, maria: Someone, last: Callable[[], str]
) -> None:
    texts(maria.phone, "TRAVEL")
    texts(maria.phone, "2")
    texts(maria.phone, "MORE")
    assert last() == "more:travel"


def test_a_digit_a_day_later_is_recorded_nowhere(texts: Text, maria: Someone, desk: Desk, clock: FrozenClock) -> None:
    texts(maria.phone, "TRAVEL")
    clock.forward(hours=24)
    texts(maria.phone, "2")
    assert desk.rows(Feedback) == []
