"""Steps because of a visit or a scan: a nurse's call, who has not arrived, what kept somebody, how somebody is."""

from datetime import timedelta

from app.actions.record_scan import scan_ladder
from app.actions.step_context import Context
from app.actions.supply import care_policy
from app.db.care import Appointment, AppointmentState
from app.db.supply import CareStep, Scan
from app.db.work import TaskKind
from app.domain.phone import readable
from app.domain.why_missed import Offers
from scheduler.ladders import LAST, Audience, Channel, Due, Rung, rung_for

CHECK_IN_HELPS_FOR = timedelta(hours=12)  # a check-in that comes later asks about another day


def call(context: Context, step: CareStep) -> str:
    """At noon the day before: whoever has not confirmed is called."""
    visit, why_not = _visit(context, step, AppointmentState.BOOKED)
    if visit is None or why_not:
        return why_not
    if visit.confirmed_at is not None:
        return "confirmed"
    reason = "has not confirmed the visit: call today"
    context.task(step, TaskKind.UNCONFIRMED, f"appointment:{visit.id}", reason, Due.TODAY)
    return ""


def arrive(context: Context, step: CareStep) -> str:
    """An hour after the visit began: whoever had confirmed and is not here may be in trouble."""
    visit, why_not = _visit(context, step, AppointmentState.BOOKED, AppointmentState.MISSED)
    if visit is None or why_not:
        return why_not
    if visit.confirmed_at is None:
        return "had not confirmed"
    reason = "same-day alert: had confirmed, and has not arrived an hour after the visit began: call now"
    context.task(step, TaskKind.NOT_ARRIVED, f"appointment:{visit.id}", reason, Due.NOW)
    return ""


def carer(context: Context, step: CareStep) -> str:
    """After a miss, with few days of drug left: carers who may be told are told."""
    visit, why_not = _visit(context, step, AppointmentState.MISSED)
    if visit is None or why_not:
        return why_not
    rung = _rung(context, step)
    if not rung.tells(Channel.TEXT, Audience.CARER):
        return "enough drug is left that the patient is told first"
    told = context.text_carers(step, context.about(step), urgent=rung is LAST)
    return "" if told else "no carer who may be told"


def why(context: Context, step: CareStep) -> str:
    """After a miss: what kept them, with an offer for each answer. With hardly any drug left, nothing but the call."""
    visit, why_not = _visit(context, step, AppointmentState.MISSED)
    if visit is None or why_not:
        return why_not
    if _rung(context, step) is LAST:
        return "hardly any drug is left: a person asks"
    clinic = context.clinic(step)
    policy = care_policy(context.session, clinic.id)
    desk = readable(policy.transport_phone, clinic.country) if policy.transport_phone else ""
    about = context.about(step, appointment_id=visit.id, starts_at=visit.starts_at, offers=Offers(policy.offers, desk))
    return context.text(step, "missed_why", about)


def check_in(context: Context, step: CareStep) -> str:
    """After a refill or dose change: how are you? Late is better than never, but not half a day later."""
    if context.now - step.due_at > CHECK_IN_HELPS_FOR:
        return "too late to help"
    return context.text(step, "checkin", context.about(step), until=context.now + CHECK_IN_HELPS_FOR)


def scan(context: Context, step: CareStep) -> str:
    """After a scan: has the pump been checked? Still not a day later: a nurse sees to it."""
    scan_id = int(step.key.partition("@")[2])
    row = context.session.get(Scan, scan_id)
    if row is None or row.checked:
        return "the pump was checked"
    unreachable = context.text(step, "mri", context.about(step, scan_id=scan_id), urgent=True)
    if step.step == "scan:1" and not unreachable:
        return ""
    reason = "a scan, and nobody said that the pump was checked since: call"
    reason += f" ({unreachable})" if unreachable else ""
    context.task(step, TaskKind.CHECK_PUMP, scan_ladder(scan_id), reason, Due.NOW)
    return ""


def _visit(context: Context, step: CareStep, *states: AppointmentState) -> tuple[Appointment | None, str]:
    """Return the step's visit as it is now, and why the step no longer fits it."""
    visit = context.visits.get(step.appointment_id or 0)
    if visit is None:
        return None, "no visit"
    if visit.state not in states:
        return visit, f"{visit.state} by then"
    at = visit.starts_at.isoformat()
    return visit, "" if step.key.endswith(at) else "moved by then"


def _rung(context: Context, step: CareStep) -> Rung:
    """Return the rung by days of drug left, today at the clinic."""
    standing = context.standing(step)
    known = standing is not None and not standing.seen_since
    return rung_for(standing.days_left if standing and known else None)
