"""What nurses type about a pump: amounts, days and doses, each refused in words of its own under its field."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal
from hashlib import sha256
from zoneinfo import ZoneInfo

from app.actions.programs import Entry
from app.actions.pumps import PumpEntry
from app.actions.record_refill import RefillEntry
from app.web.console.entry import NotUnderstood, clinic_time

WEEKDAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
OTHER = "other"
LONGEST_ENTRY = 120
_AMOUNT = re.compile(r"[0-9]{1,6}(\.[0-9]{1,6})?|\.[0-9]{1,6}")
_DAY = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")


@dataclass
class Form:
    """One form as it was typed, what is wrong under which field, and what the action said of the whole."""

    name: str = ""
    typed: dict[str, str] = field(default_factory=dict)
    errors: dict[str, str] = field(default_factory=dict)
    refused: str = ""

    @staticmethod
    def of(name: str, form: Mapping[str, str]) -> "Form":
        return Form(name, {key: value.replace("\0", "")[:LONGEST_ENTRY] for key, value in form.items()})

    def text(self, name: str) -> str:
        return self.typed.get(name, "").strip()

    def ticked(self, name: str) -> bool:
        return bool(self.text(name))

    def amount(self, name: str, what: str, *, needed: bool = True) -> Decimal | None:
        """Return a plain amount; None, with the reason under its field, for anything else."""
        said = self.text(name)
        if not said and not needed:
            return None
        if not said:
            self.errors[name] = f"Give the {what}."
        elif "," in said:
            self.errors[name] = "Write it with a point and without thousands: 1500 or 2.5."
        elif not _AMOUNT.fullmatch(said):
            self.errors[name] = "Write a plain number like 40 or 2.5, without a unit."
        else:
            return Decimal(said)
        return None

    def day(self, name: str, what: str, *, needed: bool = True) -> date | None:
        said = self.text(name)
        if not said and not needed:
            return None
        try:
            found = date.fromisoformat(said) if _DAY.fullmatch(said) else None
        except ValueError:
            found = None
        if found is None or not 1970 <= found.year <= 2200:
            self.errors[name] = f"Give the {what}, for example 2026-11-23."
            return None
        return found

    def row_id(self, name: str) -> int:
        """Return the id of a row that a form names, 0 for what is none."""
        said = self.text(name)
        return int(said) if said.isascii() and said.isdecimal() and len(said) < 18 else 0


def refill_of(form: Form, concentrations: tuple[str, ...], drug: str) -> RefillEntry | None:
    """Return the refill as typed; None where a field cannot be used."""
    filled_on = form.day("filled_on", "day of the refill")
    volume = form.amount("reservoir_volume_ml", "volume in the reservoir now")
    aspirated = form.amount("aspirated_ml", "volume taken out", needed=False)
    program = program_of(form, _concentration(form, concentrations), drug)
    if form.errors or filled_on is None or volume is None or program is None:
        return None
    confirmed = form.text("concentration") == OTHER and form.ticked("concentration_confirmed")
    return RefillEntry(filled_on, volume, aspirated, program, concentration_confirmed=confirmed)


def _concentration(form: Form, concentrations: tuple[str, ...]) -> Decimal | None:
    chosen = form.text("concentration")
    if chosen in concentrations:
        return Decimal(chosen)
    if chosen != OTHER:
        form.errors["concentration"] = "Choose the concentration, as the label says."
        return None
    if not form.ticked("concentration_confirmed"):
        form.errors["concentration_confirmed"] = "Not one of this clinic's: check the label, then tick this."
    return form.amount("other_concentration", "concentration, as the label says")


def program_of(form: Form, concentration: Decimal | None, drug: str) -> Entry | None:
    """Return the program as typed, with this drug in this concentration; None where a field cannot be used."""
    alarm = form.amount("alarm_volume_ml", "volume at which the low reservoir alarm sounds")
    per_day = form.amount("boluses_per_day", "number of boluses", needed=False)
    bolus = form.amount("bolus_mcg", "size of a bolus", needed=False)
    if bool(per_day) != bool(bolus) and not {"boluses_per_day", "bolus_mcg"} & form.errors.keys():
        form.errors["bolus_mcg" if per_day else "boluses_per_day"] = "Give number and size of the boluses, or neither."
    daily = doses = None
    if form.text("week") == "each":
        found = [form.amount(f"dose_{name.lower()}", "dose") for name in WEEKDAYS]
        doses = tuple(dose for dose in found if dose is not None)
    else:
        daily = form.amount("daily_dose_mcg", "daily dose")
        if any(form.text(f"dose_{name.lower()}") for name in WEEKDAYS):
            form.errors["week"] = "Doses for weekdays are filled in: choose “A dose for each weekday”, or empty them."
    if form.errors or concentration is None or alarm is None:
        return None
    return Entry(
        concentration,
        alarm,
        daily_dose_mcg=daily,
        weekday_doses_mcg=doses,
        boluses_per_day=per_day or Decimal(0),
        bolus_mcg=bolus or Decimal(0),
        drug=drug,
    )


def pump_of(form: Form) -> PumpEntry | None:
    """Return the pump as typed; None where a field cannot be used."""
    size = form.amount("reservoir_size_ml", "size of the reservoir")
    implanted_on = form.day("implanted_on", "day of the implant", needed=False)
    replace_by = form.day("replace_by", "day", needed=False)
    if not form.text("model"):
        form.errors["model"] = "Give the model, as the pump's card says."
    if form.errors or size is None:
        return None
    return PumpEntry(form.text("model"), size, implanted_on, replace_by, replaces=form.ticked("replaces"))


def scan_of(form: Form, zone: ZoneInfo) -> datetime | None:
    """Return the instant of a scan, typed in clinic time; None where it cannot be used."""
    try:
        return clinic_time(form.text("scanned_at"), zone)
    except NotUnderstood as error:
        form.errors["scanned_at"] = str(error)
        return None


def typed_program(entry: Entry | None, alarm_volume_ml: Decimal) -> dict[str, str]:
    """Return what a form about a program starts with: the one in force, or the clinic's alarm volume."""
    if entry is None:
        return {"alarm_volume_ml": plain(alarm_volume_ml), "week": "same"}
    typed = {
        "alarm_volume_ml": plain(entry.alarm_volume_ml),
        "week": "each" if entry.weekday_doses_mcg else "same",
        "boluses_per_day": plain(entry.boluses_per_day) if entry.boluses_per_day else "",
        "bolus_mcg": plain(entry.bolus_mcg) if entry.bolus_mcg else "",
    }
    if entry.daily_dose_mcg is not None:
        return typed | {"daily_dose_mcg": plain(entry.daily_dose_mcg)}
    doses = zip(WEEKDAYS, entry.weekday_doses_mcg or (), strict=False)
    return typed | {f"dose_{name.lower()}": plain(dose) for name, dose in doses}


def plain(value: Decimal) -> str:
    """Return an amount as a field holds it: 2000, 2.5."""
    return format(value.normalize(), "f")


def mark_of(*outcome: object) -> str:
    """Return what tells one checked outcome from another: what is saved is what was seen, or it is shown again."""
    return sha256(repr(outcome).encode()).hexdigest()[:24]
