"""What is simulated: how many people, how long, how unlucky, and what is switched off to see the checks fail."""

import random
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import pairwise

ZONE = "America/New_York"
START = datetime(2026, 1, 5, 5, 0, tzinfo=UTC)  # a Monday, midnight at the clinic
PATIENTS_A_CLINIC = 250  # more are simulated as several clinics, each with staff and a database of its own
MINUTES_A_DAY = 1440
TEXTS_FROM, TEXTS_UNTIL = (
    8,
    21,
)  # o'clock, the patient's: what texts are checked against, whatever the clinic's row says

SWITCHES = {
    "escalation": "care steps are not taken, and missed visits are not noticed (empty_without_task)",
    "quiet-hours": "the clinic's texting hours are the whole day, and reminders go at 06:00 (texts_outside_hours)",
    "settling": "the provider's list is empty: a lost answer is repeated blindly (duplicate_messages)",
    "reminders": "due reminders are not queued (reminders_lost)",
    "acknowledging": "there is no on-call phone, and nobody takes an alert (urgent_unacknowledged)",
    "pages": "no page reaches the on-call phone: alerts wait for office hours (minutes_to_human)",
}


@dataclass(frozen=True)
class Parameters:
    patients: int
    days: int
    seed: int
    no_shows: float = 0.2  # share of visits
    unreachable: float = 0.05  # share of patients
    outages: int = 3
    without: frozenset[str] = frozenset()
    trouble: float = 1.0  # how many times as often as usual people and provider are in trouble: for short tests


@dataclass(frozen=True)
class Shard:
    """One clinic of the simulation: the patients numbered first .. first + count - 1."""

    parameters: Parameters
    number: int
    first: int
    count: int

    def stream(self, *names: object) -> random.Random:
        return stream(self.parameters.seed, self.number, *names)

    def off(self, switch: str) -> bool:
        return switch in self.parameters.without


def shards_of(parameters: Parameters) -> tuple[Shard, ...]:
    """Divide the patients into clinics: by their number alone, so that nothing hangs on the machine."""
    clinics = -(-parameters.patients // PATIENTS_A_CLINIC)
    edges = [parameters.patients * place // clinics for place in range(clinics + 1)]
    return tuple(
        Shard(parameters, number, first + 1, until - first) for number, (first, until) in enumerate(pairwise(edges))
    )


def stream(*names: object) -> random.Random:
    """Return chance of its own for somebody or something: the same names, the same luck, whatever others draw."""
    return random.Random("/".join(map(str, names)))  # noqa: S311 a simulation
