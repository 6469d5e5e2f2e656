"""An MRI that staff record, and what becomes of it: has the pump been checked since?"""

from datetime import datetime, timedelta

from sqlalchemy import select
from sqlalchemy.orm import Session

from app.actions.audit import audit
from app.actions.care_steps import cancel_steps, replan_steps
from app.actions.errors import Refused
from app.actions.line import Line
from app.actions.tasks import close_tasks
from app.actions.visits import the_patient
from app.db.people import PatientState
from app.db.supply import Scan
from app.db.work import TaskKind
from scheduler.ladders import scan_steps

OLDEST = timedelta(days=30)


def scan_ladder(scan_id: int) -> str:
    return f"scan:{scan_id}"


def record_scan(
    line: Line, patient_id: int, scanned_at: datetime, now: datetime, actor: str, staff_id: int | None = None
) -> int:
    """Record that a patient had an MRI; the patient is asked whether the pump was checked. Return the scan's id.

    Raises Refused for a scan still to come or longer ago than a month, and for a patient who is not active.
    """
    if scanned_at > now:
        raise Refused("this scan is still to come: record it once it is done")
    if scanned_at < now - OLDEST:
        raise Refused(f"this scan was more than {OLDEST.days} days ago: have the pump checked, and do not ask by text")
    with line.db.begin() as session:
        patient = the_patient(session, patient_id)
        if patient.state is not PatientState.ACTIVE:
            raise Refused(f"this patient is {patient.state}: set the state to active before", "conflict")
        same = select(Scan.id).where(Scan.patient_id == patient_id, Scan.scanned_at == scanned_at)
        if (known := session.scalars(same).first()) is not None:
            return known  # recorded twice is one scan
        scan = Scan(
            clinic_id=patient.clinic_id,
            patient_id=patient_id,
            scanned_at=scanned_at,
            recorded_by=staff_id,
            created_at=now,
        )
        session.add(scan)
        session.flush()
        steps = scan_steps(scan.id, now, scanned_at)
        replan_steps(session, patient_id, scan_ladder(scan.id), steps, now, "recorded")
        audit(session, now, actor, "scan recorded", f"scan:{scan.id}")
        return scan.id


def check_after_scan(line: Line, scan_id: int, now: datetime, actor: str) -> None:
    """Record on staff's word that the pump was checked after a scan. Raises Refused for an unknown scan."""
    with line.db.begin() as session:
        if session.get(Scan, scan_id) is None:
            raise Refused("there is no such scan", "missing")
        record_scan_check(session, now, scan_id, True, actor)


def record_scan_check(session: Session, now: datetime, scan_id: int, checked: bool, actor: str) -> None:
    """Record whether the pump was checked; once it was, nobody is asked any more."""
    scan = session.get(Scan, scan_id, with_for_update=True)
    if scan is None:
        return
    scan.checked, scan.answered_at = checked, now
    session.flush()
    if checked:
        close_tasks(session, now, scan_ladder(scan_id), (TaskKind.CHECK_PUMP,), "the pump was checked")
        cancel_steps(session, scan.patient_id, now, "the pump was checked", ladder=scan_ladder(scan_id))
    audit(session, now, actor, "pump checked" if checked else "pump not checked", f"scan:{scan_id}")
