"""What is recorded of a pump itself: which one it is, when it was implanted, its replacement indicator, its removal."""

from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal

from sqlalchemy import select
from sqlalchemy.orm import Session

from app.actions.audit import audit
from app.actions.errors import Refused
from app.actions.line import Line
from app.actions.supply import clinic_day, refresh_supply
from app.actions.tasks import close_alerts, close_tasks
from app.actions.visits import the_patient
from app.db.care import EntryState, Pump, Refill
from app.db.pump_records import pump_record
from app.db.supply import Referral, ReferralState
from app.db.work import TaskKind

SMALLEST_ML, LARGEST_ML = Decimal(5), Decimal(60)


@dataclass(frozen=True)
class PumpEntry:
    """A pump as its card says. `replaces`: the pump before is out; what was planned for it stops."""

    model: str
    reservoir_size_ml: Decimal
    implanted_on: date | None = None
    replace_by: date | None = None
    replaces: bool = False


def record_pump(line: Line, patient_id: int, entry: PumpEntry, now: datetime, actor: str) -> int:
    """Record a patient's pump, or correct the present one; return its id.

    Raises Refused for a size no pump has, and for an implant in the future or after the last refill.
    """
    model = " ".join(entry.model.split())[:60]
    if not model:
        raise Refused("give the pump's model, as its card says")
    if not SMALLEST_ML <= entry.reservoir_size_ml <= LARGEST_ML:
        raise Refused(f"a reservoir holds from {SMALLEST_ML} to {LARGEST_ML} mL: check its size")
    with line.db.begin() as session:
        patient = the_patient(session, patient_id)
        today = clinic_day(patient.clinic, now)
        if entry.implanted_on and entry.implanted_on > today:
            raise Refused("the implant lies in the future: check the day")
        record = pump_record(session, patient_id)
        pump = record.pump if record else None
        again = pump is not None and pump.implanted_on is not None and pump.implanted_on == entry.implanted_on
        if pump is not None and entry.replaces and not again:  # sent twice, it is the new pump already
            pump.removed_on = entry.implanted_on or today
            _referral_done(session, pump.id, now)
            close_tasks(session, now, f"pump:{pump.id}", (TaskKind.BATTERY,), "the pump is replaced")
            close_alerts(session, now, f"pump:{pump.id}", "the pump is replaced")
            pump = None
        if pump is not None and entry.implanted_on:
            filled = session.scalars(
                select(Refill.filled_on)
                .where(Refill.pump_id == pump.id, Refill.state == EntryState.EFFECTIVE)
                .order_by(Refill.filled_on)
                .limit(1)
            ).first()
            if filled is not None and entry.implanted_on > filled:
                raise Refused(f"this pump was filled on {filled:%d-%b-%Y}, before that implant: check both days")
        if pump is None:
            pump = Pump(patient_id=patient_id, created_at=now)
            session.add(pump)
        pump.model, pump.reservoir_size_ml = model, entry.reservoir_size_ml
        pump.implanted_on = entry.implanted_on or pump.implanted_on
        pump.replace_by = entry.replace_by or pump.replace_by
        session.flush()
        refresh_supply(session, patient, patient.clinic, now, "pump recorded")
        audit(session, now, actor, "pump recorded", f"pump:{pump.id}", replaces=entry.replaces)
        return pump.id


def _referral_done(session: Session, pump_id: int, now: datetime) -> None:
    open_one = select(Referral).where(Referral.pump_id == pump_id, Referral.state != ReferralState.DONE)
    for referral in session.scalars(open_one):
        referral.state, referral.state_at, referral.version = ReferralState.DONE, now, referral.version + 1


def record_replacement_indicator(line: Line, patient_id: int, seen_on: date, now: datetime, actor: str) -> None:
    """Record that the elective replacement indicator shows: its 90 days begin. The first day counts.

    Raises Refused for a patient without a pump and for a day in the future or before the implant.
    """
    with line.db.begin() as session:
        patient = the_patient(session, patient_id)
        record = pump_record(session, patient_id)
        if record is None:
            raise Refused("this patient has no pump on record: record the pump first", "missing")
        pump = record.pump
        if seen_on > clinic_day(patient.clinic, now):
            raise Refused("that day lies in the future: give the day on which it was seen")
        if pump.implanted_on and seen_on < pump.implanted_on:
            raise Refused("that day is before the implant: check both")
        pump.eri_on = min(pump.eri_on, seen_on) if pump.eri_on else seen_on
        session.flush()
        refresh_supply(session, patient, patient.clinic, now, "replacement indicator")
        audit(session, now, actor, "replacement indicator recorded", f"pump:{pump.id}")
