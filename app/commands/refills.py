"""`pumpline refills`: who is due, and what was filled. Dates are for staff, never texted."""

from dataclasses import asdict, fields
from datetime import date
from decimal import Decimal
from typing import Any

import click

from app.actions.confirm_entry import confirm_refill, decline_refill
from app.actions.prepare import the_clinic
from app.actions.record_refill import RefillEntry, RefillOutcome, preview_refill, record_refill
from app.actions.supply import care_policy
from app.commands.dates import FOR_STAFF, echo_patient_dates, echo_side_by_side
from app.commands.entries import as_fields, echo_waits, entry_of, program_options
from app.commands.house import House, opened
from app.commands.options import AMOUNT, BY, BY_SECOND, DAY, DRY_RUN, PATIENT, staff_of, today_of, who
from app.commands.printing import AS_JSON, LIMIT, cut, echo_json, echo_table, local
from app.db.care import Pump, Refill
from app.db.care_listing import entries_waiting
from app.db.supply import CarePolicy
from app.db.worklist import DueRow, DueVisit, refills_due
from app.domain.pump import in_figures

REFILL = click.argument("refill_id", metavar="ID", type=int)


@click.group()
def refills() -> None:
    """Show who is due for a refill; record, confirm or decline one."""


@refills.command()
@click.option("--days", type=click.IntRange(min=0), metavar="N", help="Plan-by date at most so many days away.")
@click.option("--all", "everybody", is_flag=True, help="Everybody, however far off.")
@LIMIT
@AS_JSON
def due(days: int | None, everybody: bool, limit: int, as_json: bool) -> None:
    """List patients by days of drug left, the fewest first.

    Those whose plan-by date is near or passed, whose dates are not known, or about whom a task is open. Without --days,
    near is when the clinic asks to book.
    """
    if everybody and days is not None:
        raise click.UsageError("choose one: --days N, or --all")
    with opened() as house:
        with house.db.begin() as session:  # the first time, this writes down the clinic's defaults
            clinic_id = the_clinic(session).id
            within = _within(care_policy(session, clinic_id), days)
        with house.db.read() as session:
            found = refills_due(session, clinic_id, house.now, house.zone, None if everybody else within)
        shown = cut(list(found), limit)
        if as_json:
            echo_json([_fields(row) for row in shown])
            return
        echo_table(
            ("PATIENT", "NAME", "LEFT EARLY", "NOMINAL", "PLAN BY", "NEXT VISIT", "TASK", "WHO HAS IT", "NOTE"),
            (_cells(row, house) for row in shown),
            "nobody is on the line yet" if everybody else f"nobody is due within {within} days: --all lists everybody",
        )
        if shown:
            click.echo(f"\nDays of drug left: early edge first. {FOR_STAFF}")


def _fields(row: DueRow) -> dict[str, Any]:
    """Return a row for JSON, with the names opened."""
    names = {"patient_id": row.patient_id, "given_name": row.given_name, "family_name": row.family_name, "mrn": row.mrn}
    rest = {field.name: getattr(row, field.name) for field in fields(row) if field.name not in ("patient_id", "sealed")}
    tasks = {"tasks": [asdict(task) for task in row.tasks]}
    return names | rest | {"visit": asdict(row.visit) if row.visit else None} | tasks


def _within(policy: CarePolicy, days: int | None) -> int:
    """A clinic that never asks to book is shown as far ahead as others."""
    if days is not None:
        return days
    default: Any = CarePolicy.__table__.columns.ask_to_book_days.default
    return policy.ask_to_book_days or int(default.arg)


def _cells(row: DueRow, house: House) -> tuple[Any, ...]:
    return (
        row.patient_id,
        f"{row.given_name} {row.family_name}",
        "?" if row.days_left_early is None else row.days_left_early,
        "?" if row.days_left_nominal is None else row.days_left_nominal,
        _plan_by(row, today_of(house)),
        _visit(row.visit, house) if row.visit else ("none, and one was missed" if row.missed else "none"),
        _task(row),
        (row.tasks[0].who or "nobody") if row.tasks else None,
        _note(row),
    )


def _plan_by(row: DueRow, today: date) -> str:
    if row.plan_by is None:
        return "?"
    return f"{row.plan_by}, passed" if row.plan_by < today else f"{row.plan_by}"


def _visit(visit: DueVisit, house: House) -> str:
    said = f"{local(visit.starts_at, house.zone)}{', confirmed' if visit.confirmed_at else ''}"
    if not visit.days_late:
        return said
    return f"{said}, {_days(visit.days_late)} late: {visit.late_reason or 'nobody said why'}"


def _task(row: DueRow) -> str | None:
    if not row.tasks:
        return None
    more = len(row.tasks) - 1
    return f"{row.tasks[0].id} {row.tasks[0].kind.replace('_', ' ')}{f', {more} more' if more else ''}"


def _note(row: DueRow) -> str:
    notes = (
        (row.seen_on, f"seen {row.seen_on}: record the volumes"),
        (row.problem, row.problem),
        (row.stale, "dates are being worked out anew"),
        (row.state != "active", row.state),
    )
    return "; ".join(str(words) for holds, words in notes if holds)


def _days(count: int) -> str:
    return f"{count} day" if count == 1 else f"{count} days"


@refills.command()
@PATIENT
@click.option("--filled-on", type=DAY, metavar="DATE", help="Day of the refill. [default: today]")
@click.option("--volume", type=AMOUNT, metavar="ML", required=True, help="Reservoir volume after the refill.")
@click.option("--aspirated", type=AMOUNT, metavar="ML", help="Volume taken out before.")
@click.option("--concentration", "concentration_mcg_per_ml", type=AMOUNT, metavar="MCG/ML", help="Drug in the liquid.")
@program_options
@click.option("--drug", metavar="NAME", help="baclofen, unless another was recorded.")
@click.option("--confirm-concentration", is_flag=True, help="The label was checked: this concentration is right.")
@BY
@DRY_RUN
@AS_JSON
def record(
    patient_id: int,
    filled_on: date | None,
    volume: Decimal,
    aspirated: Decimal | None,
    confirm_concentration: bool,
    email: str | None,
    dry_run: bool,
    as_json: bool,
    **program: Any,
) -> None:
    """Record a refill; what is not given of the program runs on as it is.

    Prints old and new dates. A jump of dose or concentration waits until a second member of staff confirms it.
    """
    with opened() as house:
        by = who(house, email)
        day = filled_on or today_of(house)
        entry = RefillEntry(day, volume, aspirated, entry_of(house, patient_id, day, program), confirm_concentration)
        if dry_run:
            outcome = preview_refill(house.line, patient_id, entry, house.now)
        else:
            outcome = record_refill(house.line, patient_id, entry, house.now, by.actor, by.staff_id)
        if as_json:
            echo_json(as_fields(outcome))
            return
        _echo_outcome(outcome, entry, house, by_name=by.staff_id is not None)


def _echo_outcome(outcome: RefillOutcome, entry: RefillEntry, house: House, *, by_name: bool) -> None:
    said = f"{in_figures(entry.reservoir_volume_ml)} mL on {entry.filled_on}"
    dry_run = outcome.refill_id is None
    click.echo(f"{said}: nothing was written, this is a dry run" if dry_run else f"refill {outcome.refill_id}: {said}")
    if outcome.aspirate:
        click.echo(outcome.aspirate.finding)
    elif entry.aspirated_ml is not None:
        click.echo(f"{in_figures(entry.aspirated_ml)} mL aspirated; no refill before it says how much to expect")
    click.echo()
    echo_side_by_side(outcome.old, outcome.new, today_of(house))
    if outcome.second_person_because:
        echo_waits("refill", outcome.second_person_because, outcome.refill_id, by_name=by_name)


@refills.command()
@REFILL
@BY_SECOND
def confirm(refill_id: int, email: str) -> None:
    """Confirm a refill that waits, as the second member of staff; its dates count from then on."""
    with opened() as house:
        confirm_refill(house.line, refill_id, house.now, staff_of(house, email))
        click.echo(f"refill {refill_id} confirmed")
        echo_patient_dates(house, _patient_of(house, refill_id))


@refills.command()
@REFILL
@BY_SECOND
def decline(refill_id: int, email: str) -> None:
    """Decline a refill that waits; what was before counts on."""
    with opened() as house:
        decline_refill(house.line, refill_id, house.now, staff_of(house, email))
        click.echo(f"refill {refill_id} declined: what was before counts on")
        echo_patient_dates(house, _patient_of(house, refill_id))


def _patient_of(house: House, refill_id: int) -> int:
    with house.db.read() as session:
        return session.get_one(Pump, session.get_one(Refill, refill_id).pump_id).patient_id


@refills.command()
@AS_JSON
def waiting(as_json: bool) -> None:
    """List refills and programs that wait for a second member of staff."""
    with opened() as house:
        with house.db.read() as session:
            found = entries_waiting(session)
        if as_json:
            echo_json(found)
            return
        if not found:
            click.echo("nothing waits for a second member of staff", err=True)
        for entry in found:
            click.echo(f"{entry.kind} {entry.id}, from {entry.on}: {entry.patient}, patient {entry.patient_id}")
            click.echo(f"  {entry.reason}")
            click.echo(
                f"  entered {local(entry.entered_at, house.zone)} by {entry.entered_by or 'command, no name given'}"
            )
            click.echo(f"  `pumpline {entry.kind}s confirm {entry.id} --by EMAIL`, or decline")
