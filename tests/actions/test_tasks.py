"""Tasks: taken once, resolved with an outcome, opened again when there is more."""

from collections.abc import Callable

import pytest

from app.actions.acknowledge_task import acknowledge_task
from app.actions.add_staff import add_staff
from app.actions.errors import Refused
from app.actions.receive_text import Received
from app.actions.resolve_task import resolve_task
from app.db.work import Task, TaskState
from tests.conftest import Desk, FrozenClock, Someone


@pytest.fixture
def task(texts: Callable[..., Received], maria: Someone, desk: Desk) -> Task:
    texts(maria.phone, "purple umbrella")
    return desk.tasks()[0]


@pytest.fixture
def nurses(desk: Desk, clock: FrozenClock) -> list[int]:
    accounts = (("ana@clinic.example", "Ana"), ("ben@clinic.example", "Ben"))
    return [add_staff(desk.line.db, mail, name, "nurse", "a long enough password", clock()) for mail, name in accounts]


def test_a_task_can_be_taken_by_one_nurse_only(task: Task, nurses: list[int], desk: Desk, clock: FrozenClock) -> None:
    ana, ben = nurses
    acknowledge_task(desk.line, task.id, clock(), ana)
    acknowledge_task(desk.line, task.id, clock(), ana)
    with pytest.raises(Refused, match="someone else"):
        acknowledge_task(desk.line, task.id, clock(), ben)
    assert desk.tasks()[0].acknowledged_by == ana


def test_a_page_seen_before_a_change_changes_nothing(
    task: Task, nurses: list[int], desk: Desk, clock: FrozenClock
) -> None:
    acknowledge_task(desk.line, task.id, clock(), nurses[0])
    with pytest.raises(Refused, match="changed this task"):
        resolve_task(desk.line, task.id, "called", clock(), nurses[1], version=task.version)
    assert desk.tasks()[0].state is TaskState.ACKNOWLEDGED


def test_resolving_keeps_the_outcome_and_twice_keeps_the_first(
    task: Task, nurses: list[int], desk: Desk, clock: FrozenClock
) -> None:
    for outcome in ("called  back", "again"):
        resolve_task(desk.line, task.id, outcome, clock(), nurses[0])
    [row] = desk.rows(Task)
    assert (row.state, row.outcome, row.resolved_by) == (TaskState.RESOLVED, "called back", nurses[0])


def test_a_task_is_not_resolved_without_saying_how(
    task: Task, nurses: list[int], desk: Desk, clock: FrozenClock
) -> None:
    with pytest.raises(Refused, match="what came of it"):
        resolve_task(desk.line, task.id, "  ", clock(), nurses[0])


def test_more_of_the_same_opens_a_task_again_that_somebody_had(
    task: Task, nurses: list[int], texts: Callable[..., Received], maria: Someone, desk: Desk, clock: FrozenClock
) -> None:
    acknowledge_task(desk.line, task.id, clock(), nurses[0])
    texts(maria.phone, "green bicycle")
    [row] = desk.tasks()
    assert (row.id, row.state, row.acknowledged_by, row.acknowledged_at) == (task.id, TaskState.OPEN, None, None)


def test_after_a_task_is_resolved_the_next_text_opens_a_new_one(
    task: Task, nurses: list[int], texts: Callable[..., Received], maria: Someone, desk: Desk, clock: FrozenClock
) -> None:
    resolve_task(desk.line, task.id, "called", clock(), nurses[0])
    texts(maria.phone, "green bicycle")
    assert [row.id != task.id for row in desk.tasks()] == [True]


def test_a_task_that_does_not_exist_is_said_not_to(desk: Desk, clock: FrozenClock) -> None:
    with pytest.raises(Refused, match="no such task") as refused:
        acknowledge_task(desk.line, 404, clock(), None)
    assert refused.value.kind == "missing"
