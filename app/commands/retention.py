"""`pumpline retention`: how long things are kept, and how far what is older has gone."""

import sys

import click
from sqlalchemy import select

from app.actions.forget_old import forget_now
from app.commands.house import ACTOR, opened
from app.commands.printing import AS_JSON, echo_json, echo_table, local
from app.db.aging import KINDS
from app.db.retention import Forgotten


@click.group()
def retention() -> None:
    """Show how long things are kept; put out what is older."""


@retention.command()
@AS_JSON
def show(as_json: bool) -> None:
    """Show each kind's period, and how many rows have gone so far."""
    with opened() as house:
        with house.db.read() as session:
            found = session.execute(select(Forgotten.kind, Forgotten.erased, Forgotten.at)).all()
        marks = {row.kind: (row.erased, row.at) for row in found}
        rows = [(kind.name, kind.period(house.line.periods).days, *marks.get(kind.name, (0, None))) for kind in KINDS]
        if as_json:
            echo_json([dict(zip(("kind", "days", "erased", "at"), row, strict=True)) for row in rows])
            return
        echo_table(
            ("KIND", "DAYS KEPT", "ROWS GONE", "LAST"),
            ((name, days, gone, local(at, house.zone)) for name, days, gone, at in rows),
            "",
        )


@retention.command()
@click.option("--yes", is_flag=True, help="Ask nothing.")
def run(yes: bool) -> None:
    """Put out everything that is older than its period now, while the line runs, instead of at night."""
    with opened() as house:
        if not yes:
            click.confirm("Put out what is older than its period? Nothing brings it back but a backup", abort=True)
        gone: dict[str, int] = {}

        on_terminal = sys.stderr.isatty()

        def told(kind: str, rows: int) -> None:
            gone[kind] = gone.get(kind, 0) + rows
            if on_terminal:
                click.echo(f"\r{kind}: {gone[kind]:,}   ", nl=False, err=True)

        total = forget_now(house.line, house.now, ACTOR, told)
        if gone and on_terminal:
            click.echo(err=True)
        for kind, rows in gone.items():
            click.echo(f"{kind}: {rows:,}")
        click.echo(f"{total:,} rows in all")
