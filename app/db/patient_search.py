"""Searches as somebody typed them: whom they find, and how an address names one without its words."""

from dataclasses import dataclass
from datetime import date, datetime

from sqlalchemy import ColumnElement, or_, select
from sqlalchemy.orm import Session

from app.db.engine import Database
from app.db.finding import PatientSearch
from app.db.name_index import named_like
from app.db.pages import ClinicFacts
from app.db.patient_list import Listed, Place, conditions, find, rows_of
from app.db.people import Contact, Patient, Phone
from app.domain.names import query_words
from app.domain.patient_filters import Filters
from app.domain.phone import e164


def search_words(session: Session, staff_id: int, token: str, now: datetime) -> str | None:
    """Return what this person searched for under this token; None for nobody's, another's or one that has ended."""
    return session.scalar(
        select(PatientSearch.query).where(
            PatientSearch.token == token, PatientSearch.staff_id == staff_id, PatientSearch.expires_at > now
        )
    )


def found_by(db: Database, session: Session, clinic_id: int, country: str, query: str) -> ColumnElement[bool]:
    """Return the condition that a patient is found: by record number, by a phone, or by how the names begin."""
    said = " ".join(query.split())
    either = [Patient.mrn_hash == db.hash_of(said)]
    try:
        number = e164(said, country)
    except ValueError:
        number = ""
    if number:
        on_phone = (
            select(Contact.patient_id)
            .join(Phone, Phone.id == Contact.phone_id)
            .where(Phone.clinic_id == clinic_id, Phone.number_hash == db.hash_of(number))
        )
        either.append(Patient.id.in_(on_phone))
    if words := query_words(said):
        either.append(named_like(db, session, clinic_id, words))
    return or_(*either)


@dataclass(frozen=True)
class PatientList:
    """The first that a search finds, and how many there are."""

    patients: tuple[Listed, ...]
    total: int


def find_patients(db: Database, session: Session, clinic: ClinicFacts, query: str, today: date) -> PatientList:
    filters = Filters()
    whom = found_by(db, session, clinic.id, clinic.country, query)
    found = find(session, clinic.id, conditions(session, clinic, filters, today, whom), filters, Place())
    return PatientList(rows_of(session, clinic, found.ids), found.total)
