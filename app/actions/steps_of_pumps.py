"""Steps because of a pump: asking to book, what follows as the drug runs low, and the battery."""

from datetime import timedelta

from sqlalchemy import select

from app.actions.frequency import routine_from
from app.actions.step_context import Context, PutOff
from app.db.care import Pump
from app.db.supply import CareStep, Referral, ReferralState
from app.db.work import TaskKind
from app.domain.battery import replace_by
from app.domain.escalation import Do, Skip, supply_step
from scheduler.ladders import ERI_DAYS, Due

NO_DATES = "the dates of this pump are not known any more"
REPLACED = "the pump is replaced"
ALERT_FROM_DAYS = 14  # of the 90 after the indicator: from here on an alert, unless the surgery is booked


def book_or_left(context: Context, step: CareStep) -> str:
    """Ask to book, open or sharpen the task, alert: by days of drug left and by what is booked."""
    standing = context.standing(step)
    if standing is None:
        return NO_DATES
    decided = supply_step(step.step, standing)
    if isinstance(decided, Skip):
        return decided.reason
    if decided.routine and (at := routine_from(context, step)) > context.now:
        raise PutOff(at, "gives way to other texts")
    needed_by = context.supplies[step.patient_id].early_empty_on
    unreachable = _tell(context, step, decided)
    if decided.task or decided.alert:
        rung = decided.rung
        reason = decided.task or decided.alert
        reason += f" ({unreachable})" if unreachable else ""
        by_date = needed_by if rung is None or rung.urgent_by_date else standing.plan_by
        due = rung.due if rung else Due.NOW
        context.task(step, TaskKind.SUPPLY, f"patient:{step.patient_id}", reason, due, needed_by=by_date)
        if decided.alert:
            context.alert(step, "missed_refill", reason, needed_by=needed_by)
    return unreachable if decided.routine else ""


def _tell(context: Context, step: CareStep, decided: Do) -> str:
    """Send what patient and carers are told; return why the patient could not be."""
    about = context.about(step)
    if decided.carer:
        context.text_carers(step, about, urgent=decided.urgent)
    return context.text(step, decided.text, about, urgent=decided.urgent) if decided.text else ""


def battery(context: Context, step: CareStep) -> str:
    """Warn staff that the pump must be replaced, more urgently as the months go by."""
    pump = context.session.get(Pump, step.pump_id) if step.pump_id else None
    ends = replace_by(pump.model, pump.implanted_on, pump.replace_by) if pump else None
    if pump is None or ends is None or pump.removed_on is not None:
        return REPLACED
    months = int(step.step.partition(":")[2])
    referral = _referral(context, pump)
    said = "the pump must be replaced now" if not months else f"the pump must be replaced within {months} months"
    state = f"the referral is {referral.state}" if referral else "no referral is sent"
    due = Due.TODAY if months <= 3 and not _surgery_booked(referral) else Due.WORKING_DAY
    context.task(
        step,
        TaskKind.BATTERY,
        f"pump:{pump.id}",
        f"{said}: {state}",
        due,
        needed_by=ends,
        keep=_surgery_booked(referral),
    )
    return ""


def eri(context: Context, step: CareStep) -> str:
    """Follow the 90 days of the elective replacement indicator: a task, and from 14 days left an alert."""
    pump = context.session.get(Pump, step.pump_id) if step.pump_id else None
    if pump is None or pump.removed_on is not None or pump.eri_on is None:
        return REPLACED
    days = int(step.step.partition(":")[2])
    referral = _referral(context, pump)
    ends = pump.eri_on + timedelta(days=ERI_DAYS)
    state = f"the referral is {referral.state}" if referral else "no referral is sent"
    reason = f"the replacement indicator shows: at most {days} days until the pump may stop, {state}"
    booked = _surgery_booked(referral)
    due = Due.TODAY if days > ALERT_FROM_DAYS else Due.NOW
    context.task(step, TaskKind.BATTERY, f"pump:{pump.id}", reason, due, needed_by=ends, keep=booked)
    if days <= ALERT_FROM_DAYS and (not booked or not days):
        context.alert(step, "battery", reason, subject=f"pump:{pump.id}", needed_by=ends)
    return ""


def referral(context: Context, step: CareStep) -> str:
    """A referral that does not move on: a task names its state."""
    pump = context.session.get(Pump, step.pump_id) if step.pump_id else None
    row = _referral(context, pump) if pump else None
    if pump is None or row is None or pump.removed_on is not None or _surgery_booked(row):
        return "the referral has moved on"
    reason = f"the replacement referral has been {row.state} for two weeks: ask what became of it"
    context.task(step, TaskKind.BATTERY, f"pump:{pump.id}", reason, Due.TODAY, keep=False)
    return ""


def _referral(context: Context, pump: Pump) -> Referral | None:
    return context.session.scalars(
        select(Referral).where(Referral.pump_id == pump.id).order_by(Referral.id.desc()).limit(1)
    ).first()


def _surgery_booked(referral: Referral | None) -> bool:
    return referral is not None and referral.state in (ReferralState.BOOKED, ReferralState.DONE)
