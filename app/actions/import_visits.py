"""Second pass of an import, visits: booked with their reminders, moved where the file names another time."""

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from app.actions.care_steps import StepRow, add_steps, step_row, visit_ladder
from app.actions.errors import Refused
from app.actions.import_rows import Numbered, Patients, Tally, differing, insert_returning
from app.actions.line import policy_of
from app.actions.reminder_rows import add_reminders, reminder_row
from app.actions.replan_zone import replan_zone
from app.actions.tasks import close_tasks
from app.actions.visits import ABOUT_VISIT, after_change, settle_earlier_misses
from app.db.care import Appointment, AppointmentState
from app.db.people import Clinic, Patient
from app.integrations.csv_columns import Values
from scheduler.ladders import visit_steps
from scheduler.planning import Planned, plan

PLANS_KEPT = 10_000  # many patients share an instant; a plan takes longer than anything else about a visit


class VisitWriter:
    def __init__(self, clinic: Clinic, now: datetime, tally: Tally, actor: str = "command") -> None:
        self._clinic = clinic
        self._actor = actor
        self._policy = policy_of(clinic)
        self._now = now
        self._tally = tally
        self._plans: dict[tuple[datetime, str], tuple[Planned, ...]] = {}

    def write(self, session: Session, chunk: Sequence[Numbered], patients: Patients) -> None:
        visits = self._known_visits(session, set(patients.ids.values()) - patients.created)
        new: dict[tuple[int, datetime], Values] = {}
        for number, values in chunk:
            if values.appointment_at is None:
                continue
            patient_id = patients.ids[values.mrn]
            known = visits.get(patient_id, [])
            visit = _same_visit(known, values)
            if patient_id in patients.inactive:
                self._tally.visits_left += 1
            elif visit is not None:
                self._update(session, number, values, visit, known)
            elif values.appointment_at > self._now:
                same = new.get((patient_id, values.appointment_at))
                if same is None or same.appointment_id is None:
                    new[patient_id, values.appointment_at] = values
        missed = {
            patient_id
            for patient_id, known in visits.items()
            if any(visit.state == AppointmentState.MISSED for visit in known)
        }
        self._book(session, new, patients, missed)
        for patient_id in patients.zone_changed:
            self._replan(session, patient_id)

    def _known_visits(self, session: Session, patient_ids: set[int]) -> dict[int, list[Any]]:
        if not patient_ids:
            return {}
        table = Appointment.__table__
        columns = (table.c.id, table.c.patient_id, table.c.starts_at, table.c.state, table.c.external_id)
        known: dict[int, list[Any]] = {}
        query = select(*columns).where(table.c.patient_id.in_(patient_ids)).order_by(table.c.id)
        for row in session.execute(query):
            known.setdefault(row.patient_id, []).append(row)
        return known

    def _update(self, session: Session, number: int, values: Values, visit: Any, others: Iterable[Any]) -> None:
        assert values.appointment_at is not None
        if visit.starts_at != values.appointment_at:
            if visit.state == AppointmentState.ATTENDED or values.appointment_at <= self._now:
                self._tally.visits_left += 1
                return
            if any(_booked_at(other, values.appointment_at) for other in others if other.id != visit.id):
                raise Refused(
                    f"row {number}, appointment_at: this patient has another visit booked at that time; move or cancel "
                    "one of them in Pumpline, then import again",
                    "conflict",
                )
            self._move(session, visit, values.appointment_at)
            return
        if visit.state != AppointmentState.BOOKED and values.appointment_at > self._now:
            self._tally.visits_left += 1
        renamed = {} if values.appointment_id is None else differing(visit, {"external_id": values.appointment_id})
        if renamed:
            table = Appointment.__table__
            session.execute(update(table).where(table.c.id == visit.id).values(**renamed))
        self._tally.met("visits", visit, renamed)

    def _move(self, session: Session, stored: Any, starts_at: datetime) -> None:
        """Move one visit as a person would; one cancelled or missed is booked again, at the new time."""
        visit = session.get_one(Appointment, stored.id, populate_existing=True)
        patient = session.get_one(Patient, visit.patient_id, populate_existing=True)
        again = dict.fromkeys(("confirmed_at", "missed_at", "cancelled_at"))
        cells = {"starts_at": starts_at, "state": AppointmentState.BOOKED} | again
        self._tally.met("visits", visit, cells)
        for name, cell in cells.items():
            setattr(visit, name, cell)
        close_tasks(session, self._now, f"appointment:{visit.id}", ABOUT_VISIT, "moved")
        after_change(session, visit, patient, patient.clinic, self._now, self._actor, "moved")
        session.expunge_all()  # ten thousand of them must not stay in memory

    def _book(
        self, session: Session, new: dict[tuple[int, datetime], Values], patients: Patients, missed: set[int]
    ) -> None:
        rows = [
            {
                "clinic_id": self._clinic.id,
                "patient_id": patient_id,
                "starts_at": starts_at,
                "state": AppointmentState.BOOKED,
                "external_id": values.appointment_id,
                "created_at": self._now,
            }
            for (patient_id, starts_at), values in new.items()
        ]
        reminders: list[dict[str, Any]] = []
        steps: list[StepRow] = []
        booked: list[int] = []
        for row in insert_returning(session, Appointment.__table__, rows, "patient_id", "starts_at"):
            booked.append(row.id)
            for reminder in self._plan(row.starts_at, patients.zones[row.patient_id]):
                reminders.append(reminder_row(row.id, reminder, self._now))
            for step in visit_steps(row.id, row.starts_at, ZoneInfo(patients.zones[row.patient_id])):
                if step.due_at > self._now:
                    steps.append(step_row(row.patient_id, visit_ladder(row.id), step, self._now, row.id))
            if row.patient_id in missed:
                settle_earlier_misses(session, row.patient_id, self._now, "booked again")
        add_reminders(session, reminders)
        add_steps(session, steps)
        self._tally.reminders_planned += len(reminders)
        self._tally.created("visits", booked)

    def _plan(self, starts_at: datetime, zone: str) -> tuple[Planned, ...]:
        if (starts_at, zone) not in self._plans:
            if len(self._plans) >= PLANS_KEPT:
                self._plans.clear()
            self._plans[starts_at, zone] = plan(starts_at, self._policy, ZoneInfo(zone), self._now)
        return self._plans[starts_at, zone]

    def _replan(self, session: Session, patient_id: int) -> None:
        """Re-time the reminders of a patient who moved to another time zone."""
        replan_zone(session, session.get_one(Patient, patient_id, populate_existing=True), self._now)
        session.expunge_all()


def _same_visit(known: Iterable[Any], values: Values) -> Any:
    """Return which visit a row means: by its own key, else by its time, booked ones first."""
    by_id = [visit for visit in known if values.appointment_id and visit.external_id == values.appointment_id]
    at_time = [visit for visit in known if visit.starts_at == values.appointment_at]
    booked = [visit for visit in at_time if visit.state == AppointmentState.BOOKED]
    return next(iter(by_id or booked or at_time), None)


def _booked_at(visit: Any, starts_at: datetime) -> bool:
    return bool(visit.state == AppointmentState.BOOKED and visit.starts_at == starts_at)
