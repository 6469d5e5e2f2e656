"""Two machines that answer each other stop after a few turns; a person in need is answered however often."""

from collections.abc import Callable
from dataclasses import replace

import pytest
from sqlalchemy import select, text

from app.actions.line import Line
from app.actions.receive_text import InboundText, Received, receive_text
from app.db.messages import InboundMessage
from app.db.work import Task, TaskKind
from app.domain.robots import SAME_WORDS, SAME_WORDS_IN_DANGER, WROTE_MUCH
from tests.conftest import Desk, FrozenClock, Someone

BUSY = "Hi, this phone is in holiday mode, see you in July"


@pytest.fixture
def says(line: Line, clock: FrozenClock) -> Callable[..., Received]:
    count = 0

    def say(someone: Someone, body: str, *, seconds: float = 5, a_day: int = 60) -> Received:
        nonlocal count
        count += 1
        clock.forward(seconds=seconds)
        limited = replace(line, answers_a_day=a_day)
        return receive_text(limited, InboundText(f"SM{count:032d}", someone.phone, "", body), clock())

    return say


def questions(line: Line) -> list[Task]:
    with line.db.read() as session:
        found = list(session.scalars(select(Task).where(Task.kind == TaskKind.QUESTION)))
        session.expunge_all()
        return found


def test_a_phone_that_answers_by_itself_is_answered_three_times_and_read_by_a_nurse(
    says: Callable[..., Received], maria: Someone, line: Line
) -> None:
    answered = [bool(says(maria, BUSY).replies) for _ in range(40)]
    assert answered == [True] * SAME_WORDS + [False] * (40 - SAME_WORDS)
    assert len(questions(line)) == 1, "one task, however often it comes"
    with line.db.read() as session:
        assert len(session.scalars(select(InboundMessage.id)).all()) == 40, "nothing that came is lost"


def test_other_words_and_the_next_day_are_answered_again(says: Callable[..., Received], maria: Someone) -> None:
    for _ in range(5):
        says(maria, BUSY)
    assert says(maria, "when is my refill").replies
    for _ in range(5):
        says(maria, BUSY)
    assert not says(maria, BUSY).replies
    assert says(maria, BUSY, seconds=86_400).replies


def test_keywords_and_short_answers_may_come_as_often_as_somebody_likes(
    says: Callable[..., Received], maria: Someone
) -> None:
    assert all(says(maria, "REFILL").replies for _ in range(8))


def test_the_same_urgent_words_are_always_answered_but_not_at_full_pace_for_ever(
    says: Callable[..., Received], maria: Someone, line: Line
) -> None:
    words = "my pump is beeping and I am itching all over"
    at_once = [bool(says(maria, words).replies) for _ in range(20)]
    assert at_once == [True] * SAME_WORDS_IN_DANGER + [False] * 10
    assert says(maria, words, seconds=61).replies, "a minute later it is said again"
    with line.db.read() as session:
        alerts = session.scalars(select(Task).where(Task.kind == TaskKind.ALERT)).all()
    assert len(alerts) == 1


def test_somebody_in_danger_is_not_taken_for_a_machine_after_three_texts(
    says: Callable[..., Received], maria: Someone
) -> None:
    says(maria, "my pump is beeping and I am itching all over")
    assert all(says(maria, "please somebody tell me what now").replies for _ in range(6))


def test_a_phone_is_answered_so_often_a_day_and_its_emergencies_all_the_same(
    says: Callable[..., Received], maria: Someone, line: Line
) -> None:
    for n in range(12):
        says(maria, f"can i swim with my pump, part {n}", a_day=12)
    assert not says(maria, "can i swim with my pump, the last part", a_day=12).replies
    assert [task.reason for task in questions(line)] == [WROTE_MUCH]
    assert says(maria, "my pump is beeping and I am itching all over", a_day=12).replies
    assert says(maria, "STOP", a_day=12).replies, "opting out is confirmed"


def test_two_machines_stop(says: Callable[..., Received], maria: Someone, desk: Desk) -> None:
    """The other one answers whatever we say, at once; the last word is ours or nobody's."""
    turns = 0
    received = says(maria, BUSY)
    while received.replies and turns < 100:
        turns += 1
        received = says(maria, BUSY, seconds=1)
    assert turns == SAME_WORDS
    assert len(desk.messages()) == SAME_WORDS


def test_an_earlier_text_that_cannot_be_read_loses_no_later_one(
    says: Callable[..., Received], maria: Someone, line: Line
) -> None:
    for _ in range(4):
        says(maria, BUSY)
    with line.db.begin() as session:
        session.execute(text("UPDATE inbound_message SET body = :bad"), {"bad": b"nonsense"})
    assert says(maria, "my pump is beeping and I am itching all over").replies
    assert says(maria, BUSY).replies


def test_no_days_count_holds_while_an_emergency_is_under_way(says: Callable[..., Received], maria: Someone) -> None:
    says(maria, "my pump is beeping and I am itching all over", a_day=12)
    assert all(says(maria, f"what do i do now, minute {n}", a_day=12).replies for n in range(15))
