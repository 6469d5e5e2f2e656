"""Who lives in the simulation: drawn by number alone, so that the same person is met whatever else is switched."""

from dataclasses import dataclass
from decimal import Decimal
from random import Random

from app.simulation.parameters import ZONE, Shard, stream

_ZONES = (ZONE,) * 18 + ("America/Chicago", "America/Los_Angeles")
_SHARE_HABITUAL = 0.12  # people who miss again and again
_HABITUALLY = 3.5  # times the share of the others, at most 0.9
SHORTEST_DAYS, LONGEST_DAYS = 30, 150
_FILLINGS = tuple((Decimal(size), Decimal(mcg)) for size in (20, 40) for mcg in (500, 1000, 2000))  # mL, mcg/mL
_LOWEST, _HIGHEST = Decimal(50), Decimal(1200)  # mcg a day


@dataclass(frozen=True)
class PumpSpec:
    """A pump as its papers say. `days` is the interval for which its dose was chosen."""

    size_ml: Decimal
    concentration: Decimal
    dose: Decimal
    alarm_ml: Decimal
    days: int
    filled_days_ago: int
    implanted_days_ago: int
    flow: float  # standard normal: how this pump differs from its program, at every filling
    kind: str = "plain"  # flex: another dose at the weekend; bolus: the patient may add to it


@dataclass(frozen=True)
class Person:
    number: int  # in the whole simulation
    phone: str
    carer_phone: str | None
    own_phone: bool  # False: texts go to a carer's phone only, and two patients share it
    told_if_missed: bool
    carer_gets_reminders: bool
    language: str
    zone: str
    no_show: float
    unreachable: bool
    dead_number: bool  # of those: the carrier knows it, and says so at once
    wakeful: bool  # reads and writes texts at night
    pump: PumpSpec
    booked: bool  # has a visit when the year begins

    @property
    def mrn(self) -> str:
        return f"SIM-{self.number:05d}"

    @property
    def given_name(self) -> str:
        return f"Sim{self.number}"


def people_of(shard: Shard) -> tuple[Person, ...]:
    """Return the people of one clinic. Two of every fifty share their carer's phone, and have none of their own."""
    return tuple(_person(shard, place, place + shard.first) for place in range(shard.count))


def _person(shard: Shard, place: int, number: int) -> Person:
    parameters = shard.parameters
    chance = stream(parameters.seed, "person", number)
    shares = place % 50 in (10, 11) and shard.count > 11
    unreachable = chance.random() < parameters.unreachable and not shares
    has_carer = (chance.random() < 0.25 and not unreachable) or shares
    carer_place = place - place % 50 + 10 if shares else place
    habitual = chance.random() < _SHARE_HABITUAL
    often = min(0.9, parameters.no_shows * _HABITUALLY)
    seldom = max(0.0, (parameters.no_shows - _SHARE_HABITUAL * often) / (1 - _SHARE_HABITUAL))
    return Person(
        number=number,
        phone=f"+1614555{place:04d}",
        carer_phone=f"+1614556{carer_place:04d}" if has_carer else None,
        own_phone=not shares,
        told_if_missed=chance.random() < 0.6,
        carer_gets_reminders=shares or chance.random() < 0.5,
        language="es" if chance.random() < 0.18 else "en",
        zone=chance.choice(_ZONES),
        no_show=often if habitual else seldom,
        unreachable=unreachable,
        dead_number=chance.random() < 0.5,
        wakeful=chance.random() < 0.1,
        pump=draw_pump(stream(parameters.seed, "pump", number)),
        booked=chance.random() < 0.75,
    )


def draw_pump(chance: Random) -> PumpSpec:
    """Draw the interval first, and choose volume, concentration and dose for it."""
    days = round(
        LONGEST_DAYS - (LONGEST_DAYS - SHORTEST_DAYS) * chance.random() ** 3
    )  # half over 135, a tenth under 62
    size, concentration = chance.choice(_FILLINGS)
    alarm = Decimal(chance.choice((2, 2, 2, 3, 4)))
    dose = (size - alarm) * concentration / days
    while not _LOWEST <= dose <= _HIGHEST:
        size, concentration = chance.choice(_FILLINGS)
        dose = (size - alarm) * concentration / days
    ago = chance.randrange(int(days * 0.8))
    luck = chance.random()
    return PumpSpec(
        size_ml=size,
        concentration=concentration,
        dose=dose.quantize(Decimal("0.1")),
        alarm_ml=alarm,
        days=days,
        filled_days_ago=ago,
        implanted_days_ago=ago + chance.randint(100, 1500),
        flow=chance.gauss(0, 1),
        kind="flex" if luck < 0.1 else "bolus" if luck < 0.18 else "plain",
    )
