"""Work out dates and steps of pumps: of those that have none yet or stale ones, and now and then of all."""

import logging
from collections.abc import Mapping, Sequence
from datetime import datetime
from zoneinfo import ZoneInfo

from sqlalchemy import select
from sqlalchemy.orm import Session, load_only

from app.actions.each import SomeFailed
from app.actions.line import Line
from app.actions.supply import refresh_many, standing
from app.actions.tasks import open_task
from app.collecting import little_collecting
from app.db.care import Pump
from app.db.inserts import insert_once
from app.db.people import Clinic, Patient, PatientState
from app.db.pump_records import dates_known, pumps_without_dates, visit_facts
from app.db.supply import Supply
from app.db.work import TaskKind
from scheduler.ladders import Due, task_due

log = logging.getLogger(__name__)
BATCH = 200
A_BEAT = 2_000
NOBODY_KNOWS = "nobody knows until when this pump holds drug, and no visit is booked: record the last refill"
# names are sealed, and opening them costs as much as working out the dates
_WITHOUT_NAMES = select(Patient).options(load_only(Patient.clinic_id, Patient.state, Patient.time_zone, raiseload=True))
NOT_RECORDED = "a refill visit was attended: record the volumes, so that the next dates are known"


def plan_new_pumps(line: Line, now: datetime) -> int:
    """Work out what has no dates yet, or stale ones: after an import, or a change of the clinic's limits."""
    with line.db.read() as session:
        waiting = pumps_without_dates(session, A_BEAT)
    return _plan(line, waiting, now)


def plan_care(line: Line, now: datetime) -> int:
    """Work out the dates of every pump anew: finds and repairs drift, changes nothing where there is none.

    A pump without dates and without a visit is known to nobody: a task asks for its record.
    """
    with line.db.read() as session:
        patients = session.scalars(select(Pump.patient_id).where(Pump.removed_on.is_(None)).distinct()).all()
    return _plan(line, patients, now, ask=True)


@little_collecting()
def _plan(line: Line, patients: Sequence[int], now: datetime, *, ask: bool = False) -> int:
    """Plan in batches, one transaction each; a bad record is planned alone, and a nurse is asked to look at it."""
    failed = 0
    for start in range(0, len(patients), BATCH):
        ids = patients[start : start + BATCH]
        try:
            _refresh(line, ids, now, ask=ask)
        except Exception as error:
            log.warning("a batch of %s pumps failed (%s): one by one", len(ids), type(error).__name__)
            for patient_id in ids:
                try:
                    _refresh(line, [patient_id], now, ask=ask)
                except Exception as bad:
                    failed += 1
                    log.error("the pump of patient %s cannot be planned: %s", patient_id, type(bad).__name__)
                    _ask_for_a_look(line, patient_id, now)
    if failed:
        raise SomeFailed(f"{failed} pumps")
    return len(patients)


def _refresh(line: Line, patients: Sequence[int], now: datetime, *, ask: bool) -> None:
    with line.db.begin() as session:
        clinics = {clinic.id: clinic for clinic in session.scalars(select(Clinic))}
        found = session.scalars(_WITHOUT_NAMES.where(Patient.id.in_(patients)).order_by(Patient.id)).all()
        pairs = [(patient, clinics[patient.clinic_id]) for patient in found]
        supplies = refresh_many(session, pairs, now, "re-planned")
        dates_known(session, patients)
        if ask:
            _ask_for_records(session, pairs, supplies, now)


def _ask_for_records(
    session: Session, patients: Sequence[tuple[Patient, Clinic]], supplies: Mapping[int, Supply], now: datetime
) -> None:
    """Ask for the refill of pumps that nobody knows the dates of: with no visit to come, or with one attended since."""
    facts = visit_facts(session, list(supplies), now)
    for patient, clinic in patients:
        supply = supplies.get(patient.id)
        if supply is None or patient.state is not PatientState.ACTIVE:
            continue
        if supply.early_empty_on is None:
            reason = "" if facts[patient.id].booked_at else NOBODY_KNOWS
        else:
            reason = NOT_RECORDED if standing(supply, facts[patient.id], clinic, now).seen_on else ""
        if not reason:
            continue
        open_task(
            session,
            now,
            clinic.id,
            TaskKind.RECORD_REFILL,
            f"patient:{patient.id}",
            reason,
            patient_id=patient.id,
            due_at=task_due(Due.WORKING_DAY, now, ZoneInfo(clinic.time_zone)),
            keep=True,
        )


def _ask_for_a_look(line: Line, patient_id: int, now: datetime) -> None:
    with line.db.begin() as session:
        patient = session.get_one(Patient, patient_id)
        reason = "the dates of the pump cannot be worked out: check the record, and the time zone"
        subject = f"patient:{patient_id}"
        kind = TaskKind.RECORD_REFILL
        open_task(session, now, patient.clinic_id, kind, subject, reason, patient_id=patient_id, keep=True)
        _leave_it_for_the_night(session, patient, now)


def _leave_it_for_the_night(session: Session, patient: Patient, now: datetime) -> None:
    """Write a row without dates, so that it is not tried again at every beat."""
    dates_known(session, [patient.id])
    pump = session.scalars(
        select(Pump).where(Pump.patient_id == patient.id, Pump.removed_on.is_(None)).order_by(Pump.id.desc())
    ).first()
    if pump is None:
        return
    insert_once(
        session,
        Supply,
        ("patient_id",),
        patient_id=patient.id,
        clinic_id=patient.clinic_id,
        pump_id=pump.id,
        problem="cannot be worked out: check the record",
        stale=False,
        computed_at=now,
    )
    supply = session.get_one(Supply, patient.id)
    supply.stale = False
