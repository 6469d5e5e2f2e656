"""How long what is said is kept: holds that stop all erasing, how far old things are gone, and what mark is left."""

from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, ForeignKey, Index, exists, or_, select, text
from sqlalchemy.orm import Mapped, Session, mapped_column

from app.db.base import Base
from app.db.types import Id, SealedWords

GONE = "[...]"  # stands where a name, a number or a text was erased; the same in every language


class LegalHold(Base):
    """Nothing of this patient, or of the whole clinic where no patient is named, is erased until it is lifted."""

    __tablename__ = "legal_hold"
    __table_args__ = (
        Index(
            "uq_legal_hold_patient",
            "patient_id",
            unique=True,
            sqlite_where=text("lifted_at IS NULL AND patient_id IS NOT NULL"),
            postgresql_where=text("lifted_at IS NULL AND patient_id IS NOT NULL"),
        ),
        Index(
            "uq_legal_hold_clinic",
            "clinic_id",
            unique=True,
            sqlite_where=text("lifted_at IS NULL AND patient_id IS NULL"),
            postgresql_where=text("lifted_at IS NULL AND patient_id IS NULL"),
        ),
    )
    id: Mapped[int] = mapped_column(Id, primary_key=True)
    clinic_id: Mapped[int] = mapped_column(ForeignKey("clinic.id"))
    patient_id: Mapped[int | None] = mapped_column(ForeignKey("patient.id"), index=True)
    reason: Mapped[str] = mapped_column(SealedWords)  # as typed: it may name a court and a person
    placed_at: Mapped[datetime]
    placed_by: Mapped[int | None] = mapped_column(ForeignKey("staff.id"))  # None: from the command line
    lifted_at: Mapped[datetime | None]
    lifted_by: Mapped[int | None] = mapped_column(ForeignKey("staff.id"))


class Forgotten(Base):
    """Up to which row one kind of old things was looked at. Goes back to the beginning when a hold is lifted."""

    __tablename__ = "forgotten"
    kind: Mapped[str] = mapped_column(primary_key=True)
    up_to_id: Mapped[int] = mapped_column(Id, default=0)
    at: Mapped[datetime]
    erased: Mapped[int] = mapped_column(Id, default=0)  # rows, ever


def open_hold(session: Session, clinic_id: int, patient_id: int | None) -> LegalHold | None:
    """Return the hold on exactly this patient, or on the clinic itself."""
    whose = LegalHold.patient_id.is_(None) if patient_id is None else LegalHold.patient_id == patient_id
    return session.scalars(
        select(LegalHold).where(LegalHold.clinic_id == clinic_id, LegalHold.lifted_at.is_(None), whose)
    ).first()


def holds_on(session: Session, clinic_id: int, patient_id: int) -> list[LegalHold]:
    """Return what keeps this patient's record: a hold on the patient, one on the clinic, or both."""
    about = or_(LegalHold.patient_id == patient_id, LegalHold.patient_id.is_(None))
    return list(
        session.scalars(
            select(LegalHold)
            .where(LegalHold.clinic_id == clinic_id, LegalHold.lifted_at.is_(None), about)
            .order_by(LegalHold.id)
        )
    )


def clinic_is_held(clinic_id: Any) -> ColumnElement[bool]:
    """Whether a hold lies on the whole clinic of a row."""
    return exists().where(
        LegalHold.clinic_id == clinic_id, LegalHold.lifted_at.is_(None), LegalHold.patient_id.is_(None)
    )


def held_patients(session: Session) -> list[int]:
    """Return the patients on whom a hold lies, by themselves."""
    return [
        one
        for one in session.scalars(
            select(LegalHold.patient_id).where(LegalHold.lifted_at.is_(None), LegalHold.patient_id.is_not(None))
        )
        if one is not None
    ]
