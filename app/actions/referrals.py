"""A pump's replacement referral: somebody owns it, and it moves from sent to done."""

from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from app.actions.audit import audit
from app.actions.care_steps import cancel_steps, replan_steps
from app.actions.errors import Refused
from app.actions.line import Line
from app.actions.tasks import close_alerts, close_tasks
from app.actions.visits import the_patient
from app.db.people import Staff
from app.db.pump_records import pump_record
from app.db.supply import Referral, ReferralState
from app.db.work import TaskKind
from app.domain.permissions import Permission, may
from scheduler.ladders import REFERRAL_STALLS_AFTER, Step

ORDER = tuple(ReferralState)


def open_referral(line: Line, patient_id: int, owner_id: int, now: datetime, actor: str) -> int:
    """Record that the replacement referral was sent, and who owns it; return its id.

    Raises Refused where one is open for this pump, where there is no pump, and for an owner who is not active staff.
    """
    with line.db.begin() as session:
        patient = the_patient(session, patient_id)
        record = pump_record(session, patient_id)
        if record is None:
            raise Refused("this patient has no pump on record: record the pump first", "missing")
        _owner(session, owner_id, patient.clinic_id)
        stands = select(Referral.id).where(Referral.pump_id == record.pump.id, Referral.state != ReferralState.DONE)
        if session.scalars(stands).first() is not None:
            raise Refused("a referral is open for this pump: move it on, or give it to somebody else", "conflict")
        referral = Referral(
            clinic_id=patient.clinic_id,
            patient_id=patient_id,
            pump_id=record.pump.id,
            owner_id=owner_id,
            state=ReferralState.SENT,
            opened_at=now,
            state_at=now,
        )
        session.add(referral)
        session.flush()
        _watch(session, referral, now)
        audit(session, now, actor, "referral sent", f"referral:{referral.id}", owner=owner_id)
        return referral.id


def move_referral(
    line: Line,
    referral_id: int,
    now: datetime,
    actor: str,
    *,
    state: ReferralState | None = None,
    owner_id: int | None = None,
) -> None:
    """Give a referral its next state, or another owner. It only moves forward; done, it is closed.

    Raises Refused for a step back, and for an owner who is not active staff of the clinic.
    """
    with line.db.begin() as session:
        referral = session.get(Referral, referral_id, with_for_update=True)
        if referral is None:
            raise Refused("there is no such referral", "missing")
        if owner_id is not None:
            _owner(session, owner_id, referral.clinic_id)
            referral.owner_id = owner_id
        if state is not None and state is not referral.state:
            if ORDER.index(state) < ORDER.index(referral.state):
                raise Refused(f"this referral is {referral.state}: it only moves forward", "conflict")
            referral.state, referral.state_at = state, now
        referral.version += 1
        session.flush()
        _watch(session, referral, now)
        if referral.state is ReferralState.DONE:
            close_tasks(session, now, f"pump:{referral.pump_id}", (TaskKind.BATTERY,), "the pump is replaced")
            close_alerts(session, now, f"pump:{referral.pump_id}", "the pump is replaced")
        audit(session, now, actor, "referral moved", f"referral:{referral.id}", state=referral.state)


def _owner(session: Session, owner_id: int, clinic_id: int) -> None:
    owner = session.get(Staff, owner_id)
    if owner is None or not owner.active or owner.clinic_id != clinic_id:
        raise Refused("the owner must be an active member of staff: see `pumpline staff list`")
    if not may(owner.role, Permission.WRITE_PATIENTS):
        raise Refused("the owner's role does not let them see to a patient: choose a nurse")


def _watch(session: Session, referral: Referral, now: datetime) -> None:
    """Plan to remind its owner where it does not move on in two weeks."""
    ladder = f"referral:{referral.id}"
    if referral.state in (ReferralState.BOOKED, ReferralState.DONE):
        cancel_steps(session, referral.patient_id, now, f"the referral is {referral.state}", ladder=ladder)
        return
    at = referral.state_at + REFERRAL_STALLS_AFTER
    step = Step("referral:14", at, f"{referral.id}:{referral.state}")
    replan_steps(session, referral.patient_id, ladder, (step,), now, "moved on", pump_id=referral.pump_id)
