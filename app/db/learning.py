"""What people say about what we understood: a nurse's label on a text, a patient's word on an answer."""

from datetime import datetime

from sqlalchemy import ForeignKey, Index
from sqlalchemy.orm import Mapped, mapped_column

from app.db.base import Base
from app.db.types import Id

NONE_OF_THESE = "none_of_these"  # in the place of a topic: no reviewed answer fits


class Label(Base):
    """What one inbound text really asked for, as a nurse read it. A later label replaces an earlier one."""

    __tablename__ = "label"
    __table_args__ = (Index("ix_label_clinic_id_labelled_at", "clinic_id", "labelled_at"),)
    id: Mapped[int] = mapped_column(Id, primary_key=True)
    clinic_id: Mapped[int] = mapped_column(ForeignKey("clinic.id"))
    inbound_id: Mapped[int] = mapped_column(ForeignKey("inbound_message.id"), unique=True)
    topic: Mapped[str]  # of the library, or NONE_OF_THESE
    was: Mapped[str]  # what had been understood: "topic mri", "choices driving, travel", "unknown"
    labelled_by: Mapped[int] = mapped_column(ForeignKey("staff.id"))
    labelled_at: Mapped[datetime]


class Feedback(Base):
    """A patient's reply to "Did that help?". Only ever added to."""

    __tablename__ = "feedback"
    __table_args__ = (
        Index("ix_feedback_clinic_id_topic", "clinic_id", "topic"),
        Index("ix_feedback_phone_id", "phone_id"),
    )
    id: Mapped[int] = mapped_column(Id, primary_key=True)
    clinic_id: Mapped[int] = mapped_column(ForeignKey("clinic.id"))
    phone_id: Mapped[int] = mapped_column(ForeignKey("phone.id"))
    topic: Mapped[str]
    language: Mapped[str]
    version: Mapped[int]  # of the answer that was sent
    helped: Mapped[bool]
    answered_at: Mapped[datetime]
