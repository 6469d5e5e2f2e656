"""The second person at the bedside: says who they are, and what they themselves read off vial and programmer."""

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from sqlalchemy import select
from sqlalchemy.orm import Session

from app.actions.audit import audit
from app.actions.confirm_entry import confirm_refill
from app.actions.errors import Refused
from app.actions.line import Line
from app.actions.sign_in import Browser, NotSignedIn, check_password
from app.db.care import EntryState, Program, Pump, Refill
from app.db.people import Patient, Staff
from app.domain.permissions import Permission, may

MISMATCH = (
    "what you read is not what was entered: look at vial and programmer again, both of you. "
    "Nothing was confirmed; the entry still waits"
)


@dataclass(frozen=True)
class Reading:
    """What the second person read: mcg/mL on the vial, mcg a day in the programmer (of the refill's weekday)."""

    concentration_mcg_per_ml: Decimal
    daily_dose_mcg: Decimal


@dataclass(frozen=True)
class Colleague:
    """Who says so: a member of staff with their password; `at` is the machine's time, by which tries are counted."""

    staff_id: int
    password: str
    browser: Browser
    at: datetime


def vouch_for_refill(line: Line, refill_id: int, reading: Reading, colleague: Colleague, now: datetime) -> None:
    """Confirm a refill that waits, with a colleague's own reading and password.

    Raises Refused for a reading that differs, without saying what was entered; for a wrong password; and as
    confirm_refill does, for whoever entered it.
    """
    with line.db.read() as session:
        who = session.get(Staff, colleague.staff_id)
        able = who is not None and who.active and may(who.role, Permission.WRITE_PATIENTS)
        if who is None or not able or who.clinic_id != _clinic_of(session, refill_id):
            raise Refused("choose who you are", "invalid")
        email = who.email
    by, simulated = (colleague.password, colleague.browser, colleague.at), line.channel == "simulator"
    found = check_password(line.db, email, *by, simulated=simulated)
    if isinstance(found, NotSignedIn):
        wait = found.wait
        minutes = int(wait.total_seconds()) // 60 + 1 if wait else 0
        raise Refused(f"too many tries: wait {minutes} min" if wait else "the password is not right", "invalid")
    with line.db.begin() as session:
        same = reading == _entered(session, refill_id)
        audit(session, now, f"staff:{colleague.staff_id}", "second person read", f"refill:{refill_id}", same=same)
    if not same:
        raise Refused(MISMATCH, "conflict")
    confirm_refill(line, refill_id, now, colleague.staff_id)


def _clinic_of(session: Session, refill_id: int) -> int | None:
    return session.scalar(
        select(Patient.clinic_id)
        .join(Pump, Pump.patient_id == Patient.id)
        .join(Refill, Refill.pump_id == Pump.id)
        .where(Refill.id == refill_id)
    )


def _entered(session: Session, refill_id: int) -> Reading | None:
    """Return what waits; None where nothing does any more."""
    row = session.execute(
        select(Refill, Program)
        .join(Program, Program.refill_id == Refill.id)
        .where(Refill.id == refill_id, Refill.state == EntryState.WAITING, Program.state == EntryState.WAITING)
    ).first()
    if row is None:
        return None
    refill, program = row
    if program.weekday_doses_mcg:
        dose = Decimal(program.weekday_doses_mcg[refill.filled_on.weekday()])
    else:
        dose = program.daily_dose_mcg
    return Reading(program.concentration_mcg_per_ml, dose)
