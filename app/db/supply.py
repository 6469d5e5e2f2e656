"""What the drug left means: the dates of each pump, the steps that are owed because of them, and what stands around.

The dates here are worked out (domain.pump) from pump, program and refill, and kept so that lists can be sorted by them.
"""

from datetime import date, datetime
from decimal import Decimal
from enum import StrEnum

from sqlalchemy import JSON, ForeignKey, Index, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from app.db.base import Base, state_column
from app.db.types import Id


class StepState(StrEnum):
    PLANNED = "planned"
    DONE = "done"
    CANCELLED = "cancelled"  # its cause is gone
    SKIPPED = "skipped"  # due, and not needed, for the reason given


class ReferralState(StrEnum):
    SENT = "sent"
    RECEIVED = "received"
    BOOKED = "booked"
    DONE = "done"


class CarePolicy(Base):
    """What a clinic has chosen about pumps: amounts it uses, limits, intervals, and what it offers."""

    __tablename__ = "care_policy"
    clinic_id: Mapped[int] = mapped_column(ForeignKey("clinic.id"), primary_key=True, autoincrement=False)
    concentrations: Mapped[list[str]] = mapped_column(JSON, default=lambda: ["500", "1000", "2000"])  # mcg/mL
    alarm_volume_ml: Mapped[Decimal] = mapped_column(default=Decimal(2))  # of a new program
    flow_band: Mapped[Decimal] = mapped_column(default=Decimal("0.15"))
    stability_days: Mapped[int] = mapped_column(default=180)
    # by drug and concentration, like {"baclofen 2000": 120}
    stability_of: Mapped[dict[str, int]] = mapped_column(JSON, default=dict)
    max_interval_days: Mapped[int | None]
    lead_days: Mapped[int] = mapped_column(default=0)
    aspirated_percent: Mapped[Decimal] = mapped_column(default=Decimal(20))
    aspirated_ml: Mapped[Decimal] = mapped_column(default=Decimal(2))
    jump_percent: Mapped[Decimal] = mapped_column(default=Decimal(25))
    ask_to_book_days: Mapped[int] = mapped_column(default=28)
    offers: Mapped[dict[str, str]] = mapped_column(JSON, default=dict)  # by reason of a miss: domain.why_missed
    transport_phone: Mapped[str | None]  # E.164
    version: Mapped[int] = mapped_column(default=1)


class Supply(Base):
    """Until when a patient's pump holds drug; one row a patient with a pump. Dates are for staff, never texted."""

    __tablename__ = "supply"
    __table_args__ = (
        Index("ix_supply_clinic_id_early_empty_on", "clinic_id", "early_empty_on"),
        Index("ix_supply_pump_id", "pump_id"),
        Index("ix_supply_stale", "patient_id", sqlite_where=text("stale"), postgresql_where=text("stale")),
    )
    patient_id: Mapped[int] = mapped_column(ForeignKey("patient.id"), primary_key=True, autoincrement=False)
    clinic_id: Mapped[int] = mapped_column(ForeignKey("clinic.id"))
    pump_id: Mapped[int] = mapped_column(ForeignKey("pump.id"))
    refill_id: Mapped[int | None] = mapped_column(Id)
    filled_on: Mapped[date | None]
    flow_ml_per_day: Mapped[Decimal | None]
    early_low_alarm_on: Mapped[date | None]
    low_alarm_on: Mapped[date | None]
    late_low_alarm_on: Mapped[date | None]
    early_empty_on: Mapped[date | None]
    empty_on: Mapped[date | None]
    plan_by: Mapped[date | None]
    plan_by_because: Mapped[str | None]
    problem: Mapped[str | None]  # why there are no dates
    stale: Mapped[bool] = mapped_column(default=False)  # something it was worked out from has changed since
    computed_at: Mapped[datetime]


class CareStep(Base):
    """One step of a ladder, owed because of a pump, a visit or a scan, until it is done, cancelled or skipped."""

    __tablename__ = "care_step"
    __table_args__ = (
        UniqueConstraint("patient_id", "key"),
        Index(
            "ix_care_step_planned_due_at",
            "due_at",
            sqlite_where=text("state = 'planned'"),
            postgresql_where=text("state = 'planned'"),
        ),
        Index("ix_care_step_appointment_id", "appointment_id"),
        Index(
            "ix_care_step_pump_id",
            "pump_id",
            sqlite_where=text("pump_id IS NOT NULL"),
            postgresql_where=text("pump_id IS NOT NULL"),
        ),
    )
    id: Mapped[int] = mapped_column(Id, primary_key=True)
    patient_id: Mapped[int] = mapped_column(ForeignKey("patient.id"))
    appointment_id: Mapped[int | None] = mapped_column(ForeignKey("appointment.id"))
    pump_id: Mapped[int | None] = mapped_column(ForeignKey("pump.id"))
    ladder: Mapped[str]  # what replans it: supply, visit:12, battery, check:2026-11-26, scan:3
    step: Mapped[str]  # scheduler.ladders: "left:14", "call:1", "checkin:4"
    key: Mapped[str]
    due_at: Mapped[datetime]
    state: Mapped[StepState] = mapped_column(state_column(StepState), default=StepState.PLANNED)
    reason: Mapped[str | None]
    failures: Mapped[int] = mapped_column(default=0)
    settled_at: Mapped[datetime | None]
    created_at: Mapped[datetime]


class Referral(Base):
    """A pump's replacement, from the letter to the surgery: somebody owns it until it is done."""

    __tablename__ = "referral"
    __table_args__ = (
        Index(
            "uq_referral_open",
            "pump_id",
            unique=True,
            sqlite_where=text("state != 'done'"),
            postgresql_where=text("state != 'done'"),
        ),
    )
    id: Mapped[int] = mapped_column(Id, primary_key=True)
    clinic_id: Mapped[int] = mapped_column(ForeignKey("clinic.id"))
    patient_id: Mapped[int] = mapped_column(ForeignKey("patient.id"))
    pump_id: Mapped[int] = mapped_column(ForeignKey("pump.id"))
    owner_id: Mapped[int] = mapped_column(ForeignKey("staff.id"))
    state: Mapped[ReferralState] = mapped_column(state_column(ReferralState), default=ReferralState.SENT)
    opened_at: Mapped[datetime]
    state_at: Mapped[datetime]
    version: Mapped[int] = mapped_column(default=1)


class Scan(Base):
    """An MRI that staff recorded, and whether the pump was read since."""

    __tablename__ = "scan"
    id: Mapped[int] = mapped_column(Id, primary_key=True)
    clinic_id: Mapped[int] = mapped_column(ForeignKey("clinic.id"))
    patient_id: Mapped[int] = mapped_column(ForeignKey("patient.id"), index=True)
    scanned_at: Mapped[datetime]
    checked: Mapped[bool | None]  # None until somebody says
    answered_at: Mapped[datetime | None]
    recorded_by: Mapped[int | None] = mapped_column(ForeignKey("staff.id"))
    created_at: Mapped[datetime]
