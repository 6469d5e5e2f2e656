"""What nurses type about a pump: amounts, days and doses, each refused in words of its own under its field."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from decimal import Decimal
from hashlib import sha256
from zoneinfo import ZoneInfo

from app.actions.programs import Entry
from app.actions.pumps import PumpEntry
from app.actions.record_refill import RefillEntry
from app.web.console.entry import NotUnderstood, clinic_time
from app.web.language import gettext as _
from app.web.language import tr
from app.web.wording import weekday_name

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

    def amount(self, name: str, missing: str = "") -> Decimal | None:
        """Return a plain amount; None, with the reason under its field, for anything else. `missing` is said of nothing
        where an amount is needed."""
        said = self.text(name)
        if not said:
            if missing:
                self.errors[name] = missing
        elif "," in said:
            self.errors[name] = _("Write it with a point and without thousands: 1500 or 2.5.")
        elif not _AMOUNT.fullmatch(said):
            self.errors[name] = _("Write a plain number like 40 or 2.5, without a unit.")
        else:
            return Decimal(said)
        return None

    def day(self, name: str, wrong: str, *, needed: bool = True) -> date | None:
        """Return a day as a day field sends it; None, with `wrong` under its field, for anything else."""
        said = self.text(name)
        if not said and not needed:
            return None
        try:
            found = date.fromisoformat(said) if _DAY.fullmatch(said) else None
        except ValueError:
            found = None
        if found is None or not 1970 <= found.year <= 2200:
            self.errors[name] = wrong
            return None
        return found

    def row_id(self, name: str) -> int:
        """Return the id of a row that a form names, 0 for what is none."""
        said = self.text(name)
        return int(said) if said.isascii() and said.isdecimal() and len(said) < 18 else 0


def refill_of(form: Form, concentrations: tuple[str, ...], drug: str) -> RefillEntry | None:
    """Return the refill as typed; None where a field cannot be used."""
    filled_on = form.day("filled_on", _("Give the day of the refill, for example 2026-11-23."))
    volume = form.amount("reservoir_volume_ml", _("Give the volume in the reservoir now."))
    aspirated = form.amount("aspirated_ml")
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
        form.errors["concentration"] = _("Choose the concentration, as the label says.")
        return None
    if not form.ticked("concentration_confirmed"):
        form.errors["concentration_confirmed"] = _("Not one of this clinic's: check the label, then tick this.")
    return form.amount("other_concentration", _("Give the concentration, as the label says."))


def program_of(form: Form, concentration: Decimal | None, drug: str) -> Entry | None:
    """Return the program as typed, with this drug in this concentration; None where a field cannot be used."""
    alarm = form.amount("alarm_volume_ml", _("Give the volume at which the low reservoir alarm sounds."))
    per_day = form.amount("boluses_per_day")
    bolus = form.amount("bolus_mcg")
    if bool(per_day) != bool(bolus) and not {"boluses_per_day", "bolus_mcg"} & form.errors.keys():
        lacking = "bolus_mcg" if per_day else "boluses_per_day"
        form.errors[lacking] = _("Give number and size of the boluses, or neither.")
    daily = doses = None
    if form.text("week") == "each":
        found = [form.amount(f"dose_{name.lower()}", _("Give the dose.")) for name in WEEKDAYS]
        doses = tuple(dose for dose in found if dose is not None)
    else:
        daily = form.amount("daily_dose_mcg", _("Give the daily dose."))
        if any(form.text(f"dose_{name.lower()}") for name in WEEKDAYS):
            form.errors["week"] = _(
                "Doses for weekdays are filled in: choose “A dose for each weekday”, or empty them."
            )
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
    size = form.amount("reservoir_size_ml", _("Give the size of the reservoir."))
    implanted_on = form.day("implanted_on", _("Give the day of the implant, for example 2026-11-23."), needed=False)
    replace_by = form.day("replace_by", _("Give the day, for example 2026-11-23."), needed=False)
    if not form.text("model"):
        form.errors["model"] = _("Give the model, as the pump's card says.")
    if form.errors or size is None:
        return None
    return PumpEntry(form.text("model"), size, implanted_on, replace_by, replaces=form.ticked("replaces"))


def scan_of(form: Form, zone: ZoneInfo) -> datetime | None:
    """Return the instant of a scan, typed in clinic time; None where it cannot be used."""
    try:
        return clinic_time(form.text("scanned_at"), zone)
    except NotUnderstood as error:
        form.errors["scanned_at"] = tr(error)
        return None


def weekdays() -> list[tuple[str, str]]:
    """Return the seven weekdays, each as its field is named and as the reader calls it."""
    monday = date(2026, 11, 23)
    return [(name.lower(), weekday_name(monday + timedelta(days=n))) for n, name in enumerate(WEEKDAYS)]


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
