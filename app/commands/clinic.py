"""`pumpline clinic`: how the clinic is known and reached."""

from datetime import datetime
from typing import Any

import click

from app.actions.change_clinic import ClinicChange, change_clinic
from app.actions.plan_reminders import plan_reminders
from app.actions.prepare import the_clinic
from app.commands.care import care, set_care
from app.commands.house import ACTOR, opened
from app.commands.options import Checked, phone_or_nothing
from app.commands.printing import AS_JSON, echo_json
from app.setting_rules import checked_clinic_name, checked_emergency_number, checked_phone, checked_time_zone

HOUR = click.DateTime(["%H:%M"])


def _days(value: str) -> list[int]:
    try:
        return sorted({int(day) for day in value.split(",")}, reverse=True)
    except ValueError:
        raise ValueError("write days before the visit like 14,7,2,1") from None


@click.group()
def clinic() -> None:
    """Show the clinic, or change its phones, name, hours and limits."""


@clinic.command()
@AS_JSON
def show(as_json: bool) -> None:
    """Show the clinic as patients and the scheduler know it."""
    with opened() as house, house.db.read() as session:
        found = the_clinic(session)
        facts = {
            "name": found.name,
            "phone": found.phone,
            "after_hours_phone": found.after_hours_phone,
            "on_call_phone": found.on_call_phone,
            "emergency_number": found.emergency_number,
            "time_zone": found.time_zone,
            "sender": found.sender,
            "ladder_days": found.ladder_days,
            "remind_at": f"{found.remind_at:%H:%M}",
            "texts_from": f"{found.texts_from:%H:%M}",
            "texts_until": f"{found.texts_until:%H:%M}",
            "missed_after_minutes": found.missed_after_minutes,
        }
    if as_json:
        echo_json(facts)
        return
    for name, value in facts.items():
        click.echo(f"{name.replace('_', ' '):22} {value if value not in (None, '') else 'none'}")


@clinic.command("set")
@click.option("--name", type=Checked(checked_clinic_name), help="As patients read it, at most 40 characters.")
@click.option("--phone", type=Checked(checked_phone), help="For patients, in opening hours.")
@click.option("--after-hours-phone", type=Checked(checked_phone), help="For patients, when closed.")
@click.option("--on-call-phone", type=Checked(phone_or_nothing), help='Paged about urgent texts; "" for none.')
@click.option("--emergency-number", type=Checked(checked_emergency_number), help="911, 112, 999 ...")
@click.option("--time-zone", type=Checked(checked_time_zone), help="Like America/New_York.")
@click.option("--ladder-days", type=Checked(_days), help="Reminders: days before a visit, like 14,7,2,1.")
@click.option("--remind-at", type=HOUR, help="Reminders: hour of the day for the patient, like 10:00.")
@click.option("--texts-from", type=HOUR, help="No routine text before this hour, like 08:00.")
@click.option("--texts-until", type=HOUR, help="No routine text from this hour on, like 21:00.")
@click.option("--missed-after-minutes", type=click.IntRange(0, 24 * 60), help="When a visit counts as missed.")
def set_(**chosen: Any) -> None:
    """Change what is named, and nothing else."""
    given: dict[str, Any] = {name: _plain(value) for name, value in chosen.items() if value is not None}
    if not given:
        raise click.UsageError("name at least one thing to change: see `pumpline clinic set --help`")
    with opened() as house:
        changed = change_clinic(house.line, ClinicChange(**given), house.now, ACTOR)
        click.echo(f"changed: {', '.join(changed).replace('_', ' ')}" if changed else "nothing to change")
        if {"ladder_days", "remind_at", "texts_from", "texts_until"} & set(changed):
            report = plan_reminders(house.line, house.now)
            click.echo(f"reminders: {report.added} added, {report.cancelled} cancelled, {report.retimed} moved")


def _plain(value: Any) -> Any:
    return value.time() if isinstance(value, datetime) else value


clinic.add_command(care)
clinic.add_command(set_care)
