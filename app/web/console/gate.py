"""The one gate between clinics: every route that names a row asks here whether it is the clinic's own.

What it lets through and a page then shows is a read, and is written to the audit log.
"""

from dataclasses import dataclass
from datetime import datetime
from typing import cast

from flask import abort, current_app, g, request
from sqlalchemy import select

from app.db.accounts import Invitation
from app.db.care import Appointment, Program, Pump, Refill
from app.db.import_pages import may_see
from app.db.messages import InboundMessage
from app.db.pages import ClinicFacts
from app.db.patient_contacts import was_contact
from app.db.people import Contact, Patient, Phone, Role, Staff
from app.db.supply import Referral, Scan
from app.db.visit_hours import Closure
from app.db.work import Task
from app.web import current
from app.web.console.reading import looked_up
from app.web.machine import machine_clock


@dataclass(frozen=True)
class Signed:
    """Who is signed in, and for which clinic."""

    id: int
    name: str
    role: Role
    clinic: ClinicFacts

    @property
    def actor(self) -> str:
        return f"staff:{self.id}"


def staff() -> Signed:
    return cast(Signed, g.staff)


def staff_token() -> str:
    """Return the session's token as the browser holds it, empty for none."""
    return request.cookies.get(current_app.config["STAFF_COOKIE"], "")


def session_now() -> datetime:
    """Return real time: a session ends by it even where a simulator's clock was pushed."""
    return machine_clock()()


def access_patient(signed: Signed, patient_id: int) -> int:
    return _access(signed, patient_id, Patient)


def access_phone(signed: Signed, phone_id: int) -> int:
    return _access(signed, phone_id, Phone)


def access_task(signed: Signed, task_id: int) -> int:
    return _access(signed, task_id, Task)


def access_text(signed: Signed, inbound_id: int) -> int:
    return _access(signed, inbound_id, InboundMessage)


def access_entry(signed: Signed, patient_id: int, table: type[Refill] | type[Program], entry_id: int) -> int:
    """Return the id of an entry of this patient's pumps; 404 for any other."""
    access_patient(signed, patient_id)
    of_pump = select(Pump.patient_id).join(table, table.pump_id == Pump.id).where(table.id == entry_id)
    with current.line().db.read() as session:
        if session.scalar(of_pump) != patient_id:
            abort(404)
    return entry_id


def access_about(signed: Signed, patient_id: int, table: type[Referral] | type[Scan], row_id: int) -> int:
    """Return the id of a referral or scan of this patient; 404 for any other."""
    access_patient(signed, patient_id)
    with current.line().db.read() as session:
        if session.scalar(select(table.patient_id).where(table.id == row_id)) != patient_id:
            abort(404)
    return row_id


def access_staff(signed: Signed, staff_id: int) -> int:
    return _access(signed, staff_id, Staff)


def access_invitation(signed: Signed, invitation_id: int) -> int:
    return _access(signed, invitation_id, Invitation)


def access_contact(signed: Signed, patient_id: int, contact_id: int) -> int:
    """Return the id of a contact of this patient; of one removed meanwhile too: the verb tells that."""
    access_patient(signed, patient_id)
    if contact_id > 2**62:
        abort(404)
    with current.line().db.read() as session:
        owner = session.scalar(select(Contact.patient_id).where(Contact.id == contact_id))
        if owner != patient_id and (owner is not None or not was_contact(session, patient_id, contact_id)):
            abort(404)
    return contact_id


def access_import(signed: Signed, batch_id: int) -> int:
    """Return the id; 404 for an import of another clinic, and for somebody else's file that still waits."""
    if batch_id > 2**62:
        abort(404)
    with current.line().db.read() as session:
        if not may_see(session, batch_id, signed.clinic.id, signed.id):
            abort(404)
    return batch_id


def access_closure(signed: Signed, closure_id: int) -> int:
    return _access(signed, closure_id, Closure)


def access_appointment(signed: Signed, appointment_id: int) -> int:
    """Return the appointment's patient."""
    if appointment_id > 2**62:
        abort(404)
    with current.line().db.read() as session:
        row = session.execute(
            select(Appointment.clinic_id, Appointment.patient_id).where(Appointment.id == appointment_id)
        ).first()
    if row is None or row.clinic_id != signed.clinic.id:
        abort(404)
    looked_up("patient", row.patient_id)
    return int(row.patient_id)


Owned = (
    type[Patient]
    | type[Phone]
    | type[Task]
    | type[Appointment]
    | type[InboundMessage]
    | type[Closure]
    | type[Staff]
    | type[Invitation]
)


def _access(signed: Signed, row_id: int, table: Owned) -> int:
    """Return the id; 404 for a row that is not there and, in the same words, for one of another clinic."""
    if row_id > 2**62:
        abort(404)
    with current.line().db.read() as session:
        clinic_id = session.scalar(select(table.clinic_id).where(table.id == row_id))
    if clinic_id != signed.clinic.id:
        abort(404)
    looked_up(table.__tablename__, row_id)
    return row_id
