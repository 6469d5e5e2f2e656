"""Time zones as a nurse chooses them: those of the clinic's country by their names, the rest by their places."""

from dataclasses import dataclass
from functools import cache
from zoneinfo import ZoneInfo, available_timezones

from babel.core import get_global
from babel.dates import get_timezone_location, get_timezone_name

from app.web.language import gettext as _
from app.web.language import language
from app.web.wording import sentence

Option = tuple[str, str]  # the zone, and how it is called


@dataclass(frozen=True)
class Zones:
    """One group of a list to choose from."""

    title: str
    options: tuple[Option, ...]


def zones_for(country: str, *kept: str) -> tuple[Zones, ...]:
    """Return what can be chosen. `kept`: zones that must stand among them, such as the patient's own."""
    near, far = _near(country, language()), _far(country)
    listed = {zone for zone, _words in (*near, *far)}
    unusual = tuple((zone, zone) for zone in dict.fromkeys(kept) if zone not in listed and zone in _known())
    return (Zones(_("In this country"), unusual + near), Zones(_("Elsewhere"), far))


@cache
def _known() -> frozenset[str]:
    return frozenset(available_timezones())


@cache
def _near(country: str, code: str) -> tuple[Option, ...]:
    """Return "Eastern Time: New York", sorted."""
    locale = "es" if code == "es" else "en_US"
    found = []
    for zone in get_global("territory_zones").get(country, ()):
        if zone not in _known():
            continue
        place = get_timezone_location(ZoneInfo(zone), locale=locale, return_city=True)
        name = sentence(get_timezone_name(ZoneInfo(zone), locale=locale))
        found.append((zone, name if place in name else f"{name}: {place}"))
    return tuple(sorted(found, key=lambda option: option[1]))


@cache
def _far(country: str) -> tuple[Option, ...]:
    territories = get_global("zone_territories")
    places = sorted(zone for zone, where in territories.items() if where != country and "/" in zone)
    return tuple((zone, zone.replace("_", " ")) for zone in places if zone in _known())
