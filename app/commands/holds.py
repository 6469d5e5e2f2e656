"""`pumpline holds`: legal holds, which stop all erasing."""

from typing import Any

import click
from sqlalchemy import select

from app.actions.legal_hold import lift_hold, place_hold
from app.actions.prepare import the_clinic
from app.commands.errors import Failed
from app.commands.house import ACTOR, House, opened
from app.commands.printing import AS_JSON, echo_json, echo_table, local
from app.db.people import Patient
from app.db.retention import LegalHold


@click.group()
def holds() -> None:
    """Hold records for a court or an inquiry: nothing of them is erased."""


@holds.command("list")
@AS_JSON
def list_(as_json: bool) -> None:
    """List the holds that stand. Reasons are shown as they were typed."""
    with opened() as house:
        with house.db.read() as session:
            standing = select(LegalHold).where(LegalHold.lifted_at.is_(None)).order_by(LegalHold.id)
            rows: list[dict[str, Any]] = [
                {"id": h.id, "clinic": h.clinic_id, "patient": h.patient_id, "since": h.placed_at, "reason": h.reason}
                for h in session.scalars(standing)
            ]
        if as_json:
            echo_json(rows)
            return
        echo_table(
            ("ID", "CLINIC", "PATIENT", "SINCE", "WHY"),
            ((r["id"], r["clinic"], r["patient"] or "all", local(r["since"], house.zone), r["reason"]) for r in rows),
            "nothing is held",
        )


@holds.command()
@click.argument("patient_id", metavar="[PATIENT]", type=int, required=False)
@click.option("--clinic", is_flag=True, help="Everything of the whole clinic.")
@click.option("--reason", required=True, help="Why, as whoever lifts it must know.")
def place(patient_id: int | None, clinic: bool, reason: str) -> None:
    """Hold one patient's record, or with --clinic everything."""
    if clinic == (patient_id is not None):
        raise click.UsageError("name one patient, or say --clinic")
    with opened() as house:
        hold_id = place_hold(house.line, _clinic_of(house, patient_id), patient_id, reason, house.now, ACTOR)
    click.echo(f"hold {hold_id}: nothing of {'the clinic' if clinic else f'patient {patient_id}'} is erased")


@holds.command()
@click.argument("hold_id", metavar="ID", type=int)
def lift(hold_id: int) -> None:
    """Lift a hold: the record can be erased again."""
    with opened() as house:
        lift_hold(house.line, hold_id, house.now, ACTOR)
    click.echo(f"hold {hold_id} is lifted")


def _clinic_of(house: House, patient_id: int | None) -> int:
    with house.db.read() as session:
        if patient_id is None:
            return the_clinic(session).id
        found = session.scalar(select(Patient.clinic_id).where(Patient.id == patient_id))
    if found is None:
        raise Failed(f"there is no patient {patient_id}: see `pumpline patients list`")
    return found
