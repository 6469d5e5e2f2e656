"""A nurse takes an alert or a task: pages stop."""

from datetime import datetime

from sqlalchemy.orm import Session

from app.actions.errors import Refused
from app.actions.line import Line
from app.actions.tasks import acknowledge, stop_pages
from app.db.work import Task, TaskState


def acknowledge_task(line: Line, task_id: int, now: datetime, staff_id: int | None, version: int | None = None) -> None:
    """Acknowledge a task. Raises Refused where somebody else has it, it is resolved, or it changed since `version`."""
    with line.db.begin() as session:
        task = the_task(session, task_id, version)
        if task.state is TaskState.RESOLVED:
            raise Refused("this task is resolved already", "conflict")
        if task.state is TaskState.ACKNOWLEDGED and task.acknowledged_by != staff_id:
            raise Refused("someone else acknowledged this a moment ago", "conflict")
        acknowledge(session, now, task, staff_id, f"staff:{staff_id}" if staff_id else "command")
        stop_pages(session, now, task.id)


def the_task(session: Session, task_id: int, version: int | None) -> Task:
    task = session.get(Task, task_id, with_for_update=True)
    if task is None:
        raise Refused("there is no such task: see `pumpline tasks list`", "missing")
    if version is not None and task.version != version:
        raise Refused("someone changed this task meanwhile: look at it again, nothing was changed", "conflict")
    return task
