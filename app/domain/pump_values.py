"""What the dates of a pump are worked out from: program, refill, limits, dose changes. Each refuses what cannot be.

Volumes in mL, concentrations in mcg/mL, doses in mcg/day, flow in mL/day. Nothing is rounded on the way: in `EXACT` a
lost digit is an error.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Context, Decimal, DecimalException, Inexact, InvalidOperation, Overflow, localcontext

HIGHEST_DAILY_TOTAL_MCG = Decimal(2000)
LOWEST_DAILY_DOSE_MCG = Decimal(1)

# Amounts of up to 50 digits are taken; all that is added and multiplied here then fits 1000. A digit lost is an error.
_LABEL = Context(prec=50, Emin=-50, Emax=50, traps=[Inexact, InvalidOperation, Overflow])
EXACT = Context(prec=1000, traps=[Inexact, InvalidOperation, Overflow])
_SHOWN = Context(prec=12)
_LONG = Context(prec=60)


class PumpRefused(ValueError):
    """These values give no dates. The message says what is wrong and what to do."""


@dataclass(frozen=True, slots=True)
class Program:
    """What the pump delivers: one daily dose or seven by weekday, Monday first; and the boluses expected a day."""

    concentration_mcg_per_ml: Decimal
    daily_dose_mcg: Decimal | None = None
    weekday_doses_mcg: tuple[Decimal, ...] | None = None
    boluses_per_day: Decimal = Decimal(0)  # an expected number: 1.5 is one or two
    bolus_mcg: Decimal = Decimal(0)

    def __post_init__(self) -> None:
        checked("concentration", self.concentration_mcg_per_ml)
        checked("number of boluses a day", self.boluses_per_day, or_zero=True)
        checked("bolus", self.bolus_mcg, or_zero=True)
        _checked_doses(self.daily_dose_mcg, self.weekday_doses_mcg)
        highest = max(self.cycle_mcg())
        if highest > HIGHEST_DAILY_TOTAL_MCG:
            raise PumpRefused(
                f"a daily total of {in_figures(highest)} mcg is over {HIGHEST_DAILY_TOTAL_MCG} mcg: "
                "check doses, boluses and their unit (mcg)"
            )

    def cycle_mcg(self) -> tuple[Decimal, ...]:
        """Return the day's totals that repeat, boluses included: one, or seven from Monday on."""
        boluses = EXACT.multiply(self.boluses_per_day, self.bolus_mcg)
        if self.daily_dose_mcg is not None:
            return (EXACT.add(self.daily_dose_mcg, boluses),)
        return tuple(EXACT.add(dose, boluses) for dose in self.weekday_doses_mcg or ())

    def dose_on(self, day: date) -> Decimal:
        """Return the total of that day in mcg, boluses included."""
        cycle = self.cycle_mcg()
        return cycle[day.weekday() % len(cycle)]

    @property
    def mean_daily_dose_mcg(self) -> Decimal:
        """Boluses included; 12 significant digits where the quotient does not end."""
        cycle = self.cycle_mcg()
        return quotient(_sum(cycle), Decimal(len(cycle)))

    @property
    def flow_ml_per_day(self) -> Decimal:
        """Mean over the week; 12 significant digits where the quotient does not end."""
        cycle = self.cycle_mcg()
        return quotient(_sum(cycle), EXACT.multiply(self.concentration_mcg_per_ml, len(cycle)))


@dataclass(frozen=True, slots=True)
class Fill:
    """A refill, and the volume at which the low reservoir alarm sounds."""

    filled_on: date
    reservoir_volume_ml: Decimal  # after the refill
    alarm_volume_ml: Decimal = Decimal(2)

    def __post_init__(self) -> None:
        checked("reservoir volume", self.reservoir_volume_ml)
        checked("alarm volume", self.alarm_volume_ml)
        if self.alarm_volume_ml >= self.reservoir_volume_ml:
            raise PumpRefused(
                f"the alarm volume of {in_figures(self.alarm_volume_ml)} mL is not less than the reservoir volume of "
                f"{in_figures(self.reservoir_volume_ml)} mL: check both"
            )

    @property
    def usable_volume_ml(self) -> Decimal:
        return EXACT.subtract(self.reservoir_volume_ml, self.alarm_volume_ml)


@dataclass(frozen=True, slots=True)
class Limits:
    """A clinic's choices: how far the flow may be off (0.15: 15 % either way), and how long a refill may wait."""

    band: Decimal = Decimal("0.15")
    stability_days: int = 180
    max_interval_days: int | None = None
    lead_days: int = 0

    def __post_init__(self) -> None:
        checked("band", self.band, or_zero=True)
        if self.band >= 1:
            raise PumpRefused(f"a band of {in_figures(self.band)} is not less than 1: 15 % is written 0.15")
        _checked_days("drug stability limit", self.stability_days, least=1)
        _checked_days("lead", self.lead_days, least=0)
        if self.max_interval_days is not None:
            _checked_days("longest interval", self.max_interval_days, least=1)


@dataclass(frozen=True, slots=True)
class DoseChange:
    """Another dose from the start of a day; boluses stay, and the concentration: only a refill brings another one."""

    on: date
    daily_dose_mcg: Decimal | None = None
    weekday_doses_mcg: tuple[Decimal, ...] | None = None

    def __post_init__(self) -> None:
        _checked_doses(self.daily_dose_mcg, self.weekday_doses_mcg)


def checked(what: str, value: Decimal, *, or_zero: bool = False) -> None:
    """Raises PumpRefused for what is no plain amount above 0 (or 0), TypeError for a float."""
    if isinstance(value, bool) or not isinstance(value, Decimal | int):
        raise TypeError(f"{what}: doses, volumes and shares are Decimal")
    if not Decimal(value).is_finite():
        raise PumpRefused(f"the {what} is not a number: give a plain amount like 40 or 2.5")
    if value < 0 or (value == 0 and not or_zero):
        least = "must not be less than 0" if or_zero else "must be more than 0"
        raise PumpRefused(f"the {what} {least}: check it")
    try:
        _LABEL.plus(value)
    except DecimalException:
        raise PumpRefused(f"the {what} is too large or has too many digits: check it") from None


def _checked_doses(daily: Decimal | None, weekdays: Sequence[Decimal] | None) -> None:
    if daily is not None and weekdays is not None:
        raise PumpRefused("both a daily dose and weekday doses are given: give one of them")
    if weekdays is not None and len(weekdays) != 7:
        raise PumpRefused(f"there are {len(weekdays)} weekday doses: give seven, Monday first")
    if daily is None and weekdays is None:
        raise PumpRefused("there is no dose: give a daily dose, or seven weekday doses")
    what = "daily dose" if weekdays is None else "weekday dose"
    for dose in (daily,) if weekdays is None else weekdays:
        assert dose is not None
        checked(what, dose)
        if dose < LOWEST_DAILY_DOSE_MCG:
            meant = in_figures(EXACT.multiply(dose, 1000))
            raise PumpRefused(f"a {what} of {in_figures(dose)} mcg looks like mg: did you mean {meant} mcg?")


def _checked_days(what: str, days: int, *, least: int) -> None:
    if isinstance(days, bool) or not isinstance(days, int):
        raise PumpRefused(f"the {what} is not a whole number of days: write it like 180")
    if days < least:
        raise PumpRefused(f"the {what} {'must be more than 0' if least else 'must not be less than 0'} days: check it")


def in_figures(amount: Decimal) -> str:
    """Return an amount as a person writes it: no exponent, no zeros at the end."""
    return format(EXACT.normalize(amount), "f")


def _sum(cycle: tuple[Decimal, ...]) -> Decimal:
    with localcontext(EXACT):
        return sum(cycle, Decimal(0))


def quotient(dividend: Decimal, divisor: Decimal) -> Decimal:
    """Return it exactly where it ends within 60 digits, else to 12 significant ones."""
    shown = _SHOWN.divide(dividend, divisor)
    if EXACT.multiply(shown, divisor) == dividend:
        return shown
    long = _LONG.divide(dividend, divisor)
    return long if EXACT.multiply(long, divisor) == dividend else shown
