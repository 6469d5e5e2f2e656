"""What people must do, what was done, and how the machine is: task, audit, job health, installation."""

from datetime import date, datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import JSON, ForeignKey, Index, text
from sqlalchemy.orm import Mapped, mapped_column, relationship

from app.db.base import Base, state_column
from app.db.people import Patient, Phone, Staff
from app.db.types import Id, SealedKey, SealedWords


class TaskKind(StrEnum):
    ALERT = "alert"  # urgent: pages the on-call phone until acknowledged
    MISSED_REFILL = "missed_refill"
    QUESTION = "question"  # nothing reviewed answers it
    RESCHEDULE = "reschedule"
    CALL_INSTEAD = "call_instead"  # opted out, or no text gets through
    MEDIA = "media"
    HUMAN = "human"
    WRONG_NUMBER = "wrong_number"
    UNDELIVERED = "undelivered"
    UNCONFIRMED = "unconfirmed"  # at noon the day before a visit
    NOT_ARRIVED = "not_arrived"  # had confirmed, and is not here an hour after
    SUPPLY = "supply"  # the drug runs low and no refill is had
    LATE_BOOKING = "late_booking"  # the visit lies after the plan-by date
    CHECK_PUMP = "check_pump"  # aspirated is not what was expected; a scan without a check
    RECORD_REFILL = "record_refill"  # the visit was attended, and nobody wrote down the volumes
    SECOND_PERSON = "second_person"  # a jump that somebody else must confirm
    BATTERY = "battery"


class TaskState(StrEnum):
    OPEN = "open"
    ACKNOWLEDGED = "acknowledged"
    RESOLVED = "resolved"


class Task(Base):
    """Something a nurse must do. An alert is a task that pages."""

    __tablename__ = "task"
    __table_args__ = (
        # one phone has one open alert, one visit one missed-refill task: what comes later is added to it
        Index(
            "uq_task_open",
            "kind",
            "subject",
            unique=True,
            sqlite_where=text("state != 'resolved'"),
            postgresql_where=text("state != 'resolved'"),
        ),
        Index(
            "ix_task_unresolved",
            "clinic_id",
            "raised_at",
            sqlite_where=text("state != 'resolved'"),
            postgresql_where=text("state != 'resolved'"),
        ),
        Index(
            "ix_task_answered_alert",
            "clinic_id",
            "opened_at",
            sqlite_where=text("kind = 'alert' AND acknowledged_at IS NOT NULL"),
            postgresql_where=text("kind = 'alert' AND acknowledged_at IS NOT NULL"),
        ),
        Index("ix_task_patient_id", "patient_id"),
        Index("ix_task_phone_id", "phone_id"),
    )
    id: Mapped[int] = mapped_column(Id, primary_key=True)
    clinic_id: Mapped[int] = mapped_column(ForeignKey("clinic.id"))
    phone_id: Mapped[int | None] = mapped_column(ForeignKey("phone.id"))
    patient_id: Mapped[int | None] = mapped_column(ForeignKey("patient.id"))
    kind: Mapped[TaskKind] = mapped_column(state_column(TaskKind))
    subject: Mapped[str]  # what makes it one: phone:9, patient:4, appointment:12
    category: Mapped[str | None]  # of an alert: alarm, withdrawal ...
    reason: Mapped[str]  # in plain words, no name, number or quotation
    state: Mapped[TaskState] = mapped_column(state_column(TaskState), default=TaskState.OPEN)
    code: Mapped[str | None] = mapped_column(index=True)  # what the on-call nurse replies to acknowledge an alert
    due_at: Mapped[datetime | None]  # when it should be done; None: as soon as somebody can
    needed_by: Mapped[date | None]  # urgent by this day: the plan-by date, or the early edge of empty
    opened_at: Mapped[datetime]
    raised_at: Mapped[datetime]  # last time it was raised: opening, or a further urgent text
    pages: Mapped[int] = mapped_column(default=0)
    next_page_at: Mapped[datetime | None] = mapped_column(index=True)
    acknowledged_at: Mapped[datetime | None]
    acknowledged_by: Mapped[int | None] = mapped_column(ForeignKey("staff.id"))  # None with a time: the on-call phone
    resolved_at: Mapped[datetime | None]
    resolved_by: Mapped[int | None] = mapped_column(ForeignKey("staff.id"))
    outcome: Mapped[str | None] = mapped_column(SealedWords)
    version: Mapped[int] = mapped_column(default=1)
    patient: Mapped[Patient | None] = relationship()
    phone: Mapped[Phone | None] = relationship()
    acknowledger: Mapped[Staff | None] = relationship(foreign_keys=[acknowledged_by])
    texts: Mapped[list["TaskText"]] = relationship(order_by="TaskText.id")


class TaskText(Base):
    """A text that belongs to a task: the one that opened it and those added since."""

    __tablename__ = "task_text"
    id: Mapped[int] = mapped_column(Id, primary_key=True)
    task_id: Mapped[int] = mapped_column(ForeignKey("task.id"), index=True)
    inbound_id: Mapped[int] = mapped_column(ForeignKey("inbound_message.id"))
    at: Mapped[datetime]


class AuditEvent(Base):
    """Who did or read what, when. Ids only; only ever added to.

    The last three columns are set once, by sealing: the place in the chain, the hash before it and its own.
    """

    __tablename__ = "audit_event"
    __table_args__ = (
        Index("ix_audit_event_subject", "subject"),
        Index("ix_audit_event_actor", "actor"),
        Index(
            "uq_audit_event_position",
            "position",
            unique=True,
            sqlite_where=text("position IS NOT NULL"),
            postgresql_where=text("position IS NOT NULL"),
        ),
        Index(
            "ix_audit_event_unsealed",
            "id",
            sqlite_where=text("hash IS NULL"),
            postgresql_where=text("hash IS NULL"),
        ),
        Index(
            "ix_audit_event_listed",
            "id",
            sqlite_where=text("verb = 'saw a list'"),
            postgresql_where=text("verb = 'saw a list'"),
        ),
    )
    id: Mapped[int] = mapped_column(Id, primary_key=True)
    at: Mapped[datetime]
    actor: Mapped[str]  # staff:3, phone:9, system, command
    verb: Mapped[str]
    subject: Mapped[str]  # appointment:12
    detail: Mapped[dict[str, Any] | None] = mapped_column(JSON)
    position: Mapped[int | None] = mapped_column(Id)
    prev_hash: Mapped[str | None]
    hash: Mapped[str | None]


class JobHealth(Base):
    """How a periodic job is doing; one row a job, whichever process ran it."""

    __tablename__ = "job_health"
    name: Mapped[str] = mapped_column(primary_key=True)
    ok_at: Mapped[datetime | None]
    failed_at: Mapped[datetime | None]
    failures: Mapped[int] = mapped_column(default=0)  # since it last went well
    error: Mapped[str | None]  # the exception's class, never its words


class Installation(Base):
    """The one row about this installation."""

    __tablename__ = "installation"
    id: Mapped[int] = mapped_column(Id, primary_key=True)
    lookup_key: Mapped[str] = mapped_column(SealedKey)  # the key of the phone hash
    clock_ahead_seconds: Mapped[int] = mapped_column(default=0)  # how far a simulator's clock was pushed
    created_at: Mapped[datetime]
