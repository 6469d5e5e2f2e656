"""`pumpline reminders`: what is owed because of visits."""

import click

from app.actions.plan_reminders import plan_reminders
from app.commands.house import opened
from app.commands.printing import AS_JSON, LIMIT, cut, echo_json, echo_table, local
from app.db.listing import list_reminders


@click.group()
def reminders() -> None:
    """List reminders, or re-plan them all."""


@reminders.command("list")
@click.option("--patient", "patient_id", type=int, metavar="ID", help="Of this patient only.")
@LIMIT
@AS_JSON
def list_(patient_id: int | None, limit: int, as_json: bool) -> None:
    """List reminders by when they fall due, with what became of them."""
    with opened() as house:
        with house.db.read() as session:
            found = cut(list_reminders(session, patient_id=patient_id, limit=limit and limit + 1), limit)
        if as_json:
            echo_json(found)
            return
        echo_table(
            ("ID", "DUE", "STEP", "VISIT", "PATIENT", "STATE", "WHY"),
            (
                (r.id, local(r.due_at, house.zone), r.step, r.appointment_id, r.patient_id, r.state, r.reason)
                for r in found
            ),
            "no reminders: they come with visits, see `pumpline appointments book`",
        )


@reminders.command()
@click.option("--dry-run", is_flag=True, help="Print what would change and write nothing.")
@AS_JSON
def plan(dry_run: bool, as_json: bool) -> None:
    """Re-plan the reminders of every visit; changes nothing where nothing is wrong."""
    with opened() as house:
        report = plan_reminders(house.line, house.now, dry_run=dry_run)
    if as_json:
        echo_json(report)
        return
    for line in report.lines:
        click.echo(line)
    verb = "would be " if dry_run else ""
    click.echo(
        f"{report.visits} visits: {report.added} reminders {verb}added, {report.cancelled} {verb}cancelled, "
        f"{report.retimed} {verb}moved"
    )
