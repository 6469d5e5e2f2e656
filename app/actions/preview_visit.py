"""What booking or moving a visit would change, worked out by the planner that saving uses. Writes nothing."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from zoneinfo import ZoneInfo

from sqlalchemy import select
from sqlalchemy.orm import Session

from app.actions.care_steps import stored_steps, visit_ladder
from app.actions.errors import Refused
from app.actions.line import Line
from app.actions.reminder_rows import changes_for
from app.actions.room import day_of_visit, stays, why_no_room
from app.actions.supply import days_late
from app.actions.visit_steps import wanted_steps
from app.actions.visits import check_in_time, check_start
from app.db.care import Appointment, AppointmentState, Reminder, ReminderState
from app.db.messages import OutboundMessage
from app.db.people import Clinic, Contact, Patient, PatientState, Phone
from app.db.supply import StepState, Supply
from app.domain.delivery import DeliveryState
from app.domain.visit_hours import Room

TEXT_STEPS = ("why", "carer")  # the steps of a visit that patients read; the others are a nurse's
NOT_SHOWN = ("arrive",)  # looking whether somebody came follows each visit


@dataclass(frozen=True)
class Change:
    """One text, or a nurse's call, that would be planned or taken back."""

    step: str
    at: datetime
    planned: bool  # False: taken back
    waiting: bool = False  # taken back from the texts that are about to leave

    @property
    def for_staff(self) -> bool:
        kind = self.step.partition(":")[0]
        return kind not in (*TEXT_STEPS, "ladder", "missed")


@dataclass(frozen=True)
class Preview:
    """A visit as it would be. `late_asks` and `room_asks` say what needs a reason, empty for nothing."""

    starts_at: datetime
    was: datetime | None  # None: it would be a new one
    changes: tuple[Change, ...]
    plan_by: date | None
    days_late: int
    late_asks: str
    room: Room
    room_asks: str
    problem: str  # why it cannot be saved at all
    at_once: int  # other visits that begin at that time
    reached: int  # phones that get reminders

    @property
    def texts(self) -> tuple[Change, ...]:
        return tuple(change for change in self.changes if not change.for_staff)

    @property
    def for_staff(self) -> tuple[Change, ...]:
        return tuple(change for change in self.changes if change.for_staff)


def preview_booking(line: Line, patient_id: int, starts_at: datetime, now: datetime) -> Preview:
    """Return what a new visit would plan and take back."""
    with line.db.read() as session:
        patient = session.get_one(Patient, patient_id)
        new = _as_booked(patient.clinic_id, patient_id, starts_at)
        problem = ""
        if patient.state is not PatientState.ACTIVE:
            problem = f"this patient is {patient.state}: set the state to active before booking"
        missed = session.scalars(
            select(Appointment).where(
                Appointment.patient_id == patient_id, Appointment.state == AppointmentState.MISSED
            )
        ).all()
        gone = [*_planned_texts(session, missed), *_planned_steps(session, patient_id, missed)]
        changes = [*gone, *_queued(session, missed), *_new_texts(new, patient, [], now)]
        return _preview(session, new, None, patient, changes, problem, now)


def preview_move(line: Line, visit_id: int, starts_at: datetime, now: datetime) -> Preview:
    """Return what moving a visit would plan and take back."""
    with line.db.read() as session:
        visit = session.get_one(Appointment, visit_id)
        patient = session.get_one(Patient, visit.patient_id)
        moved = _as_booked(visit.clinic_id, visit.patient_id, starts_at, visit.id)
        problem = ""
        if visit.state in (AppointmentState.ATTENDED, AppointmentState.CANCELLED):
            problem = f"this visit is {visit.state}: book a new one"
        if visit.starts_at == starts_at and visit.state is AppointmentState.BOOKED:
            return _preview(session, moved, visit, patient, [], problem, now)
        rows = list(session.scalars(select(Reminder).where(Reminder.appointment_id == visit.id)))
        changes = [*_queued(session, [visit]), *_new_texts(moved, patient, rows, now)]
        changes += _step_changes(session, visit, moved, patient, now)
        return _preview(session, moved, visit, patient, changes, problem, now)


def _as_booked(clinic_id: int, patient_id: int, starts_at: datetime, visit_id: int = 0) -> Appointment:
    """Return a visit that no session knows."""
    return Appointment(
        id=visit_id, clinic_id=clinic_id, patient_id=patient_id, starts_at=starts_at, state=AppointmentState.BOOKED
    )


def _new_texts(visit: Appointment, patient: Patient, rows: list[Reminder], now: datetime) -> list[Change]:
    changes = changes_for(visit, patient, patient.clinic, rows, now)
    by_id = {row.id: row for row in rows}
    found = [Change(one.step, one.due_at, planned=True) for one in changes.add]
    found += [Change(by_id[row_id].step, by_id[row_id].due_at, planned=False) for row_id in changes.cancel]
    for row_id, due_at in (*changes.revive, *changes.retime):
        found.append(Change(by_id[row_id].step, due_at, planned=True))
    found += [Change(by_id[row_id].step, by_id[row_id].due_at, planned=False) for row_id, _ in changes.retime]
    return found


def _step_changes(
    session: Session, visit: Appointment, moved: Appointment, patient: Patient, now: datetime
) -> list[Change]:
    stored = stored_steps(session, [patient.id], [visit_ladder(visit.id)])
    waiting = {row.key: row for row in stored if row.state is StepState.PLANNED}
    wanted = {
        step.key: step
        for step in wanted_steps(moved, patient, patient.clinic, made_good=False)
        if step.due_at > now or step.key in waiting
    }
    done = {row.key for row in stored if row.state not in (StepState.PLANNED, StepState.CANCELLED)}
    found = [Change(row.step, row.due_at, planned=False) for key, row in waiting.items() if key not in wanted]
    found += [
        Change(step.step, step.due_at, planned=True)
        for key, step in wanted.items()
        if key not in waiting and key not in done
    ]
    return [change for change in found if change.step.partition(":")[0] not in NOT_SHOWN]


def _planned_texts(session: Session, visits: Sequence[Appointment]) -> list[Change]:
    rows = session.execute(
        select(Reminder.step, Reminder.due_at).where(
            Reminder.appointment_id.in_([visit.id for visit in visits]), Reminder.state == ReminderState.PLANNED
        )
    )
    return [Change(step, at, planned=False) for step, at in rows]


def _planned_steps(session: Session, patient_id: int, visits: Sequence[Appointment]) -> list[Change]:
    stored = stored_steps(session, [patient_id], [visit_ladder(visit.id) for visit in visits])
    planned = (row for row in stored if row.state is StepState.PLANNED)
    return [
        Change(row.step, row.due_at, planned=False) for row in planned if row.step.partition(":")[0] not in NOT_SHOWN
    ]


def _queued(session: Session, visits: Sequence[Appointment]) -> list[Change]:
    """Return texts about these visits that wait to be sent: saving takes them back."""
    rows = session.execute(
        select(Reminder.step, OutboundMessage.due_at)
        .join(OutboundMessage, OutboundMessage.reminder_id == Reminder.id)
        .where(
            Reminder.appointment_id.in_([visit.id for visit in visits]), OutboundMessage.state == DeliveryState.QUEUED
        )
    )
    return [Change(step, at, planned=False, waiting=True) for step, at in rows]


def _preview(
    session: Session,
    visit: Appointment,
    before: Appointment | None,
    patient: Patient,
    changes: Sequence[Change],
    problem: str,
    now: datetime,
) -> Preview:
    clinic, supply = patient.clinic, session.get(Supply, patient.id)
    if before is None and not problem:
        changes = [*changes, *_staff_steps(visit, patient, now)]
    day = day_of_visit(session, clinic, visit.starts_at, now, visit.id)
    moves_away = before is None or not stays(before, visit.starts_at, ZoneInfo(clinic.time_zone))
    room: Room = day.room if moves_away else ""
    same = _others_at(session, visit)
    return Preview(
        starts_at=visit.starts_at,
        was=before.starts_at if before else None,
        changes=tuple(sorted(changes, key=lambda change: (change.planned, change.at, change.step))),
        plan_by=supply.plan_by if supply else None,
        days_late=days_late(supply, visit.starts_at, clinic),
        late_asks=_late_asks(session, patient, clinic, visit, now),
        room=room,
        room_asks=why_no_room(day) if room else "",
        problem=problem or _cannot(visit, same, before, now),
        at_once=sum(owner != patient.id for owner in same),
        reached=_phones_reached(session, patient.id),
    )


def _staff_steps(visit: Appointment, patient: Patient, now: datetime) -> list[Change]:
    steps = wanted_steps(visit, patient, patient.clinic, made_good=False)
    return [
        Change(step.step, step.due_at, planned=True)
        for step in steps
        if step.due_at > now and step.kind not in NOT_SHOWN
    ]


def _late_asks(session: Session, patient: Patient, clinic: Clinic, visit: Appointment, now: datetime) -> str:
    try:
        check_in_time(session, patient, clinic, visit.starts_at, now, "", visit.id)
    except Refused as refusal:
        return str(refusal)
    return ""


def _others_at(session: Session, visit: Appointment) -> Sequence[int]:
    """Return whose visits at this clinic begin at the same time."""
    return session.scalars(
        select(Appointment.patient_id).where(
            Appointment.clinic_id == visit.clinic_id,
            Appointment.starts_at == visit.starts_at,
            Appointment.state == AppointmentState.BOOKED,
            Appointment.id != visit.id,
        )
    ).all()


def _cannot(visit: Appointment, same: Sequence[int], before: Appointment | None, now: datetime) -> str:
    try:
        check_start(visit.starts_at, now)
    except Refused as refusal:
        return str(refusal)
    if visit.patient_id in same:
        return "this patient has another visit at that time" + (": cancel one of them" if before else "")
    return ""


def _phones_reached(session: Session, patient_id: int) -> int:
    rows = session.scalars(
        select(Contact.id)
        .join(Phone, Phone.id == Contact.phone_id)
        .where(Contact.patient_id == patient_id, Contact.gets_reminders.is_(True), Phone.opted_out_at.is_(None))
    )
    return len(rows.all())
