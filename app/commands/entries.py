"""Options of a pump's program, and the program they make: what is not given runs on as it is."""

from collections.abc import Callable
from dataclasses import asdict, replace
from datetime import date
from decimal import Decimal
from typing import Any

import click

from app.actions.change_program import ProgramOutcome
from app.actions.programs import Entry
from app.actions.record_refill import RefillOutcome
from app.actions.supply import care_policy
from app.commands.errors import Failed
from app.commands.house import House
from app.commands.options import AMOUNT, AMOUNTS
from app.db.people import Patient
from app.db.pump_records import pump_record

_OPTIONS = (
    click.option("--dose", "daily_dose_mcg", type=AMOUNT, metavar="MCG", help="Daily dose."),
    click.option("--weekday-doses", "weekday_doses_mcg", type=AMOUNTS, metavar="MCG,...",
                 help="Instead of it: seven, Monday first."),
    click.option("--boluses-per-day", type=AMOUNT, metavar="N", help="Patient boluses expected a day; 0 for none."),
    click.option("--bolus", "bolus_mcg", type=AMOUNT, metavar="MCG", help="Size of one."),
    click.option("--alarm-volume", "alarm_volume_ml", type=AMOUNT, metavar="ML",
                 help="Where the low reservoir alarm sounds."),
)  # fmt: skip


def program_options(command: Callable[..., Any]) -> Callable[..., Any]:
    for option in reversed(_OPTIONS):
        command = option(command)
    return command


def entry_of(house: House, patient_id: int, day: date, given: dict[str, Any]) -> Entry | None:
    """Return the program that runs on a day with what was given in its place; None where nothing was.

    A first program takes the clinic's alarm volume unless one is given. Raises Failed where there is no such patient,
    or no pump.
    """
    said = {name: value for name, value in given.items() if value is not None}
    if {"daily_dose_mcg", "weekday_doses_mcg"} <= said.keys():
        raise click.UsageError("choose one: --dose MCG, or --weekday-doses with seven")
    runs, alarm_volume_ml = _found(house, patient_id, day)
    if not said:
        return None
    dosed = bool({"daily_dose_mcg", "weekday_doses_mcg"} & said.keys())
    if runs is not None:
        entry = replace(runs, **({"daily_dose_mcg": None, "weekday_doses_mcg": None} if dosed else {}) | said)
    elif dosed and "concentration_mcg_per_ml" in said:
        entry = Entry(**({"alarm_volume_ml": alarm_volume_ml} | said))
    else:
        raise Failed("this pump has no program on record: give concentration and dose with the refill")
    if entry.boluses_per_day and not entry.bolus_mcg:
        raise click.UsageError("--boluses-per-day needs the size of one: give --bolus MCG")
    if "bolus_mcg" in said and entry.bolus_mcg and not entry.boluses_per_day:
        raise click.UsageError("--bolus needs how many are expected a day: give --boluses-per-day N")
    return entry


def _found(house: House, patient_id: int, day: date) -> tuple[Entry | None, Decimal]:
    """Return the program that runs on a day, and the clinic's alarm volume for a first one."""
    with house.db.begin() as session:  # the first time, this writes down the clinic's defaults
        patient = session.get(Patient, patient_id)
        if patient is None:
            raise Failed(f"there is no patient {patient_id}: see `pumpline patients list`")
        record = pump_record(session, patient_id)
        if record is None:
            raise Failed("this patient has no pump on record: record it with `pumpline pumps record`")
        runs = record.program_on(day)
        return Entry.of(runs) if runs else None, care_policy(session, patient.clinic_id).alarm_volume_ml


def as_fields(outcome: RefillOutcome | ProgramOutcome) -> dict[str, Any]:
    """Return an outcome for JSON."""
    return asdict(outcome) | {"waits": outcome.waits}


def echo_waits(kind: str, because: str, entry_id: int | None, *, by_name: bool) -> None:
    """Say that a refill or program waits for a second person, or would, and how one confirms it."""
    click.echo()
    if entry_id is None:
        click.echo(f"it would wait for a second member of staff: {because}")
        return
    until = "the old dates count" if kind == "refill" else "the earlier dates count"
    click.echo(f"WAITS for a second member of staff: {because}")
    click.echo(f"until then {until}; to confirm: pumpline {kind}s confirm {entry_id} --by EMAIL")
    if not by_name:
        click.echo("it was entered without --by, so any one of the staff can confirm it: let it be somebody else")
