"""What the verbs about who a patient is share: what is typed, read, and a record number that is another's."""

from collections.abc import Mapping
from dataclasses import asdict
from datetime import datetime
from zoneinfo import ZoneInfo

from sqlalchemy import select
from sqlalchemy.orm import Session

from app.actions.errors import Refused
from app.db.engine import Database
from app.db.people import Clinic, Patient
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
