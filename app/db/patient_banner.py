"""The head of every page about one patient: who it is, the pump, the next visit, whether texts arrive."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any, Literal

from sqlalchemy import select
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
    person = person_of(session.get_one(Patient, patient_id))
    pump = session.execute(
        select(Pump.model, Pump.reservoir_size_ml)
        .where(Pump.patient_id == patient_id, Pump.removed_on.is_(None))
        .order_by(Pump.implanted_on.is_(None), Pump.implanted_on.desc(), Pump.id)
        .limit(1)
    ).first()
    next_visit = session.scalar(
        select(Appointment.starts_at)
        .where(Appointment.patient_id == patient_id, Appointment.state == AppointmentState.BOOKED)
        .order_by(Appointment.starts_at)
        .limit(1)
    )
    rows = session.execute(
        select(Contact.phone_id, Contact.kind, Phone.number, Phone.opted_out_at)
        .join(Phone, Phone.id == Contact.phone_id)
        .where(Contact.patient_id == patient_id)
        .order_by(Contact.kind != ContactKind.PATIENT, Contact.id)
    ).all()
    failing = failing_phones(session, [row.phone_id for row in rows])
    states = tuple(_state(row, failing) for row in rows)
    return Banner(
        person,
        pump.model if pump else None,
        pump.reservoir_size_ml if pump else None,
        next_visit,
        rows[0].number if rows else None,
        states[0] if states else "none",
        states,
    )


def failing_phones(session: Session, phone_ids: Sequence[int]) -> dict[int, tuple[PhoneState, datetime]]:
    """Return, of phones that our newest text did not reach, whether that is a landline, and since when."""
    newest = (
        select(OutboundMessage.id)
        .where(OutboundMessage.phone_id == Phone.id)
        .order_by(OutboundMessage.id.desc())
        .limit(1)
        .correlate(Phone)
        .scalar_subquery()
    )
    rows = session.execute(
        select(Phone.id, OutboundMessage.error_code, OutboundMessage.state_at)
        .join(OutboundMessage, OutboundMessage.id == newest)
        .where(Phone.id.in_(phone_ids), OutboundMessage.state.in_(_DID_NOT_ARRIVE))
    )
    return {row.id: ("landline" if row.error_code in NO_TEXTS_REACH else "failed", row.state_at) for row in rows}


def _state(row: Any, failing: dict[int, tuple[PhoneState, datetime]]) -> PhoneState:
    if row.opted_out_at is not None:
        return "opted_out"
    return failing[row.phone_id][0] if row.phone_id in failing else "ok"
