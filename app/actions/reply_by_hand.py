"""A nurse writes to a phone."""

import secrets
from datetime import datetime

from app.actions.audit import audit
from app.actions.errors import Refused
from app.actions.line import Line
from app.actions.outbox import owe
from app.db.messages import Purpose
from app.db.people import Phone
from app.domain.texts import Rendered

LONGEST = 1_600  # Twilio's limit, error 21617


def reply_by_hand(
    line: Line,
    phone_id: int,
    patient_id: int | None,
    body: str,
    now: datetime,
    staff_id: int,
    form_id: str | None = None,
) -> int:
    """Owe one text written by hand; return its id. The same form sent twice (`form_id`) is one text.

    Raises Refused for an empty or too long text and for a phone that has opted out.
    """
    said = body.replace("\r\n", "\n").strip()
    if not said:
        raise Refused("write something first")
    if len(said) > LONGEST:
        raise Refused(f"too long: {len(said)} characters, at most {LONGEST}")
    with line.db.begin() as session:
        phone = session.get(Phone, phone_id)
        if phone is None:
            raise Refused("there is no such phone", "missing")
        if phone.opted_out_at is not None:
            raise Refused("this phone has opted out of texts: call instead", "conflict")
        message_id = owe(
            session,
            clinic_id=phone.clinic_id,
            phone_id=phone_id,
            words=Rendered(said, "by hand", 1, draft=False),
            purpose=Purpose.STAFF,
            dedupe_key=f"staff:{staff_id}:{form_id or secrets.token_hex(8)}",
            now=now,
            patient_id=patient_id,
            staff_id=staff_id,
        )
        if message_id is None:
            raise Refused("this text was sent already", "conflict")
        audit(session, now, f"staff:{staff_id}", "text written", f"message:{message_id}")
        return message_id
