"""Phone calls with or about a patient, as staff wrote them down."""

from datetime import datetime

from sqlalchemy import ForeignKey, Index
from sqlalchemy.orm import Mapped, mapped_column

from app.db.base import Base, state_column
from app.db.types import Id, SealedWords
from app.domain.calls import Outcome


class PhoneCall(Base):
    """One call. Only ever added to."""

    __tablename__ = "phone_call"
    __table_args__ = (Index("ix_phone_call_patient_id_at", "patient_id", "at"),)
    id: Mapped[int] = mapped_column(Id, primary_key=True)
    clinic_id: Mapped[int] = mapped_column(ForeignKey("clinic.id"))
    patient_id: Mapped[int] = mapped_column(ForeignKey("patient.id"))
    staff_id: Mapped[int] = mapped_column(ForeignKey("staff.id"))
    form_key: Mapped[str] = mapped_column(unique=True)  # the same form sent twice is one call
    outcome: Mapped[Outcome] = mapped_column(state_column(Outcome))
    note: Mapped[str | None] = mapped_column(SealedWords)
    at: Mapped[datetime]
