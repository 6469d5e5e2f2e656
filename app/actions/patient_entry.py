"""What the verbs about who a patient is share: what is typed, read, and a record number that is another's."""

from collections.abc import Mapping
from dataclasses import asdict
from datetime import datetime
from zoneinfo import ZoneInfo

from sqlalchemy import select
from sqlalchemy.orm import Session

from app.actions.errors import Refused
from app.db.engine import Database
from app.db.name_index import named_like
from app.db.people import Clinic, Patient
from app.domain.names import name_words
from app.domain.patient_details import Details, WrongDetails, details_of


class WrongFields(Refused):
    """Refused because of some fields; each has its own words."""

    def __init__(self, errors: Mapping[str, str]) -> None:
        super().__init__("look at what is marked")
        self.errors = dict(errors)


class MrnTaken(Refused):
    """Refused because another patient of the clinic has this record number."""

    def __init__(self, message: str, patient_id: int) -> None:
        super().__init__(message)
        self.patient_id = patient_id


class SameName(Refused):
    """Refused because a patient of the clinic has the same names, and no other birth date."""

    def __init__(self, patient_id: int) -> None:
        super().__init__("a patient of this name is here already: open that one, or say that this is somebody else")
        self.patient_id = patient_id


def refuse_same_name(
    db: Database, session: Session, clinic_id: int, details: Details, *, patient_id: int | None = None
) -> None:
    """Raises SameName where another than this patient is called the same. Two records of one person mean two pumps'
    worth of reminders, and one that nobody looks at."""
    words = tuple(sorted(name_words(details.given_name, details.family_name)))
    if not words:
        return
    like = select(Patient).where(Patient.clinic_id == clinic_id, named_like(db, session, clinic_id, words))
    for other in session.scalars(like):
        if other.id == patient_id:
            continue
        same_day = not (other.born_on and details.born_on) or other.born_on == details.born_on
        if same_day and tuple(sorted(name_words(other.given_name, other.family_name))) == words:
            raise SameName(other.id)


def read_details(typed: Mapping[str, str], clinic: Clinic, now: datetime) -> Details:
    """Return the details as typed. Raises WrongFields."""
    try:
        return details_of(typed, now.astimezone(ZoneInfo(clinic.time_zone)).date())
    except WrongDetails as wrong:
        raise WrongFields(wrong.errors) from None


def refuse_taken(db: Database, session: Session, clinic_id: int, mrn: str) -> None:
    """Raises MrnTaken where a patient of the clinic has this record number."""
    same = select(Patient.id).where(Patient.clinic_id == clinic_id, Patient.mrn_hash == db.hash_of(mrn))
    if (holder := session.scalar(same)) is not None:
        raise MrnTaken("this record number is another patient's already: open that one, or check the number", holder)


def columns_of(db: Database, details: Details) -> dict[str, str | None]:
    """Return the details as a row holds them."""
    return asdict(details) | {"mrn_hash": db.hash_of(details.mrn)}
