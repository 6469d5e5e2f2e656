"""Write down a phone call, so that the next nurse knows that it was made."""

import secrets
from datetime import datetime

from app.actions.audit import audit
from app.actions.errors import Refused
from app.actions.line import Line
from app.db.calls import PhoneCall
from app.db.inserts import insert_once
from app.db.people import Patient
from app.domain.calls import Outcome

LONGEST = 2_000


def record_call(
    line: Line, patient_id: int, outcome: str, note: str, now: datetime, staff_id: int, form_id: str | None = None
) -> None:
    """Keep one call; the same form sent twice (`form_id`) is one. Raises Refused for no outcome or too long a note."""
    said = note.replace("\r\n", "\n").replace("\0", "").strip()
    if outcome not in set(Outcome):
        raise Refused("choose how the call ended")
    if len(said) > LONGEST:
        raise Refused(f"too long: {len(said)} characters, at most {LONGEST}")
    with line.db.begin() as session:
        patient = session.get_one(Patient, patient_id)
        call_id = insert_once(
            session,
            PhoneCall,
            ("form_key",),
            clinic_id=patient.clinic_id,
            patient_id=patient_id,
            staff_id=staff_id,
            form_key=f"{staff_id}:{form_id or secrets.token_hex(8)}",
            outcome=Outcome(outcome),
            note=said or None,
            at=now,
        )
        if call_id is not None:
            audit(session, now, f"staff:{staff_id}", "call recorded", f"patient:{patient_id}", outcome=outcome)
