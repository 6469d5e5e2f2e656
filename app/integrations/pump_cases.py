"""Cases of `pumpline pump --json-lines`: a line of JSON to values, and dates back to JSON."""

import json
import re
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date
from decimal import Decimal, InvalidOperation
from typing import Any

from app.domain.pump import DoseChange, Fill, Limits, Program, PumpRefused, RefillDates, in_figures

_NUMBER = re.compile(r"[+-]?(\d+(\.\d*)?|\.\d+)(e[+-]?\d+)?", re.ASCII | re.IGNORECASE)
_DAY = re.compile(r"\d{4}-\d{2}-\d{2}", re.ASCII)
_LONGEST_NAME = 60  # of a field that is told back

Reader = Callable[[str, Any], Any]  # name and value, as they were given


class CaseError(ValueError):
    """A line that gives no values. `id` is the case's, None where it could not be read."""

    def __init__(self, message: str, case_id: Any = None) -> None:
        super().__init__(message)
        self.id = case_id


@dataclass(frozen=True)
class PumpCase:
    id: str | Decimal | None  # None: typed at a terminal
    fill: Fill
    program: Program
    limits: Limits
    changes: tuple[DoseChange, ...]
    reservoir_size_ml: Decimal | None
    implanted_on: date | None
    concentration_confirmed: bool


class _Object(dict[str, Any]):
    """A JSON object that knows whether a name stood in it twice."""

    def __init__(self, pairs: list[tuple[str, Any]]) -> None:
        super().__init__(pairs)
        self.twice = next((name for name, times in Counter(name for name, _ in pairs).items() if times > 1), None)


def read_case(line: bytes) -> PumpCase:
    """Read one line. Raises CaseError, with the case's id where there is one."""
    try:
        fields = json.loads(
            line, parse_float=_amount, parse_int=_amount, parse_constant=_amount, object_pairs_hook=_Object
        )
    except (ValueError, RecursionError):
        raise CaseError('the line is not JSON: write an object like {"id": "1", ...} on one line') from None
    if not isinstance(fields, _Object):
        raise CaseError('the line is not a JSON object: write one like {"id": "1", ...}')
    case_id = fields.get("id")
    if not (isinstance(case_id, str) or (isinstance(case_id, Decimal) and case_id.is_finite())):
        raise CaseError("id is missing: give a text or a number")
    try:
        return _case(case_id, _read(fields, _FIELDS, ""))
    except ValueError as error:  # a CaseError or a PumpRefused
        raise CaseError(str(error), case_id) from None


def _case(case_id: str | Decimal, found: Mapping[str, Any]) -> PumpCase:
    for name in ("reservoir_volume_ml", "concentration_mcg_per_ml", "filled_on"):
        if name not in found:
            raise CaseError(f"{name} is missing: give it")
    if found.get("boluses_per_day") and "bolus_mcg" not in found:
        raise CaseError("bolus_mcg is missing though boluses_per_day is given: give both, or none")
    if found.get("bolus_mcg") and "boluses_per_day" not in found:
        raise CaseError("boluses_per_day is missing though bolus_mcg is given: give both, or none")
    return PumpCase(
        id=case_id,
        fill=Fill(**_of(found, "filled_on", "reservoir_volume_ml", "alarm_volume_ml")),
        program=Program(
            **_of(found, "concentration_mcg_per_ml", *_DOSES, "boluses_per_day", "bolus_mcg"),
        ),
        limits=Limits(**_of(found, "band", "stability_days", "max_interval_days", "lead_days")),
        changes=found.get("changes", ()),
        reservoir_size_ml=found.get("reservoir_size_ml"),
        implanted_on=found.get("implanted_on"),
        concentration_confirmed=found.get("concentration_confirmed", False),
    )


def _of(found: Mapping[str, Any], *names: str) -> dict[str, Any]:
    """Return what was given; the domain has the defaults."""
    return {name: found[name] for name in names if name in found}


def _read(fields: _Object, readers: Mapping[str, Reader], where: str) -> dict[str, Any]:
    """Return what is given; null is not given."""
    if fields.twice is not None:
        raise CaseError(f"{where}{_told(fields.twice)} is given twice: give it once")
    for name in fields:
        if name not in readers:
            raise CaseError(f"{where}{_told(name)} is not a known field: give only {', '.join(readers)}")
    return {name: readers[name](f"{where}{name}", value) for name, value in fields.items() if value is not None}


def _told(name: str) -> str:
    return name if len(name) <= _LONGEST_NAME else f"{name[:_LONGEST_NAME]}..."


def _amount(text: str) -> Decimal:
    """Return a JSON number, NaN for what no Decimal can hold."""
    try:
        return Decimal(text)
    except InvalidOperation:
        return Decimal("NaN")


def number(name: str, value: Any) -> Decimal:
    if isinstance(value, str):
        if "," in value:
            raise CaseError(f"{name} has a comma: write it with a point, without thousands: 1500 or 2.5")
        if _NUMBER.fullmatch(value.strip()):
            value = _amount(value.strip())
    if not isinstance(value, Decimal) or not value.is_finite():
        raise CaseError(f"{name} is not a number: write it like 40 or 2.5, without a unit")
    return value


def whole_days(name: str, value: Any) -> int:
    days = number(name, value)
    if days.adjusted() > 9:  # thousands of lifetimes; an int of it would fill the memory
        raise CaseError(f"{name} is too many days: check it")
    if days != days.to_integral_value():
        raise CaseError(f"{name} is not a whole number of days: write it like 180")
    return int(days)


def day(name: str, value: Any) -> date:
    if not isinstance(value, str) or not _DAY.fullmatch(value):
        raise CaseError(f"{name} is not a date: write year, month and day like 2026-01-10")
    try:
        return date.fromisoformat(value)
    except ValueError:
        raise CaseError(f"{name} is not a day of the calendar: check it") from None


def _doses(name: str, value: Any) -> tuple[Decimal, ...]:
    if not isinstance(value, list):
        raise CaseError(f"{name} is not a list: give seven doses, Monday first")
    return tuple(number(name, dose) for dose in value)


def _yes_no(name: str, value: Any) -> bool:
    if not isinstance(value, bool):
        raise CaseError(f"{name} is not true or false: write one of them, without quotes")
    return value


def _changes(name: str, value: Any) -> tuple[DoseChange, ...]:
    if not isinstance(value, list):
        raise CaseError(f'{name} is not a list: write [{{"on": "2026-02-01", "daily_dose_mcg": 450}}]')
    return tuple(_change(f"{name}[{place}]", each) for place, each in enumerate(value))


def _change(name: str, value: Any) -> DoseChange:
    if not isinstance(value, _Object):
        raise CaseError(f'{name} is not an object: write {{"on": "2026-02-01", "daily_dose_mcg": 450}}')
    if value.pop("concentration_mcg_per_ml", None) is not None:
        raise CaseError(
            f"{name} has a concentration: a new concentration comes only with a refill, in a case of its own"
        )
    found = _read(value, _CHANGE_FIELDS, f"{name}.")
    if "on" not in found:
        raise CaseError(f"{name}.on is missing: give the first day of the new dose")
    try:
        return DoseChange(**found)
    except PumpRefused as error:
        raise CaseError(f"{name}: {error}") from None


_DOSES = ("daily_dose_mcg", "weekday_doses_mcg")
_FIELDS: dict[str, Reader] = {
    "id": lambda _, value: value,
    "reservoir_volume_ml": number,
    "alarm_volume_ml": number,
    "concentration_mcg_per_ml": number,
    "daily_dose_mcg": number,
    "weekday_doses_mcg": _doses,
    "boluses_per_day": number,
    "bolus_mcg": number,
    "filled_on": day,
    "band": number,
    "stability_days": whole_days,
    "max_interval_days": whole_days,
    "lead_days": whole_days,
    "changes": _changes,
    "reservoir_size_ml": number,
    "implanted_on": day,
    "concentration_confirmed": _yes_no,
}
_CHANGE_FIELDS: dict[str, Reader] = {"on": day, "daily_dose_mcg": number, "weekday_doses_mcg": _doses}


def as_fields(dates: RefillDates) -> dict[str, Any]:
    """Return the dates as they go out, in this order."""
    return {
        "flow_ml_per_day": Decimal(in_figures(dates.flow_ml_per_day)),
        "early_low_alarm_on": dates.early_low_alarm_on.isoformat(),
        "low_alarm_on": dates.low_alarm_on.isoformat(),
        "late_low_alarm_on": dates.late_low_alarm_on.isoformat(),
        "early_empty_on": dates.early_empty_on.isoformat(),
        "empty_on": dates.empty_on.isoformat(),
        "late_empty_on": dates.late_empty_on.isoformat(),
        "plan_by": dates.plan_by.isoformat(),
    }


def as_json(fields: Mapping[str, Any]) -> str:
    """Return a JSON object on one line; a Decimal becomes a number with all its digits, which `json` cannot write."""
    return "{" + ", ".join(f"{json.dumps(name)}: {_as_json(value)}" for name, value in fields.items()) + "}"


def _as_json(value: Any) -> str:
    if not isinstance(value, Decimal):
        return json.dumps(value)
    return format(value, "f") if -60 < value.adjusted() < 60 else str(value)  # an id may be any number
