"""A nurse closes a conversation, opens it again, or puts it off."""

from datetime import datetime, timedelta
from typing import Literal

from sqlalchemy.orm import Session

from app.actions.audit import audit
from app.actions.errors import Refused
from app.actions.line import Line
from app.actions.threads import Before, changed, settle, the_thread, unresolved_alert_since
from app.db.people import Phone
from app.db.threads import PhoneThread, ThreadState

LONGEST_SNOOZE = timedelta(days=365)
ALERT_FIRST = "an urgent alert about it has no outcome yet: acknowledge and resolve the alert first"

Act = Literal["closed", "reopened", "snoozed"]
_STATES: dict[Act, ThreadState] = {
    "closed": ThreadState.CLOSED,
    "reopened": ThreadState.OPEN,
    "snoozed": ThreadState.SNOOZED,
}


def settle_thread(
    line: Line, phone_id: int, act: Act, now: datetime, staff_id: int, version: int, until: datetime | None = None
) -> int | None:
    """Close, reopen or snooze (`until`) a thread; return the id of the change, None where it was so already.

    Raises Refused where an alert has no outcome, where the thread changed since `version`, and for a snooze that ends
    in the past or after a year. Nothing is done to any task or alert.
    """
    with line.db.begin() as session:
        phone = session.get_one(Phone, phone_id)
        thread = the_thread(session, phone.clinic_id, phone_id, now)
        if act != "snoozed" and thread.state is _STATES[act]:
            return None
        _may(session, thread, act, version)
        if act == "snoozed" and (until is None or not now < until <= now + LONGEST_SNOOZE):
            raise Refused("choose a time that is to come, within a year")
        before = Before(thread)
        thread.state, thread.snoozed_until = _STATES[act], until if act == "snoozed" else None
        settle(session, thread)
        more = {"until": until} if act == "snoozed" else {}
        change = changed(session, thread, before, act, now, staff_id, **more)
        audit(session, now, f"staff:{staff_id}", f"thread {act}", f"phone:{phone_id}", was=before.state.value)
        return change


def _may(session: Session, thread: PhoneThread, act: Act, version: int) -> None:
    if act != "reopened" and unresolved_alert_since(session, thread) is not None:
        raise Refused(ALERT_FIRST, "conflict")
    if thread.version != version:
        raise Refused("it changed since you looked: nothing was done", "conflict")
