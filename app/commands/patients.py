"""`pumpline patients`: who is on the line."""

import click

from app.actions.erase_patient import erase_patient
from app.actions.record_scan import check_after_scan, record_scan
from app.actions.set_patient_state import set_patient_state
from app.commands.dates import FOR_STAFF
from app.commands.errors import Failed
from app.commands.house import ACTOR, House, opened
from app.commands.options import BY, PATIENT, who
from app.commands.printing import AS_JSON, LIMIT, clinic_time, cut, echo_json, echo_table, local
from app.db.care_listing import KnownDates
from app.db.listing import PatientRecord, PumpLine, list_patients, patient_record
from app.db.people import PatientState
from app.domain.pump import in_figures


@click.group()
def patients() -> None:
    """List patients, show one, change a state, record a scan."""


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
    """Show one patient: phones, pump with its dates, visits, and steps still planned."""
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


@patients.command()
@PATIENT
@click.option(
    "--at", "when", metavar="WHEN", help='"2026-12-03 10:30" at the clinic, or ISO with an offset. [default: now]'
)
@BY
def scan(patient_id: int, when: str | None, email: str | None) -> None:
    """Record that a patient had an MRI: the patient is asked whether the pump was checked."""
    with opened() as house:
        by = who(house, email)
        scanned_at = clinic_time(when, house.zone) if when else house.now
        scan_id = record_scan(house.line, patient_id, scanned_at, house.now, by.actor, by.staff_id)
        click.echo(
            f"scan {scan_id} of {local(scanned_at, house.zone)}: the patient is asked whether the pump was checked"
        )
        click.echo(f"once it was: pumpline patients scan-checked {scan_id}")


@patients.command("scan-checked")
@click.argument("scan_id", metavar="ID", type=int)
@BY
def scan_checked(scan_id: int, email: str | None) -> None:
    """Record that the pump was checked after a scan; nobody is asked any more."""
    with opened() as house:
        check_after_scan(house.line, scan_id, house.now, who(house, email).actor)
        click.echo(f"scan {scan_id}: the pump was checked")


@patients.command()
@click.argument("patient_id", metavar="ID", type=int)
@click.option("--pump-in-use", is_flag=True, help="I know that this patient is on the line with a pump in use.")
@click.option("--yes", is_flag=True, help="Ask nothing.")
def erase(patient_id: int, pump_in_use: bool, yes: bool) -> None:
    """Erase a patient for good: names, numbers, texts. Counts, dates and the audit log stay, of nobody.

    Refused under a legal hold, with an unresolved alert, and while a pump is in use unless that is said.
    """
    with opened() as house:
        with house.db.read() as session:
            record = patient_record(session, patient_id, house.now)
        if record is None:
            raise Failed(f"there is no patient {patient_id}: see `pumpline patients list`")
        if not yes:
            click.echo(f"{record.patient.given_name} {record.patient.family_name}, record {record.patient.mrn}")
            click.confirm("Erase this record? Nothing brings it back but a backup", abort=True)
        done = erase_patient(house.line, patient_id, house.now, ACTOR, pump_in_use_is_known=pump_in_use)
    click.echo(f"patient {patient_id} is erased: {done.texts} texts, {done.phones} phones, {done.files} files")
    if done.opt_outs:
        click.echo(f"{done.opt_outs} opted out: the number's keyed hash is kept, so that it is not texted again")
    if done.shared:
        click.echo(f"{done.shared} phones are others' too: what those texted was left to them")
    click.echo("Backups hold the record until the last one made before is gone; Twilio keeps its own log.")


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
        _echo_pump(pump)
    if record.dates:
        _echo_dates(record.dates)
    click.echo()
    echo_table(
        ("VISIT", "AT", "STATE", "CONFIRMED", "WHY LATE", "WHY MISSED"),
        (
            (
                v.id,
                local(v.starts_at, house.zone),
                v.state,
                local(v.confirmed_at, house.zone),
                v.late_reason,
                v.missed_reason,
            )
            for v in record.appointments
        ),
        "no visits",
    )
    if record.steps:
        click.echo()
        echo_table(
            ("STEP", "DUE", "VISIT"),
            ((s.step, local(s.due_at, house.zone), s.appointment_id) for s in record.steps),
            "no steps",
        )


def _echo_pump(pump: PumpLine) -> None:
    out = f", out since {pump.removed_on}" if pump.removed_on else ""
    size = f"reservoir {in_figures(pump.reservoir_size_ml)} mL"
    click.echo(f"\n{pump.model}, {size}, implanted {pump.implanted_on or '-'}{out}")
    if pump.program_from:
        click.echo(
            f"  since {pump.program_from}: {pump.concentration_mcg_per_ml} mcg/mL, "
            f"{pump.daily_dose_mcg} mcg a day, alarm at {pump.alarm_volume_ml} mL"
        )
    if pump.last_filled_on:
        click.echo(f"  filled {pump.last_filled_on} with {pump.reservoir_volume_ml} mL")


def _echo_dates(dates: KnownDates) -> None:
    """Print what is known of dates, and what is wrong with the record they come from."""
    if dates.plan_by is not None:
        click.echo(f"  plan by {dates.plan_by}: {dates.plan_by_because}")
        click.echo(f"  drug left: {dates.days_left_early} days at the early edge (empty {dates.early_empty_on}), "
                   f"{dates.days_left_nominal} nominal (empty {dates.empty_on})")  # fmt: skip
        click.echo(f"  {FOR_STAFF}")
    if dates.problem:
        click.echo(f"  {'in doubt' if dates.plan_by else 'no dates'}: {dates.problem}")
    if dates.stale:
        click.echo("  dates are being worked out anew")
