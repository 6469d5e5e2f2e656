"""Who a patient is, as staff type it: names, record number, birth date, language, time zone. Pure."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, fields
from datetime import date
from typing import Any
from zoneinfo import ZoneInfo

from app.domain.day_words import NoDay, birth_day_of
from faq.languages import languages

LONGEST = 100  # characters of a name or record number, as in an import


class WrongDetail(ValueError):
    """One field cannot be used; the message is shown under it."""


class WrongDetails(ValueError):
    """Some fields cannot be used."""

    def __init__(self, errors: Mapping[str, str]) -> None:
        super().__init__(", ".join(errors))
        self.errors = dict(errors)  # by field


@dataclass(frozen=True)
class Details:
    """What is kept of who a patient is. `born_on`: an ISO day; None where it is not known."""

    family_name: str
    given_name: str
    mrn: str
    born_on: str | None
    language: str
    time_zone: str


DETAILS = tuple(field.name for field in fields(Details))


def details_of(typed: Mapping[str, str], today: date) -> Details:
    """Return the details as typed. Raises WrongDetails, with everything that is wrong."""
    found: dict[str, Any] = {}
    errors: dict[str, str] = {}
    for name, read in _READ.items():
        try:
            found[name] = read(typed.get(name, ""), today)
        except (WrongDetail, NoDay) as error:
            errors[name] = str(error)
    if errors:
        raise WrongDetails(errors)
    return Details(**found)


def one_line(typed: str) -> str:
    """Return words as they are kept: on one line, with single spaces. Raises WrongDetail."""
    said = " ".join(typed.split())
    if len(said) > LONGEST:
        raise WrongDetail(f"at most {LONGEST} characters")
    if any(ord(sign) < 32 or ord(sign) == 127 for sign in said):
        raise WrongDetail("it holds a sign that cannot be shown: type it anew")
    return said


def _family_name(typed: str, _today: date) -> str:
    if not (said := one_line(typed)):
        raise WrongDetail("give the family name")
    return said


def _given_name(typed: str, _today: date) -> str:
    if not (said := one_line(typed)):
        raise WrongDetail("give the given name")
    return said


def _mrn(typed: str, _today: date) -> str:
    if not (said := one_line(typed)):
        raise WrongDetail("give the record number (MRN)")
    return said


def _birth(typed: str, today: date) -> str | None:
    return birth_day_of(typed, today).isoformat() if typed.strip() else None


def _language(typed: str, _today: date) -> str:
    if typed not in languages():
        raise WrongDetail("choose the language of the texts")
    return typed


def _zone(typed: str, _today: date) -> str:
    try:
        ZoneInfo(typed)
    except Exception:  # a ValueError, an OSError or a KeyError, by what is wrong with the name
        raise WrongDetail("choose the time zone where the patient lives") from None
    return typed


_READ: dict[str, Callable[[str, date], str | None]] = {
    "family_name": _family_name,
    "given_name": _given_name,
    "mrn": _mrn,
    "born_on": _birth,
    "language": _language,
    "time_zone": _zone,
}
