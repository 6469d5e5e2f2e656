"""Time zones as a nurse chooses them: those of the clinic's country by their names, the rest by country and place."""

from dataclasses import dataclass
from functools import cache
from zoneinfo import ZoneInfo, available_timezones

from babel.core import Locale, get_global
from babel.dates import get_timezone_location, get_timezone_name

from app.domain.names import folded
from app.web.language import gettext as _
from app.web.language import language
from app.web.wording import sentence

NOWHERE = "ZZ"  # such as GMT+3
Option = tuple[str, str]  # the zone, and how it is called


@dataclass(frozen=True)
class Zones:
    """One group of a list to choose from."""

    title: str
    options: tuple[Option, ...]


def zones_for(country: str, *kept: str) -> tuple[Zones, ...]:
    """Return what can be chosen. `kept`: zones that must stand among them, such as the patient's own."""
    near, far = _near(country, language()), _far(country, language())
    listed = {zone for zone, _words in (*near, *far)}
    unusual = tuple((zone, zone) for zone in dict.fromkeys(kept) if zone not in listed and zone in _known())
    return (Zones(_("In this country"), unusual + near), Zones(_("Elsewhere"), far))


@cache
def _known() -> frozenset[str]:
    return frozenset(available_timezones())


@cache
def _near(country: str, code: str) -> tuple[Option, ...]:
    """Return "Eastern Time: New York", sorted."""
    locale = _locale(code)
    found = []
    for zone in get_global("territory_zones").get(country, ()):
        if zone in _known():
            place = get_timezone_location(ZoneInfo(zone), locale=locale, return_city=True)
            name = sentence(get_timezone_name(ZoneInfo(zone), locale=locale))
            found.append((zone, place if place in name else f"{name}: {place}"))  # one of its own is named by its place
    return _sorted(found)


@cache
def _far(country: str, code: str) -> tuple[Option, ...]:
    """Return "Germany: Berlin", sorted."""
    locale = _locale(code)
    found = []
    for zone, territory in get_global("zone_territories").items():
        if territory not in (country, NOWHERE) and territory in locale.territories and zone in _known():
            place = get_timezone_location(ZoneInfo(zone), locale=locale, return_city=True)
            found.append((zone, f"{locale.territories[territory]}: {place}"))
    return _sorted(found)


def _locale(code: str) -> Locale:
    return Locale.parse("es" if code == "es" else "en_US")


def _sorted(options: list[Option]) -> tuple[Option, ...]:
    return tuple(sorted(options, key=lambda option: folded(option[1])))
