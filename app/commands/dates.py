"""How dates of pumps are told, old and new side by side; and how they are worked out at once where they wait."""

import sys
from datetime import date
from typing import Any

import click

from app.actions.each import SomeFailed
from app.actions.plan_care import plan_new_pumps
from app.commands.house import House
from app.commands.options import today_of
from app.commands.printing import echo_table
from app.db.care_listing import known_dates
from app.domain.pump import RefillDates

FOR_STAFF = "These dates are for staff: never text them to a patient."
MOST_ROUNDS = 1_000  # of two thousand pumps

_LINES = (
    ("low reservoir alarm, early", "early_low_alarm_on"),
    ("low reservoir alarm, nominal", "low_alarm_on"),
    ("low reservoir alarm, late", "late_low_alarm_on"),
    ("empty, early", "early_empty_on"),
    ("empty, nominal", "empty_on"),
    ("empty, late", "late_empty_on"),
    ("stable until", "stable_until"),
    ("plan by", "plan_by"),
)


def echo_side_by_side(old: RefillDates | None, new: RefillDates | None, today: date) -> None:
    """Print what the dates were and what they become."""
    rows: list[tuple[Any, ...]] = [(words, _of(old, name), _of(new, name)) for words, name in _LINES]
    rows.append((f"days of drug left on {today}, early", _left(old, today, "early"), _left(new, today, "early")))
    rows.append((f"days of drug left on {today}, nominal", _left(old, today, "nominal"), _left(new, today, "nominal")))
    echo_table(("", "OLD", "NEW"), rows, "no dates")
    if new is not None:
        click.echo(f"plan by {new.plan_by}: {new.plan_by_because}")
        click.echo(FOR_STAFF)


def _of(dates: RefillDates | None, name: str) -> date | None:
    return getattr(dates, name) if dates else None


def _left(dates: RefillDates | None, today: date, edge: str) -> int | None:
    return getattr(dates.days_left(today), edge) if dates else None


def echo_patient_dates(house: House, patient_id: int) -> None:
    """Print the day by which a patient's refill must be planned, as it is now."""
    with house.db.read() as session:
        dates = known_dates(session, patient_id, today_of(house))
    if dates is not None and dates.plan_by is not None:
        click.echo(f"plan by {dates.plan_by}: {dates.plan_by_because}")
    elif dates is not None:
        click.echo(f"no dates: {dates.problem}")


def work_out_dates(house: House) -> None:
    """Work out what has no dates yet, or stale ones, and say of how many pumps: nobody waits for the heartbeat."""
    pumps, failed = 0, False
    for _ in range(MOST_ROUNDS):
        try:
            done = plan_new_pumps(house.line, house.now)
        except SomeFailed:  # a nurse is asked to look at each of them
            failed = True
            continue
        pumps += done
        if not done:
            break
        if sys.stderr.isatty():
            click.echo(f"\rDates    {pumps:,} pumps", err=True, nl=False)
    if pumps and sys.stderr.isatty():
        click.echo(err=True)
    if pumps:
        click.echo(f"dates worked out: {pumps:,} {'pump' if pumps == 1 else 'pumps'}")
    if failed:
        click.echo("some pumps have no dates: see `pumpline tasks list`", err=True)
