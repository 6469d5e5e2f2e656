"""What a nurse is told before values are believed: refusals, a pump to check, a jump for a second member of staff."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import date
from decimal import Decimal, localcontext

from app.domain.pump_values import EXACT, Fill, Program, PumpRefused, checked, in_figures

CONCENTRATIONS_MCG_PER_ML = (Decimal(500), Decimal(1000), Decimal(2000))
LOWEST_CONCENTRATION_MCG_PER_ML = Decimal(10)
LARGEST_RESERVOIR_ML = Decimal(40)  # of the pumps in use, where a pump's own size is not known
_IN_MG_PER_ML = (Decimal("0.05"), Decimal(4))  # what labels say


def check(
    fill: Fill,
    program: Program,
    *,
    today: date,
    concentrations: Collection[Decimal] = CONCENTRATIONS_MCG_PER_ML,
    concentration_confirmed: bool = False,
    reservoir_size_ml: Decimal | None = None,
    implanted_on: date | None = None,
) -> None:
    """Raises PumpRefused for what each value allows by itself and the clinic, the pump or the day does not."""
    _check_concentration(program.concentration_mcg_per_ml, concentrations, concentration_confirmed)
    volume = f"a reservoir volume of {in_figures(fill.reservoir_volume_ml)} mL"
    if reservoir_size_ml is not None:
        checked("pump's size", reservoir_size_ml)
        if fill.reservoir_volume_ml > reservoir_size_ml:
            raise PumpRefused(f"{volume} is over the pump's size of {in_figures(reservoir_size_ml)} mL: check both")
    elif fill.reservoir_volume_ml > LARGEST_RESERVOIR_ML:
        raise PumpRefused(f"{volume} is over {LARGEST_RESERVOIR_ML} mL: check it, or give the pump's size")
    if fill.filled_on > today:
        raise PumpRefused(f"the fill date {fill.filled_on} is in the future: check the year")
    if implanted_on is not None and implanted_on > fill.filled_on:
        raise PumpRefused(
            f"the pump was implanted on {implanted_on}, after the refill on {fill.filled_on}: check both dates"
        )


def _check_concentration(concentration: Decimal, concentrations: Collection[Decimal], confirmed: bool) -> None:
    if concentration in concentrations:
        return
    said = f"a concentration of {in_figures(concentration)} mcg/mL"
    if concentration < LOWEST_CONCENTRATION_MCG_PER_ML:  # confirmed or not: no such drug is made, and labels say mg
        low, high = _IN_MG_PER_ML
        if low <= concentration <= high:
            meant = in_figures(EXACT.multiply(concentration, 1000))
            raise PumpRefused(f"{said} looks like mg/mL: did you mean {meant}?")
        raise PumpRefused(f"{said} is under {LOWEST_CONCENTRATION_MCG_PER_ML}: check the label and its unit")
    if not confirmed:
        used = ", ".join(in_figures(each) for each in sorted(concentrations))
        raise PumpRefused(f"{said} is not one this clinic uses ({used}): check the label, then confirm it")


@dataclass(frozen=True, slots=True)
class Aspirate:
    """What a refill found in the reservoir, against what should have been there."""

    expected_ml: Decimal
    aspirated_ml: Decimal
    difference_ml: Decimal  # above 0: more was left than expected, so less was delivered
    limit_ml: Decimal
    beyond: bool

    @property
    def finding(self) -> str:
        """In plain words; "check pump" first where it is beyond the limit."""
        found = f"{in_figures(self.aspirated_ml)} mL aspirated, {in_figures(self.expected_ml)} mL expected"
        apart = f"{in_figures(abs(self.difference_ml))} mL {'more' if self.difference_ml > 0 else 'less'}"
        if not self.difference_ml:
            apart = "no difference"
        limit = f"limit {in_figures(self.limit_ml)} mL"
        return f"check pump: {found}: {apart}, {limit}" if self.beyond else f"{found}: {apart}, {limit}"


def aspirated(
    expected_ml: Decimal, aspirated_ml: Decimal, percent: Decimal = Decimal(20), ml: Decimal = Decimal(2)
) -> Aspirate:
    """Compare at a refill; beyond is off by more than `percent` of what is expected or `ml`, whichever is larger."""
    checked("volume expected", expected_ml, or_zero=True)
    checked("volume aspirated", aspirated_ml, or_zero=True)
    checked("limit in percent", percent, or_zero=True)
    checked("limit in mL", ml, or_zero=True)
    with localcontext(EXACT):
        difference = aspirated_ml - expected_ml
        limit = max(expected_ml * percent * Decimal("0.01"), ml)
        return Aspirate(expected_ml, aspirated_ml, difference, limit, abs(difference) > limit)


def needs_second_person(old: Program | None, new: Program, percent: Decimal = Decimal(25)) -> str | None:
    """Return why a second member of staff must confirm a new program, None where nobody must.

    It must be confirmed when mean daily dose (boluses included) or concentration changes by more than `percent`, up or
    down. A first program is no jump.
    """
    checked("limit in percent", percent, or_zero=True)
    if old is None:
        return None
    was, becomes = _weekly_mcg(old), _weekly_mcg(new)
    reasons = []
    if _jumps(was, becomes, percent):
        reasons.append(_says("mean daily dose", old.mean_daily_dose_mcg, new.mean_daily_dose_mcg, "mcg", percent))
    was, becomes = old.concentration_mcg_per_ml, new.concentration_mcg_per_ml
    if _jumps(was, becomes, percent):
        reasons.append(_says("concentration", was, becomes, "mcg/mL", percent))
    return "; ".join(reasons) or None


def _weekly_mcg(program: Program) -> Decimal:
    cycle = program.cycle_mcg()
    with localcontext(EXACT):
        return sum(cycle, Decimal(0)) * (7 // len(cycle))


def _jumps(was: Decimal, becomes: Decimal, percent: Decimal) -> bool:
    with localcontext(EXACT):
        return abs(becomes - was) * 100 > was * percent


def _says(what: str, was: Decimal, becomes: Decimal, unit: str, percent: Decimal) -> str:
    way = "up" if becomes > was else "down"
    return f"{what} {way} from {in_figures(was)} to {in_figures(becomes)} {unit}, more than {in_figures(percent)} %"
