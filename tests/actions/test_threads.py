"""A thread is kept in step by whatever changes a text or a task."""

import re
from collections.abc import Callable
from pathlib import Path

import pytest

from app.actions.add_staff import add_staff
from app.actions.line import Line
from app.actions.reply_by_hand import reply_by_hand
from app.actions.resolve_task import resolve_task
from app.actions.threads import OF_THREADS
from app.db.messages import OutboundMessage
from app.db.threads import PhoneThread, ThreadState
from app.db.work import TaskKind
from tests.conftest import Desk, FrozenClock, Someone
from tests.web.inbox_stage import NONSENSE, Text

ROOT = Path(__file__).parent.parent.parent


@pytest.fixture
def ana(line: Line, clock: FrozenClock) -> int:
    return add_staff(line.db, "ana@clinic.example", "Ana", "nurse", "a long enough password", clock())


def thread(desk: Desk) -> PhoneThread:
    return desk.rows(PhoneThread)[0]


def test_every_task_that_a_text_can_open_is_one_that_its_thread_hears_of() -> None:
    opened = {
        kind
        for file in (ROOT / "app/domain").glob("*.py")
        for kind in re.findall(r'OpenTask\("(\w+)"', file.read_text())
    }
    assert len(opened) >= 6
    assert {TaskKind(kind) for kind in opened} <= OF_THREADS


def test_the_wait_begins_with_the_first_text_that_wants_a_person(
    maria: Someone, texts: Text, desk: Desk, clock: FrozenClock
) -> None:
    texts(maria.phone, "TRAVEL")
    assert thread(desk).waiting_since is None
    clock.forward(minutes=1)
    began = clock()
    texts(maria.phone, NONSENSE)
    clock.forward(minutes=1)
    texts(maria.phone, NONSENSE)
    assert thread(desk).waiting_since == began


def test_resolving_the_task_ends_the_wait(
    maria: Someone, texts: Text, desk: Desk, line: Line, clock: FrozenClock, ana: int
) -> None:
    texts(maria.phone, NONSENSE)
    [task] = desk.tasks(TaskKind.QUESTION)
    resolve_task(line, task.id, "Called, settled", clock(), ana)
    assert thread(desk).waiting_since is None
    assert thread(desk).state is ThreadState.OPEN


def test_of_two_tasks_the_other_one_still_waits(
    maria: Someone, texts: Text, desk: Desk, line: Line, clock: FrozenClock, ana: int
) -> None:
    texts(maria.phone, NONSENSE)
    clock.forward(minutes=5)
    asked = clock()
    texts(maria.phone, "i need to talk to a nurse")
    [question] = desk.tasks(TaskKind.QUESTION)
    resolve_task(line, question.id, "Called, settled", clock(), ana)
    assert thread(desk).waiting_since == asked


def test_what_came_after_the_nurses_answer_waits_from_then_on(
    maria: Someone, texts: Text, desk: Desk, line: Line, clock: FrozenClock, ana: int
) -> None:
    texts(maria.phone, NONSENSE)
    clock.forward(minutes=1)
    reply_by_hand(line, maria.phone_id, maria.id, "Which day?", clock(), ana)
    assert (thread(desk).state, thread(desk).waiting_since) == (ThreadState.WAITING, None)
    clock.forward(minutes=1)
    again = clock()
    texts(maria.phone, "purple thursday")
    assert (thread(desk).state, thread(desk).waiting_since) == (ThreadState.OPEN, again)


def test_a_call_that_was_made_takes_a_failed_thread_from_the_top(
    maria: Someone,
    desk: Desk,
    line: Line,
    clock: FrozenClock,
    ana: int,
    owed: Callable[..., int],
    beat: Callable[[], None],
) -> None:
    late = owed(maria, expires_at=clock())
    beat()  # too late to send
    assert thread(desk).failed_at is not None
    assert thread(desk).state is ThreadState.OPEN  # it began closed, and is not done with
    assert desk.rows(OutboundMessage, OutboundMessage.id == late)[0].state == "expired"
    [task] = desk.tasks(TaskKind.UNDELIVERED)
    resolve_task(line, task.id, "Called, settled", clock(), ana)
    assert thread(desk).failed_at is None


def test_an_alert_raised_twice_has_one_beginning(maria: Someone, texts: Text, desk: Desk, clock: FrozenClock) -> None:
    began = clock()
    texts(maria.phone, "my pump alarm is beeping")
    clock.forward(minutes=10)
    texts(maria.phone, "now im itchy all over")
    assert thread(desk).urgent_since == began
