"""Until when a pump holds drug: volume, concentration and dose give dates, with their band.

mcg delivered are compared with mcg held, and nothing is divided and rounded first: each date is right to the day. The
dates are for staff, never texted. Source: docs/clinical/refill-interval.md.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta
from decimal import Decimal, localcontext

from app.domain.pump_checks import Aspirate, aspirated, check, needs_second_person
from app.domain.pump_values import EXACT, DoseChange, Fill, Limits, Program, PumpRefused, in_figures, quotient

__all__ = [  # the one door to all that is known of a pump's drug
    "Aspirate",
    "DaysLeft",
    "DoseChange",
    "Fill",
    "Limits",
    "Program",
    "PumpRefused",
    "RefillDates",
    "aspirated",
    "check",
    "expected_volume_ml",
    "in_figures",
    "needs_second_person",
    "refill_dates",
]


@dataclass(frozen=True, slots=True)
class DaysLeft:
    """Days of drug left, 0 when the day has come or passed."""

    nominal: int
    early: int


@dataclass(frozen=True, slots=True)
class RefillDates:
    """Each date is the last day at whose start the volume delivered has not passed the mark."""

    flow_ml_per_day: Decimal  # of the program in force on the day of the refill
    early_low_alarm_on: date
    low_alarm_on: date
    late_low_alarm_on: date
    early_empty_on: date
    empty_on: date
    late_empty_on: date
    stable_until: date
    plan_by: date
    plan_by_because: str

    def days_left(self, on: date) -> DaysLeft:
        return DaysLeft(max((self.empty_on - on).days, 0), max((self.early_empty_on - on).days, 0))


@dataclass(frozen=True, slots=True)
class _Stretch:
    """Days on which one program holds, and the totals that repeat from its first day on."""

    days: int | None  # None: without end
    cycle_mcg: tuple[Decimal, ...]


def refill_dates(fill: Fill, program: Program, limits: Limits, changes: Iterable[DoseChange] = ()) -> RefillDates:
    """Raises PumpRefused for a change that cannot be, and for a date past the calendar."""
    programs = _programs(fill, program, changes)
    with localcontext(EXACT):
        stretches = _stretches(programs)
        alarm_mcg = fill.usable_volume_ml * program.concentration_mcg_per_ml
        empty_mcg = fill.reservoir_volume_ml * program.concentration_mcg_per_ml
        early, nominal, late = 1 + limits.band, Decimal(1), 1 - limits.band
        early_low_alarm_on = _day(fill, _days_lasting(stretches, alarm_mcg, early))
        stable_until = _day(fill, limits.stability_days)
        plan_by, because = _plan_by(fill, limits, early_low_alarm_on, stable_until)
        return RefillDates(
            flow_ml_per_day=programs[0][1].flow_ml_per_day,
            early_low_alarm_on=early_low_alarm_on,
            low_alarm_on=_day(fill, _days_lasting(stretches, alarm_mcg, nominal)),
            late_low_alarm_on=_day(fill, _days_lasting(stretches, alarm_mcg, late)),
            early_empty_on=_day(fill, _days_lasting(stretches, empty_mcg, early)),
            empty_on=_day(fill, _days_lasting(stretches, empty_mcg, nominal)),
            late_empty_on=_day(fill, _days_lasting(stretches, empty_mcg, late)),
            stable_until=stable_until,
            plan_by=plan_by,
            plan_by_because=because,
        )


def expected_volume_ml(fill: Fill, program: Program, changes: Iterable[DoseChange], on: date) -> Decimal:
    """Return what should be in the reservoir at the start of a day, 0 at the least.

    12 significant digits where the quotient does not end. Raises PumpRefused for a day before the refill.
    """
    days = (on - fill.filled_on).days
    if days < 0:
        raise PumpRefused(f"{on} is before the refill on {fill.filled_on}: choose that day or a later one")
    with localcontext(EXACT):
        left_mcg = fill.reservoir_volume_ml * program.concentration_mcg_per_ml
        for stretch in _stretches(_programs(fill, program, changes)):
            within = days if stretch.days is None else min(days, stretch.days)
            left_mcg -= _delivered_mcg(stretch.cycle_mcg, within)
            days -= within
    return quotient(max(left_mcg, Decimal(0)), program.concentration_mcg_per_ml)


def _programs(fill: Fill, program: Program, changes: Iterable[DoseChange]) -> list[tuple[date, Program]]:
    """Return the programs from the refill on, each with its first day."""
    found = [(fill.filled_on, program)]
    changed_on = None
    for change in sorted(changes, key=lambda change: change.on):
        if change.on < fill.filled_on:
            raise PumpRefused(
                f"the dose change on {change.on} is before the refill on {fill.filled_on}: give only what changed since"
            )
        if change.on == changed_on:
            raise PumpRefused(f"there are two dose changes on {change.on}: give the one that holds")
        changed_on = change.on
        if change.on == fill.filled_on:  # the program before it never ran
            found.clear()
        dose, doses = change.daily_dose_mcg, change.weekday_doses_mcg
        found.append((change.on, replace(program, daily_dose_mcg=dose, weekday_doses_mcg=doses)))
    return found


def _stretches(programs: Sequence[tuple[date, Program]]) -> list[_Stretch]:
    found = []
    for place, (first, program) in enumerate(programs):
        cycle = program.cycle_mcg()
        start = first.weekday() % len(cycle)
        days = (programs[place + 1][0] - first).days if place + 1 < len(programs) else None
        found.append(_Stretch(days, cycle[start:] + cycle[:start]))
    return found


def _days_lasting(stretches: Sequence[_Stretch], mcg: Decimal, factor: Decimal) -> int:
    """Return the most days whose delivery, times the factor, is not more than `mcg`."""
    days = 0
    for stretch in stretches:
        cycle = tuple(dose * factor for dose in stretch.cycle_mcg)
        within = _whole_days(cycle, mcg)
        if stretch.days is None or within < stretch.days:
            return days + within
        days += stretch.days
        mcg -= _delivered_mcg(cycle, stretch.days)
    raise AssertionError("the last stretch has no end")


def _whole_days(cycle: tuple[Decimal, ...], mcg: Decimal) -> int:
    total = sum(cycle)
    rounds = mcg // total
    mcg -= rounds * total
    days = int(rounds) * len(cycle)
    for dose in cycle:
        if dose > mcg:
            break
        mcg -= dose
        days += 1
    return days


def _delivered_mcg(cycle: tuple[Decimal, ...], days: int) -> Decimal:
    rounds, rest = divmod(days, len(cycle))
    return sum(cycle) * Decimal(rounds) + sum(cycle[:rest])


def _day(fill: Fill, days: int) -> date:
    try:
        return fill.filled_on + timedelta(days=days)
    except OverflowError:
        raise PumpRefused(
            "a date would be past the year 9999: check doses, concentration, band and limits in days"
        ) from None


def _plan_by(fill: Fill, limits: Limits, early_low_alarm_on: date, stable_until: date) -> tuple[date, str]:
    bounds = [
        (early_low_alarm_on, "early edge of the low reservoir alarm date"),
        (stable_until, f"drug stability limit of {limits.stability_days} days"),
    ]
    if limits.max_interval_days is not None:
        longest = f"the clinic's longest interval of {limits.max_interval_days} days"
        bounds.append((_day(fill, limits.max_interval_days), longest))
    day, because = min(bounds, key=lambda bound: bound[0])
    if not limits.lead_days:
        return day, because
    lead = "1 lead day" if limits.lead_days == 1 else f"{limits.lead_days} lead days"
    try:
        return day - timedelta(days=limits.lead_days), f"{because}, less {lead}"
    except OverflowError:
        raise PumpRefused("the plan-by date would be before the year 1: check the lead days") from None
