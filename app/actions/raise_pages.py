"""Page again about every alert that nobody has acknowledged."""

from datetime import datetime

from sqlalchemy import select

from app.actions.alerts import page
from app.actions.each import each
from app.actions.line import Line
from app.db.people import Clinic
from app.db.work import Task, TaskState


def raise_pages(line: Line, now: datetime) -> int:
    """Owe one more page for each alert whose time has come; return how many."""
    with line.db.read() as session:
        ids = session.scalars(
            select(Task.id).where(Task.state == TaskState.OPEN, Task.next_page_at <= now).order_by(Task.next_page_at)
        ).all()
    return each(ids, "alert", lambda task_id: _again(line, task_id, now))


def _again(line: Line, task_id: int, now: datetime) -> bool:
    with line.db.begin() as session:
        task = session.get_one(Task, task_id, with_for_update=True)
        if task.state is not TaskState.OPEN or task.next_page_at is None or task.next_page_at > now:
            return False  # acknowledged meanwhile, or paged by another worker
        page(line, session, now, session.get_one(Clinic, task.clinic_id), task)
        return True
