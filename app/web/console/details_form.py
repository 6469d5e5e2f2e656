"""The form of who a patient is: what was typed into it, what is wrong, and what somebody else saved meanwhile."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import date
from typing import Any

from sqlalchemy.orm import Session

from app.actions.patient_entry import MrnTaken, SameName
from app.db.pages import ClinicFacts, Person, person_of
from app.db.people import Patient
from app.domain.patient_details import DETAILS, Details
from app.web.console.reading import listed
from app.web.console.zone_choice import zones_for
from app.web.language import N_, tr
from app.web.wording import day, language, sentence
from faq.languages import languages

# as the audit log names the fields that somebody changed
AUDITED = (N_("family name"), N_("given name"), N_("mrn"), N_("born on"), N_("language"), N_("time zone"))


@dataclass(frozen=True)
class DetailsForm:
    """One form as it is shown. `was`: what its fields held at first; `saved`: what another person saved meanwhile."""

    typed: dict[str, str]
    version: int = 1
    was: dict[str, str] = field(default_factory=dict)
    saved: dict[str, str] = field(default_factory=dict)
    errors: dict[str, str] = field(default_factory=dict)
    refused: str = ""
    taken_by: int = 0  # whose record number it is already
    same_name: int = 0  # who is called the same, with no other birth date

    def wrong(self, errors: Mapping[str, str]) -> "DetailsForm":
        return replace(self, errors={name: tr(words) for name, words in errors.items()})

    def taken(self, refusal: MrnTaken) -> "DetailsForm":
        return replace(self, errors={"mrn": tr(refusal)}, taken_by=refusal.patient_id)

    def alike(self, refusal: SameName) -> "DetailsForm":
        return replace(self, refused=tr(refusal), same_name=refusal.patient_id)


def typed_details(form: Mapping[str, str], prefix: str = "") -> dict[str, str]:
    return {name: form.get(prefix + name, "").replace("\0", "") for name in DETAILS}


def as_typed(details: Details) -> dict[str, str]:
    """Return details as fields hold them: a birth date as the reader writes one."""
    return {name: getattr(details, name) or "" for name in DETAILS} | {"born_on": _day(details.born_on)}


def _day(born_on: str | None) -> str:
    try:
        return day(date.fromisoformat(born_on), weekday=False) if born_on else ""
    except ValueError:
        return born_on or ""  # what an earlier system wrote for no day


def after_conflict(typed: dict[str, str], was: dict[str, str], now: dict[str, str]) -> dict[str, str]:
    """Return what the fields hold after another person saved.

    What was typed stays. A field that nobody touched here takes what is saved now: it would else be undone unseen.
    """
    return {name: now[name] if said == was[name] else said for name, said in typed.items()}


def person_taking(session: Session, form: DetailsForm | None) -> Person | None:
    """Return the patient who has the record number already, or the same name; to show who it is is a read."""
    other = form and (form.taken_by or form.same_name)
    if not other:
        return None
    listed([other])
    return person_of(session.get_one(Patient, other))


def choices(clinic: ClinicFacts, *kept_zones: str) -> dict[str, Any]:
    """Return what the form offers to choose from, with zones that a patient has already among them."""
    zones = zones_for(clinic.country, clinic.time_zone, *kept_zones)
    return {
        "languages_of_texts": {code: sentence(language(code)) for code in languages()},
        "zones": zones,
        "zone_names": {zone: name for group in zones for zone, name in group.options},
    }
