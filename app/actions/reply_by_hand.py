"""A nurse writes to a phone."""

import secrets
from datetime import datetime
from zoneinfo import ZoneInfo

from sqlalchemy.orm import Session

from app.actions.audit import audit
from app.actions.errors import Refused
from app.actions.line import Line
from app.actions.outbox import owe
from app.actions.threads import the_thread
from app.db.messages import Purpose
from app.db.people import Clinic, Phone
from app.db.threads import ThreadState
from app.domain.paused import paused_until
from app.domain.replies import unfilled
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
    due_at: datetime | None = None,
) -> int:
    """Owe one text written by hand; return its id. The same form sent twice (`form_id`) is one text.

    It leaves at `due_at`; until then it can be taken back. From now on the nurse has the conversation: the thread waits
    for the patient, and the assistant leaves questions to the nurse until the clinic's day ends.

    Raises Refused for an empty or too long text, for one with an empty place, and for a phone that has opted out.
    """
    said = body.replace("\r\n", "\n").strip()
    if not said:
        raise Refused("write something first")
    if len(said) > LONGEST:
        raise Refused(f"too long: {len(said)} characters, at most {LONGEST}")
    if places := unfilled(said):
        raise Refused(f"fill in {' and '.join(places)} first")
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
            due_at=due_at,
            patient_id=patient_id,
            staff_id=staff_id,
        )
        if message_id is None:
            raise Refused("this text was sent already", "conflict")
        _answered(line, session, phone, now, staff_id)
        audit(session, now, f"staff:{staff_id}", "text written", f"message:{message_id}")
        return message_id


def _answered(line: Line, session: Session, phone: Phone, now: datetime, staff_id: int) -> None:
    thread = the_thread(session, phone.clinic_id, phone.id, now)
    zone = ZoneInfo(session.get_one(Clinic, phone.clinic_id).time_zone)
    thread.state, thread.snoozed_until, thread.waiting_since = ThreadState.WAITING, None, None
    thread.paused_until, thread.paused_by = paused_until(now, zone, line.day_ends), staff_id
    thread.version += 1
    thread.place()
