"""A hold on a patient's record, or on a whole clinic's, stops all erasing until it is lifted."""

from datetime import datetime

from sqlalchemy import update
from sqlalchemy.orm import Session

from app.actions.audit import audit
from app.actions.errors import Refused
from app.actions.line import Line
from app.actions.visits import the_patient
from app.db.people import Clinic
from app.db.retention import Forgotten, LegalHold, open_hold

LONGEST_REASON = 500


def place_hold(
    line: Line,
    clinic_id: int,
    patient_id: int | None,
    reason: str,
    now: datetime,
    actor: str,
    staff_id: int | None = None,
) -> int:
    """Hold a patient's record, or the clinic's where no patient is named; return the hold's id. Raises Refused."""
    words = " ".join(reason.replace("\0", "").split())
    if not 1 <= len(words) <= LONGEST_REASON:
        raise Refused(f"say why it is held, in at most {LONGEST_REASON} characters")
    with line.db.begin() as session:
        # whatever erases by age shares this row: a hold is placed before a batch or after it
        session.get_one(Clinic, clinic_id, with_for_update={"key_share": True})
        if patient_id is None:
            pass
        elif (patient := the_patient(session, patient_id)).clinic_id != clinic_id or patient.erased_at is not None:
            raise Refused("there is no such patient, or the record was erased", "missing")
        if open_hold(session, clinic_id, patient_id) is not None:
            raise Refused("it is held already: nothing was changed", "conflict")
        hold = LegalHold(clinic_id=clinic_id, patient_id=patient_id, reason=words, placed_at=now, placed_by=staff_id)
        session.add(hold)
        session.flush()
        audit(session, now, actor, "hold placed", _subject(hold), hold=hold.id)
        return hold.id


def lift_hold(
    line: Line, hold_id: int, now: datetime, actor: str, staff_id: int | None = None, clinic_id: int | None = None
) -> None:
    """Lift one, of this clinic where one is named. What it kept is looked at again. Raises Refused."""
    with line.db.begin() as session:
        hold = session.get(LegalHold, hold_id, with_for_update=True)
        others = hold is not None and clinic_id not in (None, hold.clinic_id)
        if hold is None or others or hold.lifted_at is not None:
            raise Refused("that hold was lifted already: nothing was changed", "missing")
        hold.lifted_at, hold.lifted_by = now, staff_id
        look_again(session)
        audit(session, now, actor, "hold lifted", _subject(hold), hold=hold.id)


def look_again(session: Session) -> None:
    session.execute(update(Forgotten).values(up_to_id=0))


def _subject(hold: LegalHold) -> str:
    return f"clinic:{hold.clinic_id}" if hold.patient_id is None else f"patient:{hold.patient_id}"
