"""What was said: texts in, texts out, and what the provider told us about them."""

from datetime import datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import JSON, ForeignKey, Index, text
from sqlalchemy.orm import Mapped, mapped_column

from app.db.base import Base, state_column
from app.db.types import Id, Sealed, SealedWords
from app.domain.delivery import DeliveryState


class Purpose(StrEnum):
    """Why a text went out."""

    REPLY = "reply"  # to a text, in the same response
    REMINDER = "reminder"
    MISSED = "missed"
    PAGE = "page"  # to the on-call phone
    STAFF = "staff"  # written by hand
    BOOK = "book"  # asks to book
    CHECK_IN = "check_in"  # after a refill, a dose change or a scan


# what goes out by itself, and only to a phone that has not opted out
ASKED_FOR = (Purpose.REMINDER, Purpose.MISSED, Purpose.BOOK, Purpose.CHECK_IN)


# For queries, written as the partial indexes are: a database that is handed states as values looks at every text.
WITHOUT_END = text("outbound_message.state IN ('sending', 'unknown')")
ON_THE_WAY = text("outbound_message.state IN ('handed_over', 'accepted', 'sent')")


class InboundMessage(Base):
    """One text as the provider delivered it, once."""

    __tablename__ = "inbound_message"
    __table_args__ = (Index("ix_inbound_message_phone_id_id", "phone_id", "id"),)
    id: Mapped[int] = mapped_column(Id, primary_key=True)
    provider_id: Mapped[str] = mapped_column(unique=True)  # MessageSid, or the simulator's own
    clinic_id: Mapped[int] = mapped_column(ForeignKey("clinic.id"))
    phone_id: Mapped[int] = mapped_column(ForeignKey("phone.id"))
    channel: Mapped[str]
    body: Mapped[str] = mapped_column(Sealed)
    media: Mapped[str | None] = mapped_column(SealedWords)  # JSON list of {url, content_type}, for the nurse
    kind: Mapped[str]  # urgent, topic, choices, admin, unknown
    topic: Mapped[str | None]
    intent: Mapped[str | None]
    category: Mapped[str | None]
    trace: Mapped[str] = mapped_column(SealedWords)  # JSON list of sentences: what we did and why, in plain words
    received_at: Mapped[datetime]


class OutboundMessage(Base):
    """One text we owe, from promise to delivery."""

    __tablename__ = "outbound_message"
    __table_args__ = (
        Index("ix_outbound_message_phone_id_id", "phone_id", "id"),
        # of those with the carrier, whom to ask about: a beat that finds none reads nothing else
        Index(
            "ix_outbound_message_silent",
            "ask_at",
            "state_at",
            sqlite_where=text("state IN ('handed_over', 'accepted', 'sent')"),
            postgresql_where=text("state IN ('handed_over', 'accepted', 'sent')"),
        ),
        Index("ix_outbound_message_inbound_id", "inbound_id"),
        Index("ix_outbound_message_patient_id", "patient_id"),
        Index(
            "ix_outbound_message_reminder_id",
            "reminder_id",
            sqlite_where=text("reminder_id IS NOT NULL"),
            postgresql_where=text("reminder_id IS NOT NULL"),
        ),
        Index(
            "ix_outbound_message_queued",
            "due_at",
            sqlite_where=text("state = 'queued'"),
            postgresql_where=text("state = 'queued'"),
        ),
        # the next of each clinic, whatever the others wait for
        Index(
            "ix_outbound_message_queued_of_clinic",
            "clinic_id",
            "urgent",
            "due_at",
            "id",
            sqlite_where=text("state = 'queued'"),
            postgresql_where=text("state = 'queued'"),
        ),
        # handed to somebody and without an end yet: what a settling job looks at
        Index(
            "ix_outbound_message_open",
            "state_at",
            sqlite_where=text("state IN ('sending', 'unknown')"),
            postgresql_where=text("state IN ('sending', 'unknown')"),
        ),
        # with the carrier, and nobody has said yet what became of it
        Index(
            "ix_outbound_message_on_the_way",
            "id",
            sqlite_where=text("state IN ('handed_over', 'accepted', 'sent')"),
            postgresql_where=text("state IN ('handed_over', 'accepted', 'sent')"),
        ),
    )
    id: Mapped[int] = mapped_column(Id, primary_key=True)
    clinic_id: Mapped[int] = mapped_column(ForeignKey("clinic.id"))
    phone_id: Mapped[int] = mapped_column(ForeignKey("phone.id"))
    patient_id: Mapped[int | None] = mapped_column(ForeignKey("patient.id"))
    dedupe_key: Mapped[str] = mapped_column(unique=True)  # one cause, one message
    token: Mapped[str] = mapped_column(unique=True)  # names this message in its status callback's address
    purpose: Mapped[Purpose] = mapped_column(state_column(Purpose))
    urgent: Mapped[bool] = mapped_column(default=False)
    body: Mapped[str] = mapped_column(Sealed)  # the exact words, kept as evidence
    text_id: Mapped[str]  # answer:travel, text:help ...; "by hand"
    text_version: Mapped[int] = mapped_column(default=1)
    segments: Mapped[int]
    state: Mapped[DeliveryState] = mapped_column(state_column(DeliveryState), default=DeliveryState.QUEUED)
    state_at: Mapped[datetime]
    due_at: Mapped[datetime]
    expires_at: Mapped[datetime | None]  # after this it would no longer help
    attempts: Mapped[int] = mapped_column(default=0)
    provider_id: Mapped[str | None] = mapped_column(unique=True)
    via: Mapped[str | None]  # by which account it left, or an urgent one is to leave next; none: not yet, or the first
    ask_at: Mapped[datetime | None]  # when the provider is asked next, where it reports nothing
    error_code: Mapped[int | None]
    reason: Mapped[str | None]  # in plain words
    inbound_id: Mapped[int | None] = mapped_column(ForeignKey("inbound_message.id"))
    reminder_id: Mapped[int | None] = mapped_column(ForeignKey("reminder.id"))
    care_step_id: Mapped[int | None]  # care_step.id; no foreign key: SQLite could not add one in place
    task_id: Mapped[int | None] = mapped_column(ForeignKey("task.id"))
    staff_id: Mapped[int | None] = mapped_column(ForeignKey("staff.id"))
    asks: Mapped[dict[str, Any] | None] = mapped_column(JSON)
    created_at: Mapped[datetime]


class DeliveryEvent(Base):
    """One status callback as it came, known or not. Only ever added to."""

    __tablename__ = "delivery_event"
    id: Mapped[int] = mapped_column(Id, primary_key=True)
    message_id: Mapped[int | None] = mapped_column(ForeignKey("outbound_message.id"), index=True)
    provider_id: Mapped[str | None]
    status: Mapped[str]
    error_code: Mapped[int | None]
    moved: Mapped[bool]  # whether the message's state moved forward by it
    at: Mapped[datetime]
