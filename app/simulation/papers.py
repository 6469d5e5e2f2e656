"""What stands in a patient's diary and on a refill's paper."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal

from app.domain.pump_values import Program


@dataclass
class Visit:
    """A visit as the patient knows of it."""

    appointment_id: int
    minute: int
    will_miss: bool
    answered: bool = False
    unwanted: bool = False  # has asked for another time


@dataclass
class Paper:
    """What a nurse wrote down at a refill. `entered`: it stands in the record."""

    appointment_id: int | None
    day: int
    volume_ml: Decimal
    aspirated_ml: Decimal | None
    program: Program | None = None  # a new one
    alarm_ml: Decimal = Decimal(2)
    entered: bool = False
    refill_id: int | None = None
