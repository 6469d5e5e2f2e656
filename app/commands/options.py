"""What options read: amounts and days as staff type them, values under a setting's rule, and who did it."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any

import click
from sqlalchemy import select

from app.actions.prepare import the_clinic
from app.commands.errors import Failed
from app.commands.house import ACTOR, House
from app.db.people import Staff
from app.domain.permissions import ROLE_WORDS, Permission, may
from app.integrations.pump_cases import CaseError, day, number
from app.setting_rules import checked_phone

DIGITS = 6  # before the point and behind it: more is a slip, and what is worked out must fit its column


class Checked(click.ParamType[Any]):
    """A value held to the same rule as the setting of that name."""

    name = "text"

    def __init__(self, check: Callable[[str], Any]) -> None:
        self._check = check

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        try:
            return self._check(value)
        except ValueError as error:
            self.fail(str(error), param, ctx)


def _amount(text: str) -> Decimal:
    amount = number(f'"{text}"', text)
    if amount.adjusted() >= DIGITS or amount != round(amount, DIGITS):
        raise CaseError(f'"{text}" has too many digits: check it')
    return amount


def _amounts(text: str) -> tuple[Decimal, ...]:
    try:
        return tuple(_amount(part) for part in text.split(","))
    except CaseError:
        raise CaseError(f'"{text}" is not amounts divided by commas: write them like 400,400,400') from None


def phone_or_nothing(value: str) -> str:
    return checked_phone(value) or "" if value.strip() else ""


AMOUNT = Checked(_amount)
AMOUNTS = Checked(_amounts)
DAY = Checked(lambda text: day(f'"{text}"', text))

PATIENT: Callable[..., Any] = click.argument("patient_id", metavar="PATIENT", type=int)
DRY_RUN: Callable[..., Any] = click.option("--dry-run", is_flag=True, help="Print what would change, write nothing.")
BY: Callable[..., Any] = click.option("--by", "email", metavar="EMAIL", help="Who of the staff does it.")
BY_SECOND: Callable[..., Any] = click.option(
    "--by", "email", metavar="EMAIL", required=True, help="The second member of staff."
)


@dataclass(frozen=True)
class Who:
    """Whose word it is: a member of staff, or nobody named."""

    actor: str
    staff_id: int | None = None


def who(house: House, email: str | None) -> Who:
    """Return who did it. Raises Failed for an e-mail of nobody who is active staff of the clinic."""
    if email is None:
        return Who(ACTOR)
    staff_id = staff_of(house, email)
    return Who(f"staff:{staff_id}", staff_id)


def staff_of(house: House, email: str) -> int:
    """Return the account's id. Raises Failed for an e-mail of nobody at the clinic who may see to a patient."""
    with house.db.read() as session:
        found = session.execute(
            select(Staff.id, Staff.role).where(
                Staff.email == email.strip().lower(), Staff.active, Staff.clinic_id == the_clinic(session).id
            )
        ).first()
    if found is None:
        raise Failed("no active member of staff has that e-mail: see `pumpline staff list`")
    if not may(found.role, Permission.WRITE_PATIENTS):
        raise Failed(f"that account's role is {ROLE_WORDS[found.role]}: name a nurse")
    return int(found.id)


def today_of(house: House) -> date:
    """Return the day at the clinic."""
    return house.now.astimezone(house.zone).date()
