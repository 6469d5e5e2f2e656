"""Page again about every alert that nobody has acknowledged."""

from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from app.actions.alerts import page
from app.actions.each import each
from app.actions.line import Line
from app.db.messages import InboundMessage
from app.db.people import Clinic
from app.db.work import Task, TaskState, TaskText
from app.logs import following, new_request, request_of


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
        with following(_request(session, task_id)):
            page(line, session, now, session.get_one(Clinic, task.clinic_id), task)
        return True


def _request(session: Session, task_id: int) -> str:
    """Return the request id of the newest text of an alert, so that the log shows what its pages are about."""
    newest = (
        select(InboundMessage.provider_id)
        .join(TaskText, TaskText.inbound_id == InboundMessage.id)
        .where(TaskText.task_id == task_id)
        .order_by(TaskText.id.desc())
        .limit(1)
    )
    provider_id = session.scalar(newest)
    return request_of(provider_id) if provider_id else new_request()
