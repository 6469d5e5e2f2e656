"""What a pump delivers and until when, in words: for the pump page. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Context, Decimal
from typing import Protocol

from app.domain.pump import RefillDates
from app.web.console.pump_forms import weekdays
from app.web.language import gettext as _
from app.web.wording import amount, day

_FLOW = Context(prec=3)


class Delivers(Protocol):
    """A program, as it is stored or as it was typed."""

    @property
    def concentration_mcg_per_ml(self) -> Decimal: ...
    @property
    def daily_dose_mcg(self) -> Decimal | None: ...
    @property
    def weekday_doses_mcg(self) -> Sequence[Decimal | str] | None: ...
    @property
    def boluses_per_day(self) -> Decimal: ...
    @property
    def bolus_mcg(self) -> Decimal: ...


def dose(program: Delivers) -> str:
    """Return "400 mcg a day", or the seven doses; and the boluses with them."""
    if program.weekday_doses_mcg:
        doses = [amount(Decimal(each)) for each in program.weekday_doses_mcg]
        named = zip(weekdays(), doses, strict=False)
        said = ", ".join(f"{name} {mcg}" for (_field, name), mcg in named) + " mcg"
    else:
        said = _("%(dose)s mcg a day", dose=amount(program.daily_dose_mcg or Decimal(0)))
    if not program.boluses_per_day:
        return said
    number, size = amount(program.boluses_per_day), amount(program.bolus_mcg)
    return _("%(dose)s, and %(number)s boluses of %(size)s mcg a day", dose=said, number=number, size=size)


def was_volume(before: Decimal | None, size: Decimal) -> str:
    """Say under the volume of a refill what it was, and what the reservoir holds."""
    if before is None:
        return _("holds %(size)s", size=amount(size))
    return _("was %(volume)s, holds %(size)s", volume=amount(before), size=amount(size))


@dataclass(frozen=True)
class Compared:
    """One line of old beside new; empty where it is not known. `changed`: they differ."""

    what: str
    old: str
    new: str
    key: bool = False
    wraps: bool = False  # several words; a date stays on its line

    @property
    def changed(self) -> bool:
        return self.old != self.new


@dataclass(frozen=True)
class Side:
    """What stands on one side of the comparison."""

    dates: RefillDates | None
    program: Delivers | None
    filled_on: date | None = None
    reservoir_volume_ml: Decimal | None = None


def compare(old: Side, new: Side, band: Decimal) -> tuple[Compared, ...]:
    percent, dose_name = amount(band * 100), _("Dose")
    what = (
        _("Plan by"),
        _("Filled on"),
        _("Filled to"),
        _("Concentration"),
        dose_name,
        _("Flow"),
        _("Low alarm, %(percent)s %% fast", percent=percent),
        _("Low alarm, nominal"),
        _("Empty, %(percent)s %% fast", percent=percent),
        _("Empty, nominal"),
        _("Drug stable until"),
    )
    lines = zip(what, _column(old), _column(new), strict=True)
    return tuple(
        Compared(name, was, becomes, key=name == what[0], wraps=name == dose_name) for name, was, becomes in lines
    )


def _column(side: Side) -> tuple[str, ...]:
    dates, program = side.dates, side.program
    return (
        day(dates.plan_by, weekday=False) if dates else "",
        day(side.filled_on, weekday=False) if side.filled_on else "",
        f"{amount(side.reservoir_volume_ml)} mL" if side.reservoir_volume_ml is not None else "",
        f"{amount(program.concentration_mcg_per_ml)} mcg/mL" if program else "",
        dose(program) if program else "",
        _("%(flow)s mL a day", flow=flow(dates.flow_ml_per_day)) if dates else "",
        *_days(dates),
    )


def _days(dates: RefillDates | None) -> tuple[str, ...]:
    if dates is None:
        return ("",) * 5
    low, empty = (dates.early_low_alarm_on, dates.low_alarm_on), (dates.early_empty_on, dates.empty_on)
    return tuple(day(on, weekday=False) for on in (*low, *empty, dates.stable_until))


def flow(ml_per_day: Decimal) -> str:
    """Return a flow to three figures: 0.2, 0.105."""
    return amount(_FLOW.plus(ml_per_day))
