"""Book a refill visit, with its reminders."""

from datetime import datetime

from sqlalchemy import select

from app.actions.errors import Refused
from app.actions.line import Line
from app.actions.room import check_room
from app.actions.visits import (
    after_change,
    check_in_time,
    check_start,
    say_why_late,
    settle_earlier_misses,
    the_patient,
)
from app.db.care import Appointment, AppointmentState
from app.db.people import PatientState


def book_appointment(
    line: Line,
    patient_id: int,
    starts_at: datetime,
    now: datetime,
    actor: str,
    external_id: str | None = None,
    late_reason: str = "",
    room_reason: str | None = None,
) -> int:
    """Book a visit and plan its reminders; return its id. The same booking twice is one.

    `room_reason`: why it may lie on a day that is full or closed; None where nobody can be asked, as in an import.
    Raises Refused for an unknown or inactive patient, for a start that is not in the future, and, without a reason,
    for one after the plan-by date (kind "late") or on a day without room (kind "room").
    """
    check_start(starts_at, now)
    with line.db.begin() as session:
        patient = the_patient(session, patient_id)
        if patient.state is not PatientState.ACTIVE:
            raise Refused(f"this patient is {patient.state}: set the state to active before booking", "conflict")
        same = select(Appointment).where(
            Appointment.patient_id == patient_id,
            Appointment.starts_at == starts_at,
            Appointment.state == AppointmentState.BOOKED,
        )
        if (booked := session.scalars(same).first()) is not None:
            say_why_late(session, booked, patient, patient.clinic, now, actor, late_reason)
            return booked.id
        why_late = check_in_time(session, patient, patient.clinic, starts_at, now, late_reason)
        room, why_room = "", None
        if room_reason is not None:
            room, why_room = check_room(session, patient.clinic, starts_at, now, room_reason)
        visit = Appointment(
            late_reason=why_late,
            room_reason=why_room,
            clinic_id=patient.clinic_id,
            patient_id=patient_id,
            starts_at=starts_at,
            state=AppointmentState.BOOKED,
            external_id=external_id,
            version=0,
            created_at=now,
        )
        session.add(visit)
        session.flush()
        settle_earlier_misses(session, patient_id, now, "booked again")
        after_change(session, visit, patient, patient.clinic, now, actor, "booked", room)
        return visit.id
