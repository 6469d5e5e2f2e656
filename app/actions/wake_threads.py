"""Conversations that were put off come back."""

from datetime import datetime

from sqlalchemy import select

from app.actions.audit import audit
from app.actions.each import each
from app.actions.line import Line
from app.actions.threads import Before, changed, settle
from app.db.threads import PhoneThread, ThreadState

AT_ONCE = 200


def wake_threads(line: Line, now: datetime) -> int:
    """Open every snoozed thread whose time has come; return how many."""
    with line.db.read() as session:
        due = select(PhoneThread.phone_id).where(
            PhoneThread.state == ThreadState.SNOOZED, PhoneThread.snoozed_until <= now
        )
        ids = session.scalars(due.order_by(PhoneThread.snoozed_until).limit(AT_ONCE)).all()
    return each(ids, "snoozed thread", lambda phone_id: _wake(line, phone_id, now))


def _wake(line: Line, phone_id: int, now: datetime) -> bool:
    with line.db.begin() as session:
        thread = session.get_one(PhoneThread, phone_id, with_for_update=True)
        if thread.state is not ThreadState.SNOOZED or thread.snoozed_until is None or thread.snoozed_until > now:
            return False
        before = Before(thread)
        thread.state, thread.snoozed_until = ThreadState.OPEN, None
        settle(session, thread)
        changed(session, thread, before, "woken", now, None)
        audit(session, now, "system", "thread woken", f"phone:{phone_id}")
        return True
