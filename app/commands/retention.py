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
            found = {row.kind: row for row in session.scalars(select(Forgotten))}
            rows = [(kind.name, kind.period(house.line.periods).days, found.get(kind.name)) for kind in KINDS]
        if as_json:
            echo_json(
                [
                    {"kind": name, "days": days, "erased": mark.erased if mark else 0, "at": mark.at if mark else None}
                    for name, days, mark in rows
                ]
            )
            return
        echo_table(
            ("KIND", "DAYS KEPT", "ROWS GONE", "LAST"),
            (
                (name, days, mark.erased if mark else 0, local(mark.at if mark else None, house.zone))
                for name, days, mark in rows
            ),
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
