"""The cells of the import file: how each column is read, and which combinations make sense."""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from functools import lru_cache
from typing import Any, Literal
from zoneinfo import ZoneInfo

from app.domain.phone import COSTS_EXTRA, ordinary
from faq.languages import languages

REQUIRED = ("mrn", "given_name", "family_name", "phone")
PUMP = ("pump_model", "reservoir_size_ml")
PROGRAM = ("concentration_mcg_per_ml", "daily_dose_mcg", "alarm_volume_ml")
REFILL = ("last_filled_on", "reservoir_volume_ml")

LONGEST_TEXT = 100
FURTHEST_VISIT = timedelta(days=2 * 366)
OLDEST = date(1900, 1, 1)
FIRST_PUMP = date(1984, 1, 1)  # implanted baclofen pumps are no older

Problem = tuple[str | None, str, str]  # column, what is wrong, remedy


class CellError(ValueError):
    def __init__(self, what: str, remedy: str) -> None:
        super().__init__(what)
        self.what = what
        self.remedy = remedy


@dataclass(frozen=True)
class PumpValues:
    model: str
    reservoir_size_ml: Decimal
    implanted_on: date | None


@dataclass(frozen=True)
class ProgramValues:
    concentration_mcg_per_ml: Decimal
    daily_dose_mcg: Decimal
    alarm_volume_ml: Decimal


@dataclass(frozen=True)
class RefillValues:
    filled_on: date
    reservoir_volume_ml: Decimal


@dataclass(frozen=True, slots=True)
class Values:
    """One row, read. None means the cell was blank: keep what is known, else the default of docs/import.md."""

    mrn: str
    given_name: str
    family_name: str
    phone: str  # E.164
    born_on: date | None
    language: str | None
    time_zone: str | None
    contact: Literal["patient", "carer"] | None
    carer_name: str | None
    relation: str | None
    reminders: bool | None
    told_if_missed: bool | None
    consent: bool
    pump: PumpValues | None
    program: ProgramValues | None
    refill: RefillValues | None
    appointment_at: datetime | None  # UTC
    appointment_id: str | None


def _text(cell: str) -> str:
    if len(cell) > LONGEST_TEXT:
        raise CellError(f"is longer than {LONGEST_TEXT} characters", "shorten it")
    if any(ord(c) < 32 or ord(c) == 127 for c in cell):
        raise CellError("holds a line break or control character", "write it on one line")
    return cell


def _one_of(words: Mapping[str, Any]) -> Callable[[str], Any]:
    listed = " or ".join(words)

    def read(cell: str) -> Any:
        try:
            return words[cell.lower()]
        except KeyError:
            raise CellError(f"is not {listed}", f"write {listed}, or leave it blank") from None

    return read


_DAY = re.compile(r"\d{4}-\d{2}-\d{2}")
_NUMBER = re.compile(r"\d{1,6}(\.\d{1,4})?")


@lru_cache(maxsize=4096)
def _day(cell: str) -> date:
    remedy = "write year, month and day like 2026-12-03"
    if not _DAY.fullmatch(cell):
        raise CellError("is not a date", remedy)
    try:
        return date.fromisoformat(cell)
    except ValueError:
        raise CellError("is not a day of the calendar", remedy) from None


@lru_cache(maxsize=4096)
def _number(cell: str) -> Decimal:
    if "," in cell:
        raise CellError("has a comma", "write the number with a point, without thousands: 1500 or 2.5")
    if not _NUMBER.fullmatch(cell):
        raise CellError("is not a number", "write digits only, without a unit: 40 or 2.5")
    return Decimal(cell)


@lru_cache(maxsize=1024)
def _zone(cell: str) -> str:
    try:
        ZoneInfo(cell)
    except Exception:  # a ValueError, an OSError or a KeyError, by what is wrong with the name
        raise CellError("is not a time zone", "write a name like America/Chicago, or leave it blank") from None
    return cell


def _phone(cell: str, country: str) -> str:
    try:
        return ordinary(cell, country)
    except ValueError as error:
        if str(error) == COSTS_EXTRA:
            raise CellError("is a number that costs extra (premium rate)", "give an ordinary number") from None
        raise CellError("is not a complete phone number", "write it like +16145550123") from None


_YES_NO = _one_of({"yes": True, "no": False})
_SIMPLE: dict[str, Callable[[str], Any]] = {
    "mrn": _text,
    "given_name": _text,
    "family_name": _text,
    "born_on": _day,
    "language": _one_of({code: code for code in languages()}),
    "time_zone": _zone,
    "contact": _one_of({"patient": "patient", "carer": "carer"}),
    "carer_name": _text,
    "relation": _text,
    "reminders": _YES_NO,
    "told_if_missed": _YES_NO,
    "consent": _YES_NO,
    "pump_model": _text,
    "reservoir_size_ml": _number,
    "implanted_on": _day,
    "concentration_mcg_per_ml": _number,
    "daily_dose_mcg": _number,
    "alarm_volume_ml": _number,
    "last_filled_on": _day,
    "reservoir_volume_ml": _number,
    "appointment_id": _text,
}
COLUMNS = (*list(_SIMPLE)[:6], "phone", *list(_SIMPLE)[6:-1], "appointment_at", "appointment_id")


class RowReader:
    """Reads the cells of one row, with the clinic's country, time zone and present instant in mind."""

    def __init__(self, country: str, zone: ZoneInfo, now: datetime) -> None:
        self._country = country
        self._zone = zone
        self._now = now
        self._today = now.astimezone(zone).date()

    def read(self, cells: Mapping[str, str]) -> tuple[Values | None, list[Problem]]:
        """Return the values, or None and every problem of the row. `cells` holds no blank ones."""
        problems: list[Problem] = []
        for name in REQUIRED:
            if name not in cells:
                problems.append((name, "is blank", "every row needs it, also a second phone of the same patient"))
        found: dict[str, Any] = {}
        for name, cell in cells.items():
            try:
                found[name] = self._cell(name, cell)
            except CellError as error:
                problems.append((name, error.what, error.remedy))
        if not problems:
            problems = [*_groups(found), *self._days(found), *_amounts(found)]
        if problems:
            return None, problems
        return _values(found), []

    def _cell(self, name: str, cell: str) -> Any:
        if name == "phone":
            return _phone(cell, self._country)
        if name == "appointment_at":
            return self._instant(cell)
        return _SIMPLE[name](cell)

    def _instant(self, cell: str) -> datetime:
        """A local time of the clinic, or ISO with an offset; returned in UTC."""
        remedy = "write the clinic's local time like 2026-12-03 10:30"
        try:
            at = datetime.fromisoformat(cell)
        except ValueError:
            raise CellError("is not a day and time", remedy) from None
        if len(cell) < len("2026-12-03 10:30"):
            raise CellError("has no time of day", remedy)
        if at.tzinfo is not None:
            return at.astimezone(UTC)
        instant = at.replace(tzinfo=self._zone).astimezone(UTC)
        if instant.astimezone(self._zone).replace(tzinfo=None) != at:
            raise CellError("does not exist: the clocks change over it that night", "check day and time")
        return instant

    def _days(self, found: Mapping[str, Any]) -> list[Problem]:
        problems: list[Problem] = []
        for name, first in (("born_on", OLDEST), ("implanted_on", FIRST_PUMP), ("last_filled_on", FIRST_PUMP)):
            day = found.get(name)
            if day is not None and day > self._today:
                problems.append((name, "is in the future", "check the year, or leave it blank"))
            elif day is not None and day < first:
                problems.append((name, f"is before {first.year}", "check the year"))
        implanted_on, filled_on = found.get("implanted_on"), found.get("last_filled_on")
        if implanted_on and filled_on and filled_on < implanted_on:
            problems.append(("last_filled_on", "is before the pump was implanted", "check both dates"))
        born_on = found.get("born_on")
        if born_on and implanted_on and implanted_on < born_on:
            problems.append(("implanted_on", "is before the birth", "check both dates"))
        appointment_at = found.get("appointment_at")
        if appointment_at and appointment_at > self._now + FURTHEST_VISIT:
            problems.append(("appointment_at", "is more than two years ahead", "check the year"))
        return problems


def _groups(found: Mapping[str, Any]) -> list[Problem]:
    """Columns that only make sense together."""
    problems: list[Problem] = []
    for group in (PUMP, PROGRAM, REFILL):
        missing = [name for name in group if name not in found]
        if missing and len(missing) < len(group):
            given = next(name for name in group if name in found)
            problems.append((missing[0], f"is blank though {given} is given", "give all of them, or none"))
    if "pump_model" not in found:
        for name in ("implanted_on", *PROGRAM, *REFILL):
            if name in found:
                problems.append((name, "is given without a pump", "give pump_model and reservoir_size_ml in this row"))
                break
    if found.get("contact") != "carer":
        for name in ("carer_name", "relation", "told_if_missed"):
            if name in found:
                problems.append((name, "is given for the patient's own phone", "set contact to carer, or leave blank"))
    if "appointment_id" in found and "appointment_at" not in found:
        problems.append(("appointment_at", "is blank though appointment_id is given", "give both, or none"))
    return problems


_LIMITS: tuple[tuple[str, Decimal, Decimal, str], ...] = (
    ("reservoir_size_ml", Decimal(5), Decimal(60), "mL"),
    ("concentration_mcg_per_ml", Decimal(10), Decimal(4000), "mcg/mL"),
    ("daily_dose_mcg", Decimal(1), Decimal(2000), "mcg a day"),
    ("alarm_volume_ml", Decimal("0.5"), Decimal(20), "mL"),
    ("reservoir_volume_ml", Decimal(1), Decimal(60), "mL"),
)


def _amounts(found: Mapping[str, Any]) -> list[Problem]:
    """Refuse what no pump can hold and nobody is given: nearly always a wrong unit or a slipped digit."""
    problems: list[Problem] = []
    for name, low, high, unit in _LIMITS:
        value = found.get(name)
        if value is None or low <= value <= high:
            continue
        remedy = f"check the unit: {name} is in {unit}"
        if name == "concentration_mcg_per_ml" and Decimal("0.05") <= value <= 4:  # a label in mg/mL
            remedy = f"it is in mcg/mL: did you mean {format((value * 1000).normalize(), 'f')}?"
        problems.append((name, f"must be from {low} to {high} {unit}", remedy))
    size, volume = found.get("reservoir_size_ml"), found.get("reservoir_volume_ml")
    alarm = found.get("alarm_volume_ml")
    if size is not None and volume is not None and volume > size:
        problems.append(("reservoir_volume_ml", "is more than reservoir_size_ml", "check both"))
    full, what = (volume, "reservoir_volume_ml") if volume is not None else (size, "reservoir_size_ml")
    if alarm is not None and full is not None and alarm >= full:
        problems.append(("alarm_volume_ml", f"is not less than {what}", "check both"))
    return problems


def _values(found: Mapping[str, Any]) -> Values:
    pump = program = refill = None
    if "pump_model" in found:
        pump = PumpValues(found["pump_model"], found["reservoir_size_ml"], found.get("implanted_on"))
    if "daily_dose_mcg" in found:
        program = ProgramValues(*(found[name] for name in PROGRAM))
    if "last_filled_on" in found:
        refill = RefillValues(*(found[name] for name in REFILL))
    return Values(
        mrn=found["mrn"],
        given_name=found["given_name"],
        family_name=found["family_name"],
        phone=found["phone"],
        born_on=found.get("born_on"),
        language=found.get("language"),
        time_zone=found.get("time_zone"),
        contact=found.get("contact"),
        carer_name=found.get("carer_name"),
        relation=found.get("relation"),
        reminders=found.get("reminders"),
        told_if_missed=found.get("told_if_missed"),
        consent=bool(found.get("consent")),
        pump=pump,
        program=program,
        refill=refill,
        appointment_at=found.get("appointment_at"),
        appointment_id=found.get("appointment_id"),
    )
