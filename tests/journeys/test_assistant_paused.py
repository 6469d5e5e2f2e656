"""A nurse has the conversation: the assistant leaves questions to her, and nothing that may save somebody."""

from collections.abc import Callable
from datetime import timedelta

import pytest

from app.actions.add_staff import add_staff
from app.actions.line import Line
from app.actions.pause_assistant import resume_assistant
from app.actions.receive_text import Received
from app.actions.reply_by_hand import reply_by_hand
from app.db.messages import InboundMessage
from app.db.people import Phone
from app.db.threads import PhoneThread
from app.db.work import TaskKind
from tests.conftest import Desk, FrozenClock, Someone
from tests.fakes.twilio_server import FakeTwilio

Text = Callable[..., Received]


@pytest.fixture
def ana(line: Line, clock: FrozenClock) -> int:
    return add_staff(line.db, "ana@clinic.example", "Ana", "nurse", "a long enough password", clock())


@pytest.fixture
def writes(line: Line, maria: Someone, clock: FrozenClock, ana: int) -> Callable[[str], int]:
    """Ana writes to Maria: from now on she has the conversation."""
    return lambda words: reply_by_hand(line, maria.phone_id, maria.id, words, clock(), ana)


def bodies(received: Received) -> list[str]:
    return [reply.body for reply in received.replies]


def test_a_question_after_a_nurses_reply_waits_for_the_nurse(
    writes: Callable[[str], int], texts: Text, maria: Someone, desk: Desk
) -> None:
    assert bodies(texts(maria.phone, "can i fly"))  # the assistant answers
    writes("Maria, which airline is it?")
    assert bodies(texts(maria.phone, "can i fly with delta")) == []
    [task] = desk.tasks(TaskKind.QUESTION)
    assert task.phone_id == maria.phone_id
    assert desk.rows(PhoneThread)[0].waiting_since is not None


def test_the_pause_ends_with_the_clinics_day(
    writes: Callable[[str], int], texts: Text, maria: Someone, clock: FrozenClock
) -> None:
    writes("Hello Maria")
    clock.to(clock().replace(hour=21, minute=59))  # 16:59 in New York
    assert bodies(texts(maria.phone, "can i fly")) == []
    clock.forward(minutes=1)
    assert bodies(texts(maria.phone, "can i fly"))


def test_a_nurse_lets_it_answer_again(
    writes: Callable[[str], int], texts: Text, maria: Someone, line: Line, clock: FrozenClock, ana: int
) -> None:
    writes("Hello Maria")
    assert resume_assistant(line, maria.phone_id, clock(), ana)
    assert not resume_assistant(line, maria.phone_id, clock(), ana)
    assert bodies(texts(maria.phone, "can i fly"))


def test_the_pause_is_of_that_phone_alone(
    writes: Callable[[str], int], texts: Text, add_patient: Callable[..., Someone]
) -> None:
    other = add_patient("Grace", "+16145550150")
    writes("Hello Maria")
    assert bodies(texts(other.phone, "can i fly"))


@pytest.mark.parametrize(
    "words",
    [
        "my pump alarm is beeping",
        "hes super itchy n twitchy since last nite",
        "i cant breathe right and im so sleepy",
        "i want to kill myself",
        "mi bomba esta sonando y tengo mucha picazon",
        "STOP my pump is beeping",
    ],
)
def test_an_emergency_is_answered_alerted_and_paged_as_ever(
    writes: Callable[[str], int],
    texts: Text,
    maria: Someone,
    desk: Desk,
    beat: Callable[[], None],
    twilio: FakeTwilio,
    words: str,
) -> None:
    writes("Hello Maria")
    received = texts(maria.phone, words)
    assert any(reply.urgent for reply in received.replies)
    assert len(desk.tasks(TaskKind.ALERT)) == 1
    beat()
    assert any(message.to == "+16145550190" for message in twilio.accepted)
    assert desk.rows(PhoneThread, PhoneThread.phone_id == maria.phone_id)[0].urgent_since is not None


def test_narrowing_down_an_emergency_goes_on(
    writes: Callable[[str], int], texts: Text, maria: Someone, desk: Desk
) -> None:
    texts(maria.phone, "something is wrong with him")
    [before] = desk.tasks(TaskKind.ALERT)
    writes("I am calling you now.")
    answered = texts(maria.phone, "1")
    assert any(reply.urgent for reply in answered.replies)
    [after] = desk.tasks(TaskKind.ALERT)
    assert after.version > before.version
    assert "Answered yes" in after.reason


def test_stop_start_and_help_are_honoured(
    writes: Callable[[str], int], texts: Text, maria: Someone, desk: Desk
) -> None:
    writes("Hello Maria")
    assert bodies(texts(maria.phone, "HELP"))
    texts(maria.phone, "STOP")
    assert desk.rows(Phone, Phone.id == maria.phone_id)[0].opted_out_at is not None
    texts(maria.phone, "START")
    assert desk.rows(Phone, Phone.id == maria.phone_id)[0].opted_out_at is None


def test_a_visit_is_confirmed_by_its_digit(
    writes: Callable[[str], int],
    texts: Text,
    maria: Someone,
    desk: Desk,
    clock: FrozenClock,
    live_until: Callable[[object], None],
) -> None:
    visit = desk.books(maria, clock() + timedelta(days=3))
    live_until(clock() + timedelta(days=1, hours=1))  # the reminder of two days before
    writes("See you Thursday, Maria?")
    assert bodies(texts(maria.phone, "1"))
    assert desk.visit(visit).confirmed_at is not None


def test_a_check_in_that_says_unwell_is_an_alert(
    writes: Callable[[str], int],
    texts: Text,
    maria: Someone,
    desk: Desk,
    live_until: Callable[[object], None],
    clock: FrozenClock,
) -> None:
    desk.fills(maria)
    live_until(clock() + timedelta(hours=5))  # how are you, one digit
    writes("Did the visit go well?")
    received = texts(maria.phone, "2")
    assert any(reply.urgent for reply in received.replies)
    assert len(desk.tasks(TaskKind.ALERT)) == 1


def test_the_trace_says_why_nothing_was_answered(
    writes: Callable[[str], int], texts: Text, maria: Someone, desk: Desk
) -> None:
    writes("Hello Maria")
    texts(maria.phone, "can i fly")
    assert "A nurse has the conversation: not answered, left for the nurse" in desk.rows(InboundMessage)[-1].trace


def test_the_same_webhook_again_stays_silent(writes: Callable[[str], int], texts: Text, maria: Someone) -> None:
    writes("Hello Maria")
    assert texts(maria.phone, "can i fly", sid="SM" + "a" * 32).replies == ()
    again = texts(maria.phone, "can i fly", sid="SM" + "a" * 32)
    assert (again.replies, again.repeated) == ((), True)
