"""A nurse closes a task, with what came of it."""

from datetime import datetime

from app.actions.acknowledge_task import the_task
from app.actions.audit import audit
from app.actions.errors import Refused
from app.actions.line import Line
from app.actions.tasks import acknowledge, stop_pages
from app.actions.threads import task_settled
from app.db.work import TaskKind, TaskState


def resolve_task(
    line: Line, task_id: int, outcome: str, now: datetime, staff_id: int | None, version: int | None = None
) -> None:
    """Resolve a task, acknowledging it by the way. Twice changes nothing. Raises Refused without an outcome."""
    said = " ".join(outcome.split())
    if not said:
        raise Refused("say what came of it: choose or write an outcome")
    with line.db.begin() as session:
        task = the_task(session, task_id, None)
        if task.state is TaskState.RESOLVED:
            return
        task = the_task(session, task_id, version)
        if task.kind is TaskKind.SECOND_PERSON:
            raise Refused("confirm or decline the entry that waits: the task closes by itself", "conflict")
        actor = f"staff:{staff_id}" if staff_id else "command"
        acknowledge(session, now, task, staff_id, actor)
        task.state, task.resolved_at, task.resolved_by, task.outcome = TaskState.RESOLVED, now, staff_id, said[:500]
        task.next_page_at, task.version = None, task.version + 1
        stop_pages(session, now, task.id)
        task_settled(session, task)
        audit(session, now, actor, "task resolved", f"task:{task.id}")
