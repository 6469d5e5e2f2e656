"""What a pump holds and what is owed to it: pump, program, refill, appointment, reminder."""

from datetime import date, datetime
from decimal import Decimal
from enum import StrEnum

from sqlalchemy import JSON, ForeignKey, Index, UniqueConstraint, false, text
from sqlalchemy.orm import Mapped, mapped_column, relationship

from app.db.base import Base, state_column
from app.db.people import Patient
from app.db.types import Id, SealedWords


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


class EntryState(StrEnum):
    """Of a refill or program as staff entered it. Only what is effective counts for any date."""

    EFFECTIVE = "effective"
    WAITING = "waiting"  # a jump beyond the clinic's limit: for a second member of staff
    DECLINED = "declined"


class Pump(Base):
    __tablename__ = "pump"
    __table_args__ = (
        Index("ix_pump_to_date", "patient_id", sqlite_where=text("NOT dated"), postgresql_where=text("NOT dated")),
    )
    id: Mapped[int] = mapped_column(Id, primary_key=True)
    patient_id: Mapped[int] = mapped_column(ForeignKey("patient.id"), index=True)
    model: Mapped[str]
    reservoir_size_ml: Mapped[Decimal]
    implanted_on: Mapped[date | None]
    removed_on: Mapped[date | None]
    replace_by: Mapped[date | None]  # as the clinic set it; else from model and implant: domain.battery
    eri_on: Mapped[date | None]  # since when the elective replacement indicator shows
    dated: Mapped[bool] = mapped_column(default=False, server_default=false())  # what it holds has been worked out
    created_at: Mapped[datetime]
    patient: Mapped[Patient] = relationship()


def _one_in_force(table: str, day: str) -> tuple[Index, Index]:
    """One effective row a day; what waits for a second person may stand beside it."""
    where = text("state = 'effective'")
    in_force = Index(f"uq_{table}_in_force", "pump_id", day, unique=True, sqlite_where=where, postgresql_where=where)
    return in_force, Index(f"ix_{table}_pump_id", "pump_id")


def _where_known(table: str, column: str) -> Index:
    where = text(f"{column} IS NOT NULL")
    return Index(f"ix_{table}_{column}", column, sqlite_where=where, postgresql_where=where)


class Program(Base):
    """What the pump delivers, from a day on. `daily_dose_mcg` is the mean where a dose is set for each weekday."""

    __tablename__ = "program"
    __table_args__ = (*_one_in_force("program", "effective_on"), _where_known("program", "refill_id"))
    id: Mapped[int] = mapped_column(Id, primary_key=True)
    pump_id: Mapped[int] = mapped_column(ForeignKey("pump.id"))
    effective_on: Mapped[date]
    drug: Mapped[str] = mapped_column(default="baclofen")
    concentration_mcg_per_ml: Mapped[Decimal]
    daily_dose_mcg: Mapped[Decimal]
    weekday_doses_mcg: Mapped[list[str] | None] = mapped_column(JSON)  # seven, Monday first
    boluses_per_day: Mapped[Decimal] = mapped_column(default=Decimal(0))  # as expected
    bolus_mcg: Mapped[Decimal] = mapped_column(default=Decimal(0))
    alarm_volume_ml: Mapped[Decimal]
    refill_id: Mapped[int | None] = mapped_column(ForeignKey("refill.id"))  # entered with it, and waits with it
    state: Mapped[EntryState] = mapped_column(state_column(EntryState), default=EntryState.EFFECTIVE)
    second_person_because: Mapped[str | None]
    entered_by: Mapped[int | None] = mapped_column(ForeignKey("staff.id"))
    confirmed_by: Mapped[int | None] = mapped_column(ForeignKey("staff.id"))
    confirmed_at: Mapped[datetime | None]
    created_at: Mapped[datetime]


class Refill(Base):
    __tablename__ = "refill"
    __table_args__ = (*_one_in_force("refill", "filled_on"), _where_known("refill", "appointment_id"))
    id: Mapped[int] = mapped_column(Id, primary_key=True)
    pump_id: Mapped[int] = mapped_column(ForeignKey("pump.id"))
    filled_on: Mapped[date]
    reservoir_volume_ml: Mapped[Decimal]  # after the refill
    aspirated_ml: Mapped[Decimal | None]
    expected_ml: Mapped[Decimal | None]  # what should have been left to aspirate
    appointment_id: Mapped[int | None] = mapped_column(ForeignKey("appointment.id"))
    state: Mapped[EntryState] = mapped_column(state_column(EntryState), default=EntryState.EFFECTIVE)
    second_person_because: Mapped[str | None]
    entered_by: Mapped[int | None] = mapped_column(ForeignKey("staff.id"))
    confirmed_by: Mapped[int | None] = mapped_column(ForeignKey("staff.id"))
    confirmed_at: Mapped[datetime | None]
    created_at: Mapped[datetime]


class Appointment(Base):
    """A refill visit. `missed_at` is when it was noticed; an attended visit may have been missed before."""

    __tablename__ = "appointment"
    __table_args__ = (
        UniqueConstraint("patient_id", "external_id"),
        Index("ix_appointment_state_starts_at", "state", "starts_at"),
        Index("ix_appointment_patient_id_state", "patient_id", "state", "starts_at"),
        Index(
            "ix_appointment_missed",
            "clinic_id",
            "patient_id",
            sqlite_where=text("state = 'missed'"),
            postgresql_where=text("state = 'missed'"),
        ),
        Index(
            "ix_appointment_booked",
            "clinic_id",
            "patient_id",
            "starts_at",
            sqlite_where=text("state = 'booked'"),
            postgresql_where=text("state = 'booked'"),
        ),
        Index("ix_appointment_clinic_id_starts_at", "clinic_id", "starts_at"),  # the schedule reads a week or a month
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
    clinic_id: Mapped[int] = mapped_column(ForeignKey("clinic.id"))
    patient_id: Mapped[int] = mapped_column(ForeignKey("patient.id"), index=True)
    starts_at: Mapped[datetime]
    state: Mapped[AppointmentState] = mapped_column(state_column(AppointmentState), default=AppointmentState.BOOKED)
    confirmed_at: Mapped[datetime | None]
    attended_at: Mapped[datetime | None]
    missed_at: Mapped[datetime | None]
    cancelled_at: Mapped[datetime | None]
    external_id: Mapped[str | None]  # the row's own key in an imported file
    late_reason: Mapped[str | None] = mapped_column(SealedWords)  # why it lies after the plan-by date
    room_reason: Mapped[str | None] = mapped_column(SealedWords)  # why it lies on a day that was full or closed
    missed_reason: Mapped[str | None]  # ride, ill, cost, weather, other: domain.why_missed
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
