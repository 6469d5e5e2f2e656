"""`pumpline appointments`: refill visits."""

from datetime import UTC, datetime, time, timedelta

import click

from app.actions.book_appointment import book_appointment
from app.actions.cancel_appointment import cancel_appointment
from app.actions.mark_attended import mark_attended
from app.actions.mark_missed import mark_missed
from app.actions.move_appointment import move_appointment
from app.commands.house import ACTOR, House, opened
from app.commands.printing import AS_JSON, LIMIT, clinic_time, cut, echo_json, echo_table, local
from app.db.listing import list_visits
from scheduler.quiet_hours import local_instant

VISIT = click.argument("visit_id", metavar="ID", type=int)
DAY = click.DateTime(["%Y-%m-%d"])


@click.group()
def appointments() -> None:
    """List, book, move and settle refill visits."""


@appointments.command("list")
@click.option("--from", "since", type=DAY, help="First day, at the clinic.")
@click.option("--to", "until", type=DAY, help="Last day, at the clinic.")
@click.option("--patient", "patient_id", type=int, metavar="ID", help="Of this patient only.")
@LIMIT
@AS_JSON
def list_(since: datetime | None, until: datetime | None, patient_id: int | None, limit: int, as_json: bool) -> None:
    """List visits, earliest first."""
    with opened() as house:
        with house.db.read() as session:
            found = list_visits(
                session,
                since=_start_of(since, house),
                before=_start_of(until + timedelta(days=1) if until else None, house),
                patient_id=patient_id,
                limit=limit and limit + 1,
            )
        found = cut(found, limit)
        if as_json:
            echo_json(found)
            return
        echo_table(
            ("ID", "AT", "PATIENT", "NAME", "STATE", "CONFIRMED"),
            (
                (
                    v.id,
                    local(v.starts_at, house.zone),
                    v.patient_id,
                    v.patient,
                    v.state,
                    local(v.confirmed_at, house.zone),
                )
                for v in found
            ),
            "no visits: book one with `pumpline appointments book`",
        )


def _start_of(day: datetime | None, house: House) -> datetime | None:
    return local_instant(day.date(), time(0), house.zone).astimezone(UTC) if day else None


@appointments.command()
@click.argument("patient_id", metavar="PATIENT", type=int)
@click.argument("when")
@click.option("--key", "external_id", help="The visit's own key in another system.")
def book(patient_id: int, when: str, external_id: str | None) -> None:
    """Book a visit at WHEN: "2026-12-03 10:30" at the clinic, or ISO with an offset."""
    with opened() as house:
        starts_at = clinic_time(when, house.zone)
        visit_id = book_appointment(house.line, patient_id, starts_at, house.now, ACTOR, external_id)
        click.echo(f"visit {visit_id} booked for {local(starts_at, house.zone)}")


@appointments.command()
@VISIT
@click.argument("when")
def move(visit_id: int, when: str) -> None:
    """Move a visit to WHEN; its reminders follow."""
    with opened() as house:
        starts_at = clinic_time(when, house.zone)
        move_appointment(house.line, visit_id, starts_at, house.now, ACTOR)
        click.echo(f"visit {visit_id} moved to {local(starts_at, house.zone)}")


@appointments.command()
@VISIT
def cancel(visit_id: int) -> None:
    """Cancel a visit; its reminders stop."""
    with opened() as house:
        cancel_appointment(house.line, visit_id, house.now, ACTOR)
        click.echo(f"visit {visit_id} cancelled: nothing more is sent about it")


@appointments.command()
@VISIT
def attended(visit_id: int) -> None:
    """Mark a visit as attended; everything pending about it stops."""
    with opened() as house:
        mark_attended(house.line, visit_id, house.now, ACTOR)
        click.echo(f"visit {visit_id} attended: nothing more is sent about it")


@appointments.command()
@VISIT
def missed(visit_id: int) -> None:
    """Mark a visit as missed; the patient is texted what to do, and a nurse is told."""
    with opened() as house:
        mark_missed(house.line, visit_id, house.now, ACTOR)
        click.echo(f"visit {visit_id} missed: the guidance is texted and a nurse task is open")
