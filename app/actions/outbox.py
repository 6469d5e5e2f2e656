"""Writing down a text we owe. Sending is another verb."""

import secrets
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Update, bindparam, update
from sqlalchemy.orm import Session

from app.actions.threads import text_went
from app.db.inserts import insert_once
from app.db.messages import OutboundMessage, Purpose
from app.domain.delivery import DeliveryState
from app.domain.texts import Rendered
from app.domain.validity import helps_for
from app.logs import current_request, new_request
from faq.segments import measure

ABOUT_PAGES = "text:page"  # to the on-call phone, which is no patient's and has no thread


def owe(
    session: Session,
    *,
    clinic_id: int,
    phone_id: int,
    words: Rendered,
    purpose: Purpose,
    dedupe_key: str,
    now: datetime,
    due_at: datetime | None = None,
    expires_at: datetime | None = None,
    urgent: bool = False,
    state: DeliveryState = DeliveryState.QUEUED,
    token: str | None = None,
    **causes: Any,
) -> int | None:
    """Write one message row; None where this cause has its message already.

    `expires_at`: when it helps no more, by what it is about; else its purpose says how long it helps.
    `token` names it in its status callback; made here unless the caller must know it. `causes`: patient_id,
    inbound_id, reminder_id, task_id, staff_id, asks, attempts.
    """
    message_id = insert_once(
        session,
        OutboundMessage,
        ("dedupe_key",),
        clinic_id=clinic_id,
        phone_id=phone_id,
        dedupe_key=dedupe_key,
        token=token or new_token(),
        purpose=purpose,
        urgent=urgent,
        body=words.body,
        text_id=words.text_id,
        text_version=words.version,
        segments=measure(words.body).count,
        state=state,
        state_at=now,
        due_at=due_at or now,
        expires_at=expires_at or (due_at or now) + helps_for(purpose, urgent=urgent),
        created_at=now,
        **({"attempts": 0} | causes),
    )
    if message_id is not None and purpose is not Purpose.PAGE and not words.text_id.startswith(ABOUT_PAGES):
        text_went(session, clinic_id, phone_id, message_id, now)
    return message_id


def new_token() -> str:
    """Return what names a message in its status callback: the request that it follows from, and a secret of its own."""
    return f"{current_request() or new_request()}-{secrets.token_urlsafe(12)}"


def taking_back(*conditions: ColumnElement[bool]) -> Update:
    """Make the statement that takes back queued texts of some kind: once a kind, for `withdraw` to run."""
    return (
        update(OutboundMessage)
        .where(OutboundMessage.state == DeliveryState.QUEUED, *conditions)
        .values(state=DeliveryState.WITHDRAWN, state_at=bindparam("now"), reason=bindparam("because"))
        .execution_options(synchronize_session="fetch")
    )


def withdraw(session: Session, now: datetime, reason: str, texts: Update, **which: Any) -> int:
    """Take back queued texts that are no longer right; those already on their way stay as they are."""
    result: Any = session.execute(texts, {"now": now, "because": reason, **which})
    return int(result.rowcount)
