"""The head of every page about one patient: who it is, the pump, the next visit, whether texts arrive."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any, Literal

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from app.db.care import Appointment, AppointmentState, Pump
from app.db.messages import OutboundMessage
from app.db.pages import Person, person_of
from app.db.people import Contact, ContactKind, Patient, Phone
from app.domain.delivery import NO_TEXTS_REACH, DeliveryState

PhoneState = Literal["ok", "opted_out", "landline", "failed", "none"]
_DID_NOT_ARRIVE = (DeliveryState.UNDELIVERED, DeliveryState.FAILED, DeliveryState.REFUSED)


@dataclass(frozen=True)
class Banner:
    """`number` and `phone` are of the patient's own phone, else of the first carer's."""

    person: Person
    pump_model: str | None
    reservoir_size_ml: Decimal | None
    next_visit: datetime | None
    number: str | None
    phone: PhoneState
    phones: tuple[PhoneState, ...]  # of everybody who may be texted


def patient_banner(session: Session, patient_id: int) -> Banner:
    pump = (
        select(Pump.id)
        .where(Pump.patient_id == Patient.id, Pump.removed_on.is_(None))
        .order_by(Pump.implanted_on.is_(None), Pump.implanted_on.desc(), Pump.id)
        .limit(1)
        .correlate(Patient)
        .scalar_subquery()
    )
    next_visit = (
        select(func.min(Appointment.starts_at))
        .where(Appointment.patient_id == Patient.id, Appointment.state == AppointmentState.BOOKED)
        .correlate(Patient)
        .scalar_subquery()
    )
    patient, model, size, starts_at = session.execute(
        select(Patient, Pump.model, Pump.reservoir_size_ml, next_visit)
        .outerjoin(Pump, Pump.id == pump)
        .where(Patient.id == patient_id)
    ).one()
    rows = session.execute(
        select(Phone.number, Phone.opted_out_at, OutboundMessage.error_code, OutboundMessage.state)
        .select_from(Contact)
        .join(Phone, Phone.id == Contact.phone_id)
        .outerjoin(OutboundMessage, OutboundMessage.id == _NEWEST)
        .where(Contact.patient_id == patient_id)
        .order_by(Contact.kind != ContactKind.PATIENT, Contact.id)
    ).all()
    states = tuple(_state(row) for row in rows)
    return Banner(
        person_of(patient),
        model,
        size,
        starts_at,
        rows[0].number if rows else None,
        states[0] if states else "none",
        states,
    )


_NEWEST = (
    select(OutboundMessage.id)
    .where(OutboundMessage.phone_id == Phone.id)
    .order_by(OutboundMessage.id.desc())
    .limit(1)
    .correlate(Phone)
    .scalar_subquery()
)


def failing_phones(session: Session, phone_ids: Sequence[int]) -> dict[int, tuple[PhoneState, datetime]]:
    """Return, of phones that our newest text did not reach, whether that is a landline, and since when."""
    rows = session.execute(
        select(Phone.id, OutboundMessage.error_code, OutboundMessage.state_at)
        .join(OutboundMessage, OutboundMessage.id == _NEWEST)
        .where(Phone.id.in_(phone_ids), OutboundMessage.state.in_(_DID_NOT_ARRIVE))
    )
    return {row.id: (_failed(row.error_code), row.state_at) for row in rows}


def _state(row: Any) -> PhoneState:
    if row.opted_out_at is not None:
        return "opted_out"
    return _failed(row.error_code) if row.state in _DID_NOT_ARRIVE else "ok"


def _failed(error_code: int | None) -> PhoneState:
    return "landline" if error_code in NO_TEXTS_REACH else "failed"
