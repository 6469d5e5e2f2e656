"""`pumpline steps`: what is owed beside reminders, as drug, battery or time run out."""

import click

from app.commands.house import opened
from app.commands.printing import AS_JSON, LIMIT, cut, echo_json, echo_table, local
from app.db.care_listing import list_steps


@click.group()
def steps() -> None:
    """List the steps owed because of pumps, visits and scans."""


@steps.command("list")
@click.option("--patient", "patient_id", type=int, metavar="ID", help="Of this patient only.")
@LIMIT
@AS_JSON
def list_(patient_id: int | None, limit: int, as_json: bool) -> None:
    """List steps by when they fall due, with what became of them."""
    with opened() as house:
        with house.db.read() as session:
            found = cut(list_steps(session, patient_id=patient_id, limit=limit and limit + 1), limit)
        if as_json:
            echo_json(found)
            return
        echo_table(
            ("ID", "DUE", "STEP", "VISIT", "PATIENT", "STATE", "WHY"),
            (
                (s.id, local(s.due_at, house.zone), s.step, s.appointment_id, s.patient_id, s.state, s.reason)
                for s in found
            ),
            "no steps: they come with refills, visits, scans and batteries, see `pumpline refills record`",
        )
