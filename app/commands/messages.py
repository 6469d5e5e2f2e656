"""`pumpline messages`: what was said, and what became of it."""

import click

from app.commands.house import opened
from app.commands.printing import AS_JSON, LIMIT, cut, echo_json, echo_table, local
from app.db.listing import list_messages
from app.db.stuck import list_stuck


@click.group()
def messages() -> None:
    """List texts, in and out, with what became of them."""


@messages.command("list")
@click.option("--patient", "patient_id", type=int, metavar="ID", help="Of this patient's phones only.")
@click.option("--failed", is_flag=True, help="Only texts that did not get through.")
@LIMIT
@AS_JSON
def list_(patient_id: int | None, failed: bool, limit: int, as_json: bool) -> None:
    """List texts, newest first."""
    with opened() as house:
        with house.db.read() as session:
            found = list_messages(session, patient_id=patient_id, failed=failed, limit=limit and limit + 1)
        found = cut(found, limit)
        if as_json:
            echo_json(found)
            return
        echo_table(
            ("AT", "", "PHONE", "WHAT", "STATE", "WHY", "TEXT"),
            ((local(m.at, house.zone), m.direction, m.number, m.purpose, m.state, m.reason, m.body) for m in found),
            "nothing failed" if failed else "no texts yet",
        )


@messages.command()
@LIMIT
@AS_JSON
@click.pass_context
def stuck(context: click.Context, limit: int, as_json: bool) -> None:
    """List texts that are longer without an end than they may be; exit 1 if there are any.

    None is what should be here. Ids and states only, never a number or words: `messages list` shows those.
    """
    with opened() as house:
        with house.db.read() as session:
            found = list_stuck(session, house.now, limit and limit + 1)
        found = cut(found, limit)
        if as_json:
            echo_json(found)
        else:
            echo_table(
                ("ID", "WHAT", "STATE", "SINCE", "TRIES", "WHY"),
                ((m.id, m.purpose, m.state, local(m.since, house.zone), m.attempts, m.reason) for m in found),
                "nothing is stuck",
            )
    if found:
        context.exit(1)
