"""Put back what a nurse did to a conversation a moment ago."""

from datetime import datetime

from app.actions.audit import audit
from app.actions.errors import Refused
from app.actions.line import Line
from app.actions.settle_thread import ALERT_FIRST
from app.actions.threads import Before, changed, settle, the_thread, unresolved_alert_since
from app.db.threads import ThreadChange, ThreadState

CAN_BE_UNDONE = ("assigned", "closed", "reopened", "snoozed")


def undo_thread(line: Line, phone_id: int, change_id: int, now: datetime, staff_id: int) -> None:
    """Restore who had the thread and its state. Raises Refused where anything has happened to it since."""
    with line.db.begin() as session:
        change = session.get(ThreadChange, change_id)
        if change is None or change.phone_id != phone_id or change.did not in CAN_BE_UNDONE:
            raise Refused("there is nothing to undo", "missing")
        thread = the_thread(session, change.clinic_id, phone_id, now)
        if thread.version != change.version:
            raise Refused("something happened to it since: nothing was undone", "conflict")
        hides = change.state_before in (ThreadState.CLOSED, ThreadState.SNOOZED)
        if hides and unresolved_alert_since(session, thread) is not None:
            raise Refused(ALERT_FIRST, "conflict")
        before = Before(thread)
        thread.assignee_id = change.assignee_before
        thread.state, thread.snoozed_until = change.state_before, change.snoozed_before
        settle(session, thread)
        changed(session, thread, before, "undone", now, staff_id)
        audit(session, now, f"staff:{staff_id}", "thread change undone", f"phone:{phone_id}", change=change_id)
