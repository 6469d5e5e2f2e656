"""`pumpline programs`: what a pump delivers, changed between refills."""

from datetime import date
from typing import Any

import click

from app.actions.change_program import ProgramOutcome, change_program, preview_program
from app.actions.confirm_entry import confirm_program, decline_program
from app.commands.dates import echo_patient_dates, echo_side_by_side
from app.commands.entries import as_fields, echo_waits, entry_of, program_options
from app.commands.house import House, opened
from app.commands.options import BY, BY_SECOND, DAY, DRY_RUN, PATIENT, staff_of, today_of, who
from app.commands.printing import AS_JSON, echo_json
from app.db.care import Program, Pump

PROGRAM = click.argument("program_id", metavar="ID", type=int)


@click.group()
def programs() -> None:
    """Change a pump's program between refills."""


@programs.command()
@PATIENT
@click.option("--from", "since", type=DAY, metavar="DATE", help="First day of it. [default: today]")
@program_options
@BY
@DRY_RUN
@AS_JSON
def change(
    patient_id: int, since: date | None, email: str | None, dry_run: bool, as_json: bool, **program: Any
) -> None:
    """Change dose, boluses or alarm volume; what is not given runs on as it is.

    Prints old and new dates. A jump waits until a second member of staff confirms it. A new concentration comes only
    with a refill.
    """
    with opened() as house:
        by = who(house, email)
        day = since or today_of(house)
        entry = entry_of(house, patient_id, day, program)
        if entry is None:
            raise click.UsageError("name what changes: --dose MCG, for example")
        if dry_run:
            outcome = preview_program(house.line, patient_id, entry, day, house.now)
        else:
            outcome = change_program(house.line, patient_id, entry, day, house.now, by.actor, by.staff_id)
        if as_json:
            echo_json(as_fields(outcome))
            return
        _echo_outcome(outcome, day, house, by_name=by.staff_id is not None)


def _echo_outcome(outcome: ProgramOutcome, day: date, house: House, *, by_name: bool) -> None:
    dry_run = outcome.program_id is None
    click.echo(f"from {day}: nothing was written, this is a dry run" if dry_run
               else f"program {outcome.program_id}: from {day}")  # fmt: skip
    click.echo()
    if outcome.new is None:
        click.echo("no dates: no refill is recorded")
    else:
        echo_side_by_side(outcome.old, outcome.new, today_of(house))
    if outcome.second_person_because:
        echo_waits("program", outcome.second_person_because, outcome.program_id, by_name=by_name)


@programs.command()
@PROGRAM
@BY_SECOND
def confirm(program_id: int, email: str) -> None:
    """Confirm a change that waits, as the second member of staff; its dates count from then on."""
    with opened() as house:
        confirm_program(house.line, program_id, house.now, staff_of(house, email))
        click.echo(f"program {program_id} confirmed")
        echo_patient_dates(house, _patient_of(house, program_id))


@programs.command()
@PROGRAM
@BY_SECOND
def decline(program_id: int, email: str) -> None:
    """Decline a change that waits; what was before counts on."""
    with opened() as house:
        decline_program(house.line, program_id, house.now, staff_of(house, email))
        click.echo(f"program {program_id} declined: what was before counts on")
        echo_patient_dates(house, _patient_of(house, program_id))


def _patient_of(house: House, program_id: int) -> int:
    with house.db.read() as session:
        return session.get_one(Pump, session.get_one(Program, program_id).pump_id).patient_id
