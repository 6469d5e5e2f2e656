"""`pumpline clock`: the simulator's time."""

from datetime import timedelta

import click

from app.actions.advance_clock import advance_clock, next_due
from app.clock import system_clock
from app.commands.errors import Failed
from app.commands.house import opened
from app.commands.printing import AS_JSON, echo_json, local


@click.group()
def clock() -> None:
    """Show the time, or push the simulator's clock forward."""


@clock.command()
@AS_JSON
def show(as_json: bool) -> None:
    """Show the time here, and when the next text falls due."""
    with opened() as house:
        due = next_due(house.line, house.now)
        if as_json:
            echo_json({"now": house.now, "next_due_at": due})
            return
        click.echo(f"now       {local(house.now, house.zone)}")
        click.echo(f"next due  {local(due, house.zone)}")


@clock.command()
@click.option("--days", type=click.IntRange(1, 400), help="Go this many days forward.")
@click.option("--next", "to_next", is_flag=True, help="Go to the moment the next text falls due.")
def jump(days: int | None, to_next: bool) -> None:
    """Push the simulator's clock forward, sending what falls due on the way."""
    if (days is None) == (not to_next):
        raise click.UsageError("choose one: --days N, or --next")
    with opened() as house:
        house.simulator_only("`pumpline clock jump`")
        line = house.line
        target = next_due(line, house.now) if to_next else house.now + timedelta(days=days or 0)
        if target is None:
            raise Failed("nothing will fall due: book a visit first, with `pumpline appointments book`")
        from app import create_app

        app = create_app(house.settings.model_copy(update={"scheduler": False}))
        advance_clock(line, target, house.now, system_clock, app.extensions["run_due"])
        click.echo(f"it is now {local(target, house.zone)}")
