"""What is owed to a pump: pump, program, refill, appointment, reminder."""

from datetime import date, datetime
from decimal import Decimal
from enum import StrEnum

from sqlalchemy import ForeignKey, Index, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column, relationship

from app.db.base import Base, state_column
from app.db.people import Patient
from app.db.types import Id


class AppointmentState(StrEnum):
    BOOKED = "booked"
    ATTENDED = "attended"
    MISSED = "missed"
    CANCELLED = "cancelled"


class ReminderState(StrEnum):
    PLANNED = "planned"
    QUEUED = "queued"  # an outbox row stands for every phone it goes to
    CANCELLED = "cancelled"  # the visit moved, was cancelled or attended
    SKIPPED = "skipped"  # due, and not sent, for the reason given


class Pump(Base):
    __tablename__ = "pump"
    id: Mapped[int] = mapped_column(Id, primary_key=True)
    patient_id: Mapped[int] = mapped_column(ForeignKey("patient.id"), index=True)
    model: Mapped[str]
    reservoir_size_ml: Mapped[Decimal]
    implanted_on: Mapped[date | None]
    created_at: Mapped[datetime]
    patient: Mapped[Patient] = relationship()


class Program(Base):
    """What the pump delivers, from a day on."""

    __tablename__ = "program"
    __table_args__ = (UniqueConstraint("pump_id", "effective_on"),)
    id: Mapped[int] = mapped_column(Id, primary_key=True)
    pump_id: Mapped[int] = mapped_column(ForeignKey("pump.id"))
    effective_on: Mapped[date]
    concentration_mcg_per_ml: Mapped[Decimal]
    daily_dose_mcg: Mapped[Decimal]
    alarm_volume_ml: Mapped[Decimal]
    created_at: Mapped[datetime]


class Refill(Base):
    __tablename__ = "refill"
    __table_args__ = (UniqueConstraint("pump_id", "filled_on"),)
    id: Mapped[int] = mapped_column(Id, primary_key=True)
    pump_id: Mapped[int] = mapped_column(ForeignKey("pump.id"))
    filled_on: Mapped[date]
    reservoir_volume_ml: Mapped[Decimal]  # after the refill
    appointment_id: Mapped[int | None] = mapped_column(ForeignKey("appointment.id"))
    created_at: Mapped[datetime]


class Appointment(Base):
    """A refill visit. `missed_at` is when it was noticed; an attended visit may have been missed before."""

    __tablename__ = "appointment"
    __table_args__ = (
        UniqueConstraint("patient_id", "external_id"),
        Index("ix_appointment_state_starts_at", "state", "starts_at"),
        # one booked visit at one time: the same booking typed twice is one
        Index(
            "uq_appointment_booked",
            "patient_id",
            "starts_at",
            unique=True,
            sqlite_where=text("state = 'booked'"),
            postgresql_where=text("state = 'booked'"),
        ),
    )
    id: Mapped[int] = mapped_column(Id, primary_key=True)
    clinic_id: Mapped[int] = mapped_column(ForeignKey("clinic.id"), index=True)
    patient_id: Mapped[int] = mapped_column(ForeignKey("patient.id"), index=True)
    starts_at: Mapped[datetime]
    state: Mapped[AppointmentState] = mapped_column(state_column(AppointmentState), default=AppointmentState.BOOKED)
    confirmed_at: Mapped[datetime | None]
    attended_at: Mapped[datetime | None]
    missed_at: Mapped[datetime | None]
    cancelled_at: Mapped[datetime | None]
    external_id: Mapped[str | None]  # the row's own key in an imported file
    version: Mapped[int] = mapped_column(default=1)
    created_at: Mapped[datetime]
    patient: Mapped[Patient] = relationship()
    reminders: Mapped[list["Reminder"]] = relationship(back_populates="appointment", order_by="Reminder.due_at")


class Reminder(Base):
    """One text owed because of one visit, until it is queued, cancelled or skipped with a reason."""

    __tablename__ = "reminder"
    __table_args__ = (
        UniqueConstraint("appointment_id", "key"),
        # the sweep reads only what is planned and due, whatever else the table holds
        Index(
            "ix_reminder_planned_due_at",
            "due_at",
            sqlite_where=text("state = 'planned'"),
            postgresql_where=text("state = 'planned'"),
        ),
    )
    id: Mapped[int] = mapped_column(Id, primary_key=True)
    appointment_id: Mapped[int] = mapped_column(ForeignKey("appointment.id"))
    key: Mapped[str]  # step and instant of the visit: scheduler.planning
    step: Mapped[str]  # ladder:14 ... ladder:1, missed:1, missed:2
    due_at: Mapped[datetime]
    state: Mapped[ReminderState] = mapped_column(state_column(ReminderState), default=ReminderState.PLANNED)
    reason: Mapped[str | None]  # why it was cancelled, skipped or moved to another hour
    failures: Mapped[int] = mapped_column(default=0)  # times that queueing it threw
    settled_at: Mapped[datetime | None]
    created_at: Mapped[datetime]
    appointment: Mapped[Appointment] = relationship(back_populates="reminders")
