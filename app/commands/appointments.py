"""`pumpline appointments`: refill visits."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, time, timedelta

import click

from app.actions.book_appointment import book_appointment
from app.actions.cancel_appointment import cancel_appointment
from app.actions.errors import Refused
from app.actions.mark_attended import mark_attended
from app.actions.mark_missed import mark_missed
from app.actions.move_appointment import move_appointment
from app.actions.prepare import the_clinic
from app.actions.record_why import reasons_counted
from app.commands.errors import Failed
from app.commands.house import ACTOR, House, opened
from app.commands.printing import AS_JSON, LIMIT, clinic_time, cut, echo_json, echo_table, local
from app.db.care import Appointment
from app.db.listing import list_visits
from scheduler.quiet_hours import local_instant

VISIT = click.argument("visit_id", metavar="ID", type=int)
DAY = click.DateTime(["%Y-%m-%d"])
REASON = click.option("--reason", default="", metavar="WORDS", help="Why it may lie after the plan-by date.")


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
            ("ID", "AT", "PATIENT", "NAME", "STATE", "CONFIRMED", "WHY LATE", "WHY MISSED"),
            (
                (
                    v.id,
                    local(v.starts_at, house.zone),
                    v.patient_id,
                    v.patient,
                    v.state,
                    local(v.confirmed_at, house.zone),
                    v.late_reason,
                    v.missed_reason,
                )
                for v in found
            ),
            "no visits: book one with `pumpline appointments book`",
        )


@contextmanager
def _reason_asked() -> Iterator[None]:
    """Say how a reason is given, where a day after the plan-by date needs one."""
    try:
        yield
    except Refused as error:
        if error.kind != "late":
            raise
        raise Failed(f'{error} with --reason "WORDS"') from error


def _why_late(house: House, visit_id: int, reason: str) -> str:
    """Say what became of a reason that was given."""
    if not reason.strip():
        return ""
    with house.db.read() as session:
        kept = session.get_one(Appointment, visit_id).late_reason
    return f": after the plan-by date, {kept}" if kept else ": in time, so no reason is kept"


@appointments.command()
@click.option("--since", type=DAY, help="Visits on this day or later, at the clinic.")
@AS_JSON
def reasons(since: datetime | None, as_json: bool) -> None:
    """Count why visits were missed, in the patients' words."""
    with opened() as house:
        with house.db.read() as session:
            found = reasons_counted(session, the_clinic(session).id, _start_of(since, house))
        if as_json:
            echo_json(found)
            return
        echo_table(("WHY", "VISITS"), found.items(), "no reasons")


def _start_of(day: datetime | None, house: House) -> datetime | None:
    return local_instant(day.date(), time(0), house.zone).astimezone(UTC) if day else None


@appointments.command()
@click.argument("patient_id", metavar="PATIENT", type=int)
@click.argument("when")
@click.option("--key", "external_id", help="The visit's own key in another system.")
@REASON
def book(patient_id: int, when: str, external_id: str | None, reason: str) -> None:
    """Book a visit at WHEN: "2026-12-03 10:30" at the clinic, or ISO with an offset."""
    with opened() as house:
        starts_at = clinic_time(when, house.zone)
        with _reason_asked():
            visit_id = book_appointment(house.line, patient_id, starts_at, house.now, ACTOR, external_id, reason)
        click.echo(f"visit {visit_id} booked for {local(starts_at, house.zone)}{_why_late(house, visit_id, reason)}")


@appointments.command()
@VISIT
@click.argument("when")
@REASON
def move(visit_id: int, when: str, reason: str) -> None:
    """Move a visit to WHEN; its reminders follow."""
    with opened() as house:
        starts_at = clinic_time(when, house.zone)
        with _reason_asked():
            move_appointment(house.line, visit_id, starts_at, house.now, ACTOR, late_reason=reason)
        click.echo(f"visit {visit_id} moved to {local(starts_at, house.zone)}{_why_late(house, visit_id, reason)}")


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
