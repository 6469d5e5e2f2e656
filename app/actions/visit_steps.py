"""The steps beside a visit's reminders: a nurse's call, who has not arrived, what is asked after a miss, check-ins."""

from collections.abc import Sequence
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

from sqlalchemy.orm import Session

from app.actions.care_steps import StepRow, replan_steps, stored_steps, visit_ladder
from app.actions.line import policy_of
from app.db.care import Appointment, AppointmentState
from app.db.due import settled_misses
from app.db.people import Clinic, Patient, PatientState
from app.db.supply import CareStep, StepState
from scheduler.ladders import Step, check_ins, missed_steps, visit_steps

MISS_IS_NEWS = timedelta(hours=24)
CHECK_IN_LATE = timedelta(hours=2)  # one that should have come longer ago than this is left out


def plan_visit_steps(
    session: Session,
    visit: Appointment,
    patient: Patient,
    clinic: Clinic,
    now: datetime,
    reason: str,
    *,
    stored: Sequence[CareStep] | None = None,
    made_good: bool | None = None,
    to_add: list[StepRow] | None = None,
) -> int:
    """Bring a visit's steps in step with the visit; return how many rows changed. `to_add`: as for replan_steps."""
    ladder = visit_ladder(visit.id)
    rows = stored_steps(session, [patient.id], [ladder]) if stored is None else stored
    if visit.state is AppointmentState.MISSED and made_good is None:
        made_good = bool(settled_misses(session, [visit.id]))
    waiting = {row.key for row in rows if row.state is StepState.PLANNED}
    wanted = [
        step
        for step in wanted_steps(visit, patient, clinic, made_good=bool(made_good))
        if step.due_at > now
        or step.key in waiting
        or (step.kind in ("why", "carer") and step.due_at > now - MISS_IS_NEWS)
    ]
    return replan_steps(
        session, patient.id, ladder, wanted, now, reason, stored=rows, appointment_id=visit.id, to_add=to_add
    )


def wanted_steps(visit: Appointment, patient: Patient, clinic: Clinic, *, made_good: bool) -> tuple[Step, ...]:
    if patient.state is not PatientState.ACTIVE:
        return ()
    zone = ZoneInfo(patient.time_zone)
    if visit.state is AppointmentState.BOOKED:
        return visit_steps(visit.id, visit.starts_at, zone)
    if visit.state is AppointmentState.MISSED and not made_good and visit.missed_at is not None:
        late = [step for step in visit_steps(visit.id, visit.starts_at, zone) if step.kind == "arrive"]
        return (*late, *missed_steps(visit.id, visit.starts_at, visit.missed_at, policy_of(clinic), zone))
    return ()


def plan_check_ins(
    session: Session, patient: Patient, clinic: Clinic, day: date, since: datetime, now: datetime
) -> None:
    """Plan to ask how somebody is after a refill or dose change; once a day, however often it is recorded."""
    ladder = f"check:{day}"
    if patient.state is not PatientState.ACTIVE or stored_steps(session, [patient.id], [ladder]):
        return
    steps = check_ins(day, since, policy_of(clinic), ZoneInfo(patient.time_zone))
    wanted = [step for step in steps if step.due_at > now - CHECK_IN_LATE]
    replan_steps(session, patient.id, ladder, wanted, now, "recorded")
