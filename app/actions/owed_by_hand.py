"""A text that somebody wrote, or that failed: take it back, send it now, send it again."""

from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from app.actions.audit import audit
from app.actions.errors import Refused
from app.actions.line import Line
from app.actions.outbox import owe
from app.actions.still_right import causes_of, step_causes_of
from app.actions.threads import settle, the_thread
from app.db.messages import OutboundMessage, Purpose
from app.db.people import Phone
from app.db.threads import ThreadState
from app.domain.delivery import FAILURES, DeliveryState
from app.domain.texts import Rendered

TAKEN_BACK = "taken back before it was sent"
SENT_AGAIN = "it was sent again already"


def take_back(line: Line, phone_id: int, message_id: int, now: datetime, staff_id: int) -> str:
    """Take back a text written by hand while it still waits; return its words. Raises Refused once it is on its way."""
    with line.db.begin() as session:
        message = _written(session, phone_id, message_id)
        if message.state is not DeliveryState.QUEUED:
            raise Refused("already sent: it can no longer be taken back", "conflict")
        message.state, message.state_at, message.reason = DeliveryState.WITHDRAWN, now, TAKEN_BACK
        thread = the_thread(session, message.clinic_id, phone_id, now)
        if thread.state is ThreadState.WAITING:
            thread.state = ThreadState.OPEN
        thread.version += 1
        settle(session, thread)
        audit(session, now, f"staff:{staff_id}", "text taken back", f"message:{message_id}")
        return message.body


def send_now(line: Line, phone_id: int, message_id: int, now: datetime, staff_id: int) -> None:
    """Let a text that waits for its hour leave now. Raises Refused where it waits no more."""
    with line.db.begin() as session:
        message = _written(session, phone_id, message_id)
        if message.state is not DeliveryState.QUEUED:
            raise Refused("it waits no more: look at its state", "conflict")
        message.due_at = min(message.due_at, now)
        audit(session, now, f"staff:{staff_id}", "text sent before its hour", f"message:{message_id}")


def retry_text(line: Line, phone_id: int, message_id: int, now: datetime, staff_id: int) -> int:
    """Owe the words of a text that failed once more, to the same phone; return the new text's id.

    Raises Refused for a text that did not fail, one that was sent again before or is no longer right, and for a phone
    that has opted out.
    """
    with line.db.begin() as session:
        message = session.get(OutboundMessage, message_id, with_for_update=True)
        if message is None or message.phone_id != phone_id or message.purpose is Purpose.PAGE:
            raise Refused("there is no such text", "missing")
        if message.state not in FAILURES:
            raise Refused("it did not fail: nothing was sent again", "conflict")
        if session.get_one(Phone, phone_id).opted_out_at is not None:
            raise Refused("this phone has opted out of texts: call instead", "conflict")
        _still_to_send(session, message)
        again = owe(
            session,
            clinic_id=message.clinic_id,
            phone_id=phone_id,
            words=Rendered(message.body, message.text_id, message.text_version, draft=False),
            purpose=Purpose.STAFF,
            dedupe_key=f"retry:{message_id}",
            now=now,
            patient_id=message.patient_id,
            staff_id=staff_id,
        )
        if again is None:
            raise Refused(SENT_AGAIN, "conflict")
        audit(session, now, f"staff:{staff_id}", "text sent again", f"message:{again}", failed=message_id)
        return again


def _still_to_send(session: Session, message: OutboundMessage) -> None:
    """Refuse what the line repeats by itself, and what the visit or the patient has left behind."""
    repeated = select(OutboundMessage.id).where(
        OutboundMessage.dedupe_key == f"{message.dedupe_key}:again{message.attempts}"
    )
    if session.scalar(repeated) is not None:
        raise Refused(SENT_AGAIN, "conflict")
    causes = causes_of(session, [message.reminder_id] if message.reminder_id else [])
    steps = step_causes_of(session, [message.care_step_id] if message.care_step_id else [])
    cause = causes.get(message.reminder_id or 0) or steps.get(message.care_step_id or 0)
    if cause and (why := cause.wrong_by_now()):
        raise Refused(f"it is no longer right ({why}): write a new text, or call", "conflict")


def _written(session: Session, phone_id: int, message_id: int) -> OutboundMessage:
    message = session.get(OutboundMessage, message_id, with_for_update=True)
    if message is None or message.phone_id != phone_id or message.purpose is not Purpose.STAFF:
        raise Refused("there is no such text", "missing")
    return message
