"""`pumpline tasks`: what nurses must do."""

import click

from app.actions.acknowledge_task import acknowledge_task
from app.actions.resolve_task import resolve_task
from app.commands.house import opened
from app.commands.options import BY, who
from app.commands.printing import AS_JSON, LIMIT, cut, echo_json, echo_table, local
from app.db.listing import list_tasks

LONGEST_REASON = 160  # it says what to do, mostly at its end
TASK = click.argument("task_id", metavar="ID", type=int)


@click.group()
def tasks() -> None:
    """List what nurses must do; acknowledge or resolve it."""


@tasks.command("list")
@click.option("--all", "everything", is_flag=True, help="Resolved ones too.")
@LIMIT
@AS_JSON
def list_(everything: bool, limit: int, as_json: bool) -> None:
    """List tasks, urgent alerts first, then the oldest."""
    with opened() as house:
        with house.db.read() as session:
            found = cut(list_tasks(session, resolved=everything, limit=limit and limit + 1), limit)
        if as_json:
            echo_json(found)
            return
        echo_table(
            ("ID", "KIND", "STATE", "RAISED", "DUE", "NEEDED BY", "PATIENT", "REASON"),
            (
                (
                    t.id,
                    t.category or t.kind,
                    t.state,
                    local(t.raised_at, house.zone),
                    local(t.due_at, house.zone),
                    t.needed_by,
                    t.patient_id,
                    t.reason,
                )
                for t in found
            ),
            "nothing to do",
            longest=LONGEST_REASON,
        )


@tasks.command()
@TASK
@BY
def acknowledge(task_id: int, email: str | None) -> None:
    """Say that somebody takes care of it; an alert pages no more."""
    with opened() as house:
        acknowledge_task(house.line, task_id, house.now, who(house, email).staff_id)
        click.echo(f"task {task_id} acknowledged")


@tasks.command()
@TASK
@click.option("--outcome", required=True, help="What came of it, in a few words.")
@BY
def resolve(task_id: int, outcome: str, email: str | None) -> None:
    """Close it, with what came of it."""
    with opened() as house:
        resolve_task(house.line, task_id, outcome, house.now, who(house, email).staff_id)
        click.echo(f"task {task_id} resolved")
