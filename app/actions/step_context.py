"""What a batch of due steps needs, read once; and how their texts, tasks and alerts are made."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from sqlalchemy import BindParameter, bindparam, func, select
from sqlalchemy.orm import Session

from app.actions.alerts import raise_alert
from app.actions.care_steps import SUPPLY
from app.actions.care_texts import TEXTS, About, send_care_text
from app.actions.line import Line, policy_of
from app.actions.supply import care_policy, standing
from app.actions.tasks import open_task
from app.db.care import Appointment
from app.db.due import carers_told, targets_of
from app.db.people import Clinic, Patient, PatientState
from app.db.pump_records import VisitFacts, owned_refills, visit_facts
from app.db.supply import CarePolicy, CareStep, StepState, Supply
from app.db.work import TaskKind
from app.domain.conversation import Asked
from app.domain.escalation import Standing
from app.domain.reminders import Target, reachable, why_unreachable
from scheduler.ladders import Due, task_due
from scheduler.quiet_hours import local_instant, next_allowed

Targets = list[tuple[Target, dict[str, object] | None]]


class PutOff(Exception):
    """The step is right, and its time is later."""

    def __init__(self, at: datetime, reason: str) -> None:
        super().__init__(reason)
        self.at = at
        self.reason = reason


@dataclass
class Context:
    """One batch, in one transaction, at one instant."""

    line: Line
    session: Session
    now: datetime
    patients: dict[int, Patient]
    clinics: dict[int, Clinic]
    supplies: dict[int, Supply]
    visits: dict[int, Appointment]
    facts: dict[int, VisitFacts]
    owned: set[int]
    targets: dict[int, Targets]
    newest: dict[int, datetime]  # by patient, when the newest step of a filling that is due was due
    asked: dict[int, Asked] = field(default_factory=dict)  # by phone; two steps of one batch may share a phone

    def clinic(self, step: CareStep) -> Clinic:
        return self.clinics[self.patients[step.patient_id].clinic_id]

    def policy(self, step: CareStep) -> CarePolicy:
        return care_policy(self.session, self.clinic(step).id)

    def zone(self, step: CareStep) -> ZoneInfo:
        return ZoneInfo(self.patients[step.patient_id].time_zone)

    def standing(self, step: CareStep) -> Standing | None:
        """Return how the patient stands now; None where the dates of the pump are not known."""
        supply = self.supplies.get(step.patient_id)
        if supply is None or supply.early_empty_on is None or supply.plan_by is None:
            return None
        owned = step.patient_id in self.owned
        return standing(supply, self.facts[step.patient_id], self.clinic(step), self.now, owned=owned)

    def in_hours(self, step: CareStep) -> datetime:
        """Return when a text that can wait may leave: now, or at the patient's next texting hour."""
        return next_allowed(self.now, self.zone(step), policy_of(self.clinic(step)).quiet)

    def about(self, step: CareStep, **more: object) -> About:
        return About(step.patient_id, self.patients[step.patient_id].given_name, **more)  # type: ignore[arg-type]

    def text(
        self, step: CareStep, name: str, about: About, *, urgent: bool = False, until: datetime | None = None
    ) -> str:
        """Owe a text to every phone that gets this patient's reminders; return why none could be, "" where one was."""
        if self.patients[step.patient_id].state is not PatientState.ACTIVE:
            return "paused: not texted"
        found = self.targets.get(step.patient_id, [])
        can = reachable([target for target, _ in found])
        if not can:
            return why_unreachable([target for target, _ in found])
        self._owe(step, name, [(t, asked) for t, asked in found if t in can], about, urgent=urgent, until=until)
        return ""

    def text_carers(self, step: CareStep, about: About, *, urgent: bool) -> int:
        """Tell carers whom the patient lets us tell, but for those who have had the patient's own text."""
        if self.patients[step.patient_id].state is not PatientState.ACTIVE:
            return 0
        told = {target.phone_id for target, _ in self.targets.get(step.patient_id, [])}
        carers = [
            (target, asked)
            for target, asked in carers_told(self.session, step.patient_id)
            if target.phone_id not in told and not target.opted_out
        ]
        self._owe(step, "missed_carer", carers, about, urgent=urgent)
        return len(carers)

    def _owe(
        self, step: CareStep, name: str, targets: Targets, about: About, *, urgent: bool, until: datetime | None = None
    ) -> None:
        text = TEXTS[name]
        due_at = None if urgent or text.urgent else self.in_hours(step)
        with_asked = [
            (target, self.asked.get(target.phone_id) or Asked.from_json(stored).still(self.now))
            for target, stored in targets
        ]
        sent = send_care_text(
            self.line,
            self.session,
            text,
            step,
            self.clinic(step),
            with_asked,
            about,
            self.now,
            due_at=due_at,
            expires_at=until,
            urgent=urgent,
        )
        self.asked |= sent

    def task(
        self,
        step: CareStep,
        kind: TaskKind,
        subject: str,
        reason: str,
        due: Due,
        *,
        needed_by: date | None = None,
        keep: bool = True,
    ) -> int:
        clinic = self.clinic(step)
        return open_task(
            self.session,
            self.now,
            clinic.id,
            kind,
            subject,
            reason,
            patient_id=step.patient_id,
            due_at=task_due(due, self.now, ZoneInfo(clinic.time_zone)),
            needed_by=needed_by,
            keep=keep,
        )

    def alert(
        self, step: CareStep, category: str, reason: str, *, subject: str = "", needed_by: date | None = None
    ) -> int:
        return raise_alert(
            self.line,
            self.session,
            self.now,
            self.clinic(step),
            subject or f"patient:{step.patient_id}",
            category,
            reason,
            patient_id=step.patient_id,
            needed_by=needed_by,
        )


_THESE: BindParameter[int] = bindparam("patients", expanding=True)
_PATIENTS = select(Patient).where(Patient.id.in_(_THESE))
_CLINICS = select(Clinic)
_SUPPLIES = select(Supply).where(Supply.patient_id.in_(_THESE))
_VISITS = select(Appointment).where(Appointment.id.in_(bindparam("visits", expanding=True)))
_NEWEST = (
    select(CareStep.patient_id, func.max(CareStep.due_at))
    .where(
        CareStep.patient_id.in_(_THESE),
        CareStep.ladder == SUPPLY,
        CareStep.step.not_like("owner:%"),
        CareStep.state == StepState.PLANNED,
        CareStep.due_at <= bindparam("now"),
    )
    .group_by(CareStep.patient_id)
)


def context_of(line: Line, session: Session, steps: Sequence[CareStep], now: datetime) -> Context:
    ids = sorted({step.patient_id for step in steps})
    visits = sorted({step.appointment_id for step in steps if step.appointment_id is not None})
    these = {"patients": ids}
    patients = {patient.id: patient for patient in session.scalars(_PATIENTS, these)}
    clinics = {clinic.id: clinic for clinic in session.scalars(_CLINICS)}
    started = min((_day_began(clinic, now) for clinic in clinics.values()), default=now)
    return Context(
        line=line,
        session=session,
        now=now,
        patients=patients,
        clinics=clinics,
        supplies={row.patient_id: row for row in session.scalars(_SUPPLIES, these)},
        visits={row.id: row for row in session.scalars(_VISITS, {"visits": visits})},
        facts=visit_facts(session, ids, started),
        owned=owned_refills(session, ids),
        targets=targets_of(session, ids),
        newest=_newest(session, ids, now),
    )


def _newest(session: Session, patients: Sequence[int], now: datetime) -> dict[int, datetime]:
    """Return when the newest step of asking to book, or by days left, was due: after an outage it replaces others."""
    rows = session.execute(_NEWEST, {"patients": list(patients), "now": now})
    return {row[0]: row[1] for row in rows}


def _day_began(clinic: Clinic, now: datetime) -> datetime:
    zone = ZoneInfo(clinic.time_zone)
    return local_instant(now.astimezone(zone).date(), time(0), zone)


def at_opening(context: Context, step: CareStep, days: int) -> datetime:
    """Return the hour of routine texts, so many days from today."""
    policy, zone = policy_of(context.clinic(step)), context.zone(step)
    day = context.now.astimezone(zone).date() + timedelta(days=days)
    return next_allowed(local_instant(day, policy.send_at, zone), zone, policy.quiet)
