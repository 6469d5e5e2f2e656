"""Finding patients again: the index of names, searches as somebody typed them, and lists kept under a name."""

from datetime import datetime

from sqlalchemy import BigInteger, ForeignKey, Index
from sqlalchemy.orm import Mapped, mapped_column

from app.db.base import Base
from app.db.types import Id, SealedWords


class NameKey(Base):
    """One beginning of one word of a patient's name, as a keyed hash: decisions/0014."""

    __tablename__ = "name_key"
    __table_args__ = (Index("ix_name_key_patient_id", "patient_id"),)
    key: Mapped[int] = mapped_column(BigInteger, primary_key=True, autoincrement=False)
    patient_id: Mapped[int] = mapped_column(ForeignKey("patient.id"), primary_key=True, autoincrement=False)


class PatientSearch(Base):
    """What one person searched for, for some hours: an address names it by its token, never by its words."""

    __tablename__ = "patient_search"
    __table_args__ = (Index("ix_patient_search_staff_id", "staff_id"),)
    id: Mapped[int] = mapped_column(Id, primary_key=True)
    staff_id: Mapped[int] = mapped_column(ForeignKey("staff.id"))
    token: Mapped[str] = mapped_column(unique=True)
    query: Mapped[str] = mapped_column(SealedWords)
    expires_at: Mapped[datetime]


class SavedView(Base):
    """Filters of the list of patients under a name; its owner's, or the whole clinic's where the owner shares it."""

    __tablename__ = "saved_view"
    __table_args__ = (Index("ix_saved_view_clinic_id", "clinic_id"),)
    id: Mapped[int] = mapped_column(Id, primary_key=True)
    clinic_id: Mapped[int] = mapped_column(ForeignKey("clinic.id"))
    staff_id: Mapped[int] = mapped_column(ForeignKey("staff.id"))
    name: Mapped[str] = mapped_column(SealedWords)  # as typed: it may hold anything
    filters: Mapped[str]  # as the address holds them: known names and values only
    shared: Mapped[bool] = mapped_column(default=False)
    version: Mapped[int] = mapped_column(default=1)
    created_at: Mapped[datetime]
