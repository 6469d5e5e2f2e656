"""Re-plan every visit's reminders: finds and repairs drift, changes nothing where there is none."""

import logging
from collections import defaultdict
from dataclasses import dataclass, field
from datetime import datetime

from sqlalchemy import func, select
from sqlalchemy.orm import Session, load_only

from app.actions.care_steps import StepRow, add_steps
from app.actions.line import Line
from app.actions.reminder_rows import apply_changes, changes_for, urgent_misses
from app.actions.tasks import open_task
from app.actions.visit_steps import plan_visit_steps
from app.collecting import little_collecting
from app.db.care import Appointment, AppointmentState, Reminder
from app.db.due import settled_misses
from app.db.people import Clinic, Patient
from app.db.supply import CareStep
from app.db.work import TaskKind
from scheduler.planning import Changes

log = logging.getLogger(__name__)
BATCH = 500
# so that no index serves it: by that of the states, each batch would look through and sort all that are left
_STATE = func.coalesce(Appointment.state, "", type_=Appointment.state.type)


@dataclass
class PlanReport:
    """What re-planning did, or would do. `lines`: one sentence for each visit whose plan changes."""

    visits: int = 0
    added: int = 0
    cancelled: int = 0
    retimed: int = 0
    failed: int = 0
    steps: int = 0  # of nurses, changed with them
    lines: list[str] = field(default_factory=list)

    def count(self, visit: Appointment, changes: Changes) -> None:
        self.visits += 1
        moved = len(changes.revive) + len(changes.retime)
        self.added += len(changes.add)
        self.cancelled += len(changes.cancel)
        self.retimed += moved
        if not changes.empty and len(self.lines) < 1_000:
            self.lines.append(
                f"visit {visit.id}: {len(changes.add)} added, {len(changes.cancel)} cancelled, {moved} moved"
            )

    def cannot_plan(self, visit: Appointment) -> None:
        self.visits += 1
        self.failed += 1
        if len(self.lines) < 1_000:
            self.lines.append(f"visit {visit.id}: cannot be planned; check the patient's time zone")


@little_collecting()
def plan_reminders(line: Line, now: datetime, dry_run: bool = False, *, at_once: int = BATCH) -> PlanReport:
    """Plan reminders for every booked or missed visit, `at_once` a transaction; `dry_run` writes nothing."""
    report, after = PlanReport(), 0
    while True:
        with line.db.read() if dry_run else line.db.begin() as session:
            visits = _visits(session, after, at_once)
            rows = _reminders(session, [visit.id for visit, _ in visits])
            steps = _steps(session, [visit.id for visit, _ in visits])
            clinics = {clinic.id: clinic for clinic in session.scalars(select(Clinic))}
            missed = [visit.id for visit, _ in visits if visit.state is AppointmentState.MISSED]
            made_good = settled_misses(session, missed) if missed else set()
            urgent = urgent_misses(session, [(v, clinics[v.clinic_id]) for v, _ in visits if v.id in set(missed)])
            planned, new_steps = dict[int, Changes](), list[StepRow]()
            for visit, patient in visits:
                try:
                    changes = changes_for(
                        visit,
                        patient,
                        clinics[visit.clinic_id],
                        rows[visit.id],
                        now,
                        made_good=visit.id in made_good,
                        urgent=visit.id in urgent,
                    )
                except Exception as error:  # one bad record, a time zone nobody knows: never blocks the rest
                    log.error("visit %s cannot be planned: %s", visit.id, type(error).__name__)
                    report.cannot_plan(visit)
                    if not dry_run:
                        _ask_for_a_look(session, visit, now)
                    continue
                report.count(visit, changes)
                if not changes.empty:
                    planned[visit.id] = changes
                if not dry_run:
                    report.steps += plan_visit_steps(
                        session,
                        visit,
                        patient,
                        clinics[visit.clinic_id],
                        now,
                        "re-planned",
                        stored=steps[visit.id],
                        made_good=visit.id in made_good,
                        to_add=new_steps,
                    )
            if not dry_run:
                apply_changes(session, planned, now, "re-planned")
                add_steps(session, new_steps)
        if len(visits) < at_once:
            return report
        after = visits[-1][0].id


def _ask_for_a_look(session: Session, visit: Appointment, now: datetime) -> None:
    open_task(
        session,
        now,
        visit.clinic_id,
        TaskKind.CALL_INSTEAD,
        f"patient:{visit.patient_id}",
        "reminders cannot be planned: check the time zone, and call about the visit",
        patient_id=visit.patient_id,
    )


def _visits(session: Session, after: int, at_once: int) -> list[tuple[Appointment, Patient]]:
    rows = session.execute(
        select(Appointment, Patient)
        .join(Patient, Patient.id == Appointment.patient_id)
        .where(Appointment.id > after, _STATE.in_((AppointmentState.BOOKED, AppointmentState.MISSED)))
        .order_by(Appointment.id)
        .limit(at_once)
        .options(load_only(Patient.state, Patient.time_zone))  # names stay sealed
        .with_for_update(of=Appointment)  # nobody moves a visit between our reading and re-planning it
    )
    return [(visit, patient) for visit, patient in rows]


def _steps(session: Session, visits: list[int]) -> dict[int, list[CareStep]]:
    found: defaultdict[int, list[CareStep]] = defaultdict(list)
    for step in session.scalars(select(CareStep).where(CareStep.appointment_id.in_(visits))):
        if step.appointment_id is not None:
            found[step.appointment_id].append(step)
    return found


def _reminders(session: Session, visits: list[int]) -> dict[int, list[Reminder]]:
    found: defaultdict[int, list[Reminder]] = defaultdict(list)
    for reminder in session.scalars(select(Reminder).where(Reminder.appointment_id.in_(visits))):
        found[reminder.appointment_id].append(reminder)
    return found
