"""Whether a reminder text that was queued is still right when it leaves: queues wait, and visits change meanwhile."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from zoneinfo import ZoneInfo

from sqlalchemy import bindparam, select
from sqlalchemy.orm import Session

from app.actions.line import policy_of
from app.db.care import Appointment, AppointmentState, Reminder
from app.db.due import settled_misses
from app.db.people import Clinic, Patient, PatientState
from app.db.supply import CareStep
from scheduler.planning import Planned
from scheduler.quiet_hours import next_allowed


@dataclass(frozen=True)
class Leaves:
    """When a text that can wait may leave: in the patient's hours of texts."""

    time_zone: str
    clinic: Clinic

    def allowed_at(self, at: datetime) -> datetime:
        """Return when the text may leave: `at`, or the next morning of the patient's."""
        try:
            return next_allowed(at, ZoneInfo(self.time_zone), policy_of(self.clinic).quiet)
        except (ValueError, LookupError):  # a zone or hours that broke since it was queued, inside texting hours
            return at


@dataclass(frozen=True)
class StepCause(Leaves):
    """The patient that a step's text is about, as they are now. What changes the step takes the text back itself."""

    patient_state: PatientState

    def wrong_by_now(self) -> str | None:
        return None if self.patient_state is PatientState.ACTIVE else f"{self.patient_state} by then"


@dataclass(frozen=True)
class Cause(Leaves):
    """The visit a text is about, as it is now, and the reminder that the text was written for."""

    step: str
    key: str
    starts_at: datetime
    visit_state: AppointmentState
    patient_state: PatientState
    made_good: bool

    def wrong_by_now(self) -> str | None:
        """Return why the text no longer fits, None where it does."""
        expected = AppointmentState.MISSED if self.step.startswith("missed:") else AppointmentState.BOOKED
        if self.visit_state is not expected:
            return f"{self.visit_state} by then"
        if self.patient_state is not PatientState.ACTIVE:
            return f"{self.patient_state} by then"
        if self.made_good:
            return "booked again or seen by then"
        moved = self.key != Planned(self.step, self.starts_at, self.starts_at).key
        return "moved by then" if moved else None


_STEP_CAUSES = (
    select(CareStep.id, Patient.time_zone, Clinic, Patient.state)
    .join(Patient, Patient.id == CareStep.patient_id)
    .join(Clinic, Clinic.id == Patient.clinic_id)
    .where(CareStep.id.in_(bindparam("steps", expanding=True)))
)


def step_causes_of(session: Session, steps: Sequence[int]) -> dict[int, StepCause]:
    """Return the cause of every step named, read in this transaction."""
    if not steps:
        return {}
    rows = session.execute(_STEP_CAUSES, {"steps": list(steps)})
    return {step_id: StepCause(zone, clinic, state) for step_id, zone, clinic, state in rows}


_CAUSES = (
    select(
        Reminder.id,
        Reminder.step,
        Reminder.key,
        Appointment.id,
        Appointment.starts_at,
        Appointment.state,
        Patient.state,
        Patient.time_zone,
        Clinic,
    )
    .join(Appointment, Appointment.id == Reminder.appointment_id)
    .join(Patient, Patient.id == Appointment.patient_id)
    .join(Clinic, Clinic.id == Appointment.clinic_id)
    .where(Reminder.id.in_(bindparam("reminders", expanding=True)))
)


def causes_of(session: Session, reminders: Sequence[int]) -> dict[int, Cause]:
    """Return the cause of every reminder named, read in this transaction."""
    if not reminders:
        return {}
    rows = session.execute(_CAUSES, {"reminders": list(reminders)}).all()
    made_good = settled_misses(session, [row[3] for row in rows if row[5] is AppointmentState.MISSED])
    return {
        reminder_id: Cause(zone, clinic, step, key, starts_at, visit_state, patient_state, visit_id in made_good)
        for reminder_id, step, key, visit_id, starts_at, visit_state, patient_state, zone, clinic in rows
    }
