"""Change what a clinic has chosen about pumps: limits, intervals, offers. Dates follow."""

from dataclasses import dataclass, fields
from datetime import datetime
from decimal import Decimal

from sqlalchemy import update

from app.actions.audit import audit
from app.actions.errors import Refused
from app.actions.line import Line
from app.actions.prepare import the_clinic
from app.actions.supply import care_policy
from app.db.supply import CarePolicy, Supply
from app.domain.pump_values import Limits
from app.domain.why_missed import OFFERS, REASONS

CLEARS: tuple[object, ...] = (0, "none")  # given for one drug or reason, these take away what the clinic has set


@dataclass(frozen=True)
class CarePolicyChange:
    """What to change; None leaves a field as it is. `max_interval_days` 0 and `transport_phone` "" take them away, as
    do 0 for one drug of `stability_of` and "none" for one reason of `offers`."""

    concentrations: list[str] | None = None
    alarm_volume_ml: Decimal | None = None
    flow_band: Decimal | None = None
    stability_days: int | None = None
    stability_of: dict[str, int] | None = None
    max_interval_days: int | None = None
    lead_days: int | None = None
    aspirated_percent: Decimal | None = None
    aspirated_ml: Decimal | None = None
    jump_percent: Decimal | None = None
    ask_to_book_days: int | None = None
    offers: dict[str, str] | None = None
    transport_phone: str | None = None

    @property
    def given(self) -> dict[str, object]:
        return {field.name: value for field in fields(self) if (value := getattr(self, field.name)) is not None}


def change_care_policy(line: Line, change: CarePolicyChange, now: datetime, actor: str) -> tuple[str, ...]:
    """Write the change and return the names of the fields that changed. Every pump's dates are worked out anew soon.

    Raises Refused, naming the field, for values that give no dates.
    """
    with line.db.begin() as session:
        clinic = the_clinic(session)
        policy = care_policy(session, clinic.id)
        changed = []
        for name, value in change.given.items():
            wanted = None if (name, value) in (("max_interval_days", 0), ("transport_phone", "")) else value
            if isinstance(wanted, dict):
                merged = getattr(policy, name) | wanted
                wanted = {key: chosen for key, chosen in merged.items() if chosen not in CLEARS}
            if getattr(policy, name) != wanted:
                setattr(policy, name, wanted)
                changed.append(name)
        _check(policy)
        if changed:
            policy.version += 1
            session.execute(update(Supply).where(Supply.clinic_id == clinic.id).values(stale=True))
            audit(session, now, actor, "care policy changed", f"clinic:{clinic.id}", fields=changed)
        return tuple(changed)


def _check(policy: CarePolicy) -> None:
    try:
        Limits(policy.flow_band, policy.stability_days, policy.max_interval_days, policy.lead_days)
        for days in policy.stability_of.values():
            Limits(stability_days=days)
    except ValueError as error:
        raise Refused(str(error)) from error
    if not policy.concentrations or any(not 10 <= Decimal(mcg) <= 4000 for mcg in policy.concentrations):
        raise Refused("concentrations: give those the clinic fills, in mcg/mL, for example 500,1000,2000")
    if not Decimal("0.5") <= policy.alarm_volume_ml <= 20:
        raise Refused("alarm_volume_ml must be from 0.5 to 20 mL, for example 2 or 4")
    for name, most in (("aspirated_percent", 100), ("aspirated_ml", 20), ("jump_percent", 200)):
        if not 0 < getattr(policy, name) <= most:
            raise Refused(f"{name} must be above 0 and at most {most}")
    if not 0 <= policy.ask_to_book_days <= 120:
        raise Refused("ask_to_book_days must be from 0 (never ask) to 120 days before the plan-by date")
    for reason, offer in policy.offers.items():
        if reason not in REASONS or reason == "ill" or offer not in OFFERS:
            able = ", ".join(reason for reason in REASONS if reason != "ill")
            raise Refused(f"offers: for one of {able}, offer one of {', '.join(OFFERS)}")
