"""Who lives in the large demo: drawn by number alone, so that the same seed and number give the same person."""

from dataclasses import dataclass
from datetime import date, timedelta
from enum import StrEnum
from functools import cache

import phonenumbers

from app.demo.names import FAMILY, GIVEN
from app.simulation.parameters import stream
from app.simulation.people import PumpSpec, draw_pump

LINES = 98  # of the 100 numbers kept for fiction in each area code; the last two of one of them play tricks
LINE_ITSELF = "614"  # where the clinic's own numbers and the small demo's are
_ZONES = ("America/New_York",) * 17 + ("America/Chicago",) * 2 + ("America/Los_Angeles",)
_RELATIONS = ("wife", "husband", "mother", "father", "daughter", "son", "sister", "neighbour")


class Standing(StrEnum):
    """How somebody stands today. Nearly everybody is in order; of the others there are a few dozen in thousands."""

    IN_ORDER = "in order"  # filled lately, and booked in time
    UNBOOKED = "unbooked"  # to be planned within weeks, and nobody booked
    LOW = "low"  # hardly any days left, and no visit
    LATE = "late"  # booked after the plan-by date
    BATTERY = "battery"  # the pump must be replaced within the year
    OPTED_OUT = "opted out"
    PAUSED = "paused"
    LEFT = "left"
    DECEASED = "deceased"


_PER_10_000 = {
    Standing.UNBOOKED: 60,
    Standing.LOW: 10,
    Standing.LATE: 16,
    Standing.BATTERY: 20,
    Standing.OPTED_OUT: 120,
    Standing.PAUSED: 40,
    Standing.LEFT: 150,
    Standing.DECEASED: 40,
}


@dataclass(frozen=True, slots=True)
class Carer:
    name: str
    relation: str
    phone: str
    told_if_missed: bool


@dataclass(frozen=True, slots=True)
class Person:
    number: int  # from 1
    given: str
    family: str
    born: date
    language: str
    zone: str
    phone: str
    carer: Carer | None
    pump: PumpSpec
    standing: Standing

    @property
    def mrn(self) -> str:
        return mrn_of(self.number)


def mrn_of(number: int) -> str:
    return f"DEMO-{number:06d}"


def people_of(count: int, seed: int, today: date) -> list[Person]:
    standings = _standings(count, seed)
    return [_person(number, count, seed, today, standings.get(number)) for number in range(1, count + 1)]


def most_people() -> int:
    """Return how many have numbers: a phone each, and a carer's for every other one at the most."""
    return len(_area_codes()) * LINES * 2 // 3


@cache
def _area_codes() -> tuple[str, ...]:
    """Return the area codes of the US in which 555-0100 to 555-0199 are kept for fiction."""
    codes = (str(code) for code in range(201, 990) if str(code) != LINE_ITSELF)
    return tuple(code for code in codes if _is_of_the_us(f"+1{code}5550100"))


def _is_of_the_us(number: str) -> bool:
    parsed = phonenumbers.parse(number)
    return phonenumbers.is_valid_number(parsed) and phonenumbers.region_code_for_number(parsed) == "US"


def _phone(place: int) -> str:
    """Return a fictional number; places beyond the patients' are carers'."""
    return f"+1{_area_codes()[place // LINES]}55501{place % LINES:02d}"


def _standings(count: int, seed: int) -> dict[int, Standing]:
    numbers = list(range(1, count + 1))
    stream(seed, "standings").shuffle(numbers)
    found: dict[int, Standing] = {}
    for standing, share in _PER_10_000.items():
        for _ in range(round(count * share / 10_000)):
            found[numbers.pop()] = standing
    return found


def _person(number: int, count: int, seed: int, today: date, standing: Standing | None) -> Person:
    chance = stream(seed, "large", number)
    language = "es" if chance.random() < 0.18 else "en"
    given, family = chance.choice(GIVEN[language]), chance.choice(FAMILY[language])
    if language == "es" and chance.random() < 0.5:
        family += f" {chance.choice(FAMILY[language])}"
    carer = None
    if number % 2 == 0 and chance.random() < 0.5:
        name = f"{chance.choice(GIVEN[language])} {family}"
        carer = Carer(name, chance.choice(_RELATIONS), _phone(count + number // 2 - 1), chance.random() < 0.6)
    return Person(
        number=number,
        given=given,
        family=family,
        born=today - timedelta(days=chance.randint(6 * 365, 85 * 365)),
        language=language,
        zone=chance.choice(_ZONES),
        phone=_phone(number - 1),
        carer=carer,
        pump=draw_pump(stream(seed, "pump", number)),
        standing=standing or Standing.IN_ORDER,
    )
