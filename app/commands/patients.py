"""`pumpline patients`: who is on the line."""

import click

from app.actions.set_patient_state import set_patient_state
from app.commands.errors import Failed
from app.commands.house import ACTOR, House, opened
from app.commands.printing import AS_JSON, LIMIT, cut, echo_json, echo_table, local
from app.db.listing import PatientRecord, list_patients, patient_record
from app.db.people import PatientState


@click.group()
def patients() -> None:
    """List patients, show one, or change a patient's state."""


@patients.command("list")
@LIMIT
@AS_JSON
def list_(limit: int, as_json: bool) -> None:
    """List patients with their next visit."""
    with opened() as house:
        with house.db.read() as session:
            found = cut(list_patients(session, house.now, limit and limit + 1), limit)
        if as_json:
            echo_json(found)
            return
        echo_table(
            ("ID", "NAME", "STATE", "LANGUAGE", "NEXT VISIT"),
            (
                (p.id, f"{p.given_name} {p.family_name}", p.state, p.language, local(p.next_visit_at, house.zone))
                for p in found
            ),
            "no patients yet: import some, see `pumpline import --template`",
        )


@patients.command()
@click.argument("patient_id", metavar="ID", type=int)
@AS_JSON
def show(patient_id: int, as_json: bool) -> None:
    """Show one patient: phones, pump and visits."""
    with opened() as house:
        with house.db.read() as session:
            record = patient_record(session, patient_id, house.now)
        if record is None:
            raise Failed(f"there is no patient {patient_id}: see `pumpline patients list`")
        if as_json:
            echo_json(record)
        else:
            _echo_record(record, house)


@patients.command()
@click.argument("patient_id", metavar="ID", type=int)
@click.argument("new_state", metavar="STATE", type=click.Choice([state.value for state in PatientState]))
def state(patient_id: int, new_state: str) -> None:
    """Set a patient active, paused, left or deceased.

    Only an active patient is reminded: any other state stops what is planned and queued, and active plans it again.
    """
    with opened() as house:
        set_patient_state(house.line, patient_id, PatientState(new_state), house.now, ACTOR)
    click.echo(f"patient {patient_id} is {new_state}")


def _echo_record(record: PatientRecord, house: House) -> None:
    patient = record.patient
    click.echo(f"{patient.given_name} {patient.family_name}, record {patient.mrn}, {patient.state}")
    click.echo(f"born {record.born_on or '-'}, reads {patient.language}, lives in {patient.time_zone}")
    click.echo(f"next visit {local(patient.next_visit_at, house.zone)}\n")
    echo_table(
        ("PHONE", "OF", "NAME", "REMINDERS", "OPTED OUT"),
        (
            (c.number, c.kind, c.name, "yes" if c.gets_reminders else "no", local(c.opted_out_at, house.zone))
            for c in record.contacts
        ),
        "no phones",
    )
    for pump in record.pumps:
        click.echo(f"\n{pump.model}, reservoir {pump.reservoir_size_ml} mL, implanted {pump.implanted_on or '-'}")
        if pump.program_from:
            click.echo(
                f"  since {pump.program_from}: {pump.concentration_mcg_per_ml} mcg/mL, "
                f"{pump.daily_dose_mcg} mcg a day, alarm at {pump.alarm_volume_ml} mL"
            )
        if pump.last_filled_on:
            click.echo(f"  filled {pump.last_filled_on} with {pump.reservoir_volume_ml} mL")
    click.echo()
    echo_table(
        ("VISIT", "AT", "STATE", "CONFIRMED"),
        (
            (v.id, local(v.starts_at, house.zone), v.state, local(v.confirmed_at, house.zone))
            for v in record.appointments
        ),
        "no visits",
    )
