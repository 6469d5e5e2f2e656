"""Somebody takes a conversation, gives it to a colleague, or lets it go."""

from datetime import datetime

from app.actions.audit import audit
from app.actions.errors import Refused
from app.actions.line import Line
from app.actions.threads import Before, changed, the_thread
from app.db.people import Phone, Staff
from app.domain.permissions import Permission, may


def assign_thread(
    line: Line, phone_id: int, to_id: int | None, seen_id: int | None, now: datetime, staff_id: int
) -> int | None:
    """Assign a thread; return the id of the change, None where it was so already.

    `seen_id`: who had it when it was looked at. Raises Refused where somebody else has it by now, and for somebody who
    may not write to patients of this clinic.
    """
    with line.db.begin() as session:
        phone = session.get_one(Phone, phone_id)
        thread = the_thread(session, phone.clinic_id, phone_id, now)
        if thread.assignee_id == to_id:
            return None
        if thread.assignee_id != seen_id:
            raise Refused("somebody else took it a moment ago: nothing was changed", "conflict")
        if to_id is not None:
            colleague = session.get(Staff, to_id)
            works_here = colleague is not None and colleague.active and colleague.clinic_id == phone.clinic_id
            if colleague is None or not works_here or not may(colleague.role, Permission.WRITE_PATIENTS):
                raise Refused("there is no such colleague: choose one from the list")
        before = Before(thread)
        thread.assignee_id = to_id
        change = changed(session, thread, before, "assigned", now, staff_id, to_id=to_id)
        audit(session, now, f"staff:{staff_id}", "thread assigned", f"phone:{phone_id}", to=to_id)
        return change
