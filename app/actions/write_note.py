"""A nurse writes a note beside a conversation, for colleagues only."""

import secrets
from datetime import datetime

from app.actions.audit import audit
from app.actions.errors import Refused
from app.actions.line import Line
from app.actions.threads import the_thread
from app.db.inserts import insert_once
from app.db.people import Phone
from app.db.threads import ThreadNote

LONGEST = 4_000


def write_note(line: Line, phone_id: int, body: str, now: datetime, staff_id: int, form_id: str | None = None) -> None:
    """Keep one note; the same form sent twice (`form_id`) is one. Raises Refused for an empty or too long one."""
    said = body.replace("\r\n", "\n").strip()
    if not said:
        raise Refused("write something first")
    if len(said) > LONGEST:
        raise Refused(f"too long: {len(said)} characters, at most {LONGEST}")
    with line.db.begin() as session:
        phone = session.get_one(Phone, phone_id)
        the_thread(session, phone.clinic_id, phone_id, now)
        note_id = insert_once(
            session,
            ThreadNote,
            ("form_key",),
            clinic_id=phone.clinic_id,
            phone_id=phone_id,
            staff_id=staff_id,
            form_key=f"{staff_id}:{form_id or secrets.token_hex(8)}",
            body=said,
            at=now,
        )
        if note_id is not None:
            audit(session, now, f"staff:{staff_id}", "note written", f"note:{note_id}", phone=phone_id)
