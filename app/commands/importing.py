"""`pumpline import`: patients from a file."""

import csv
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import click

from app.actions.import_patients import ImportReport, Watch, import_patients
from app.actions.import_rows import KINDS, Tally
from app.clock import system_clock
from app.commands.dates import work_out_dates
from app.commands.errors import Failed
from app.commands.house import ACTOR, opened
from app.integrations.csv_format import template


@click.command("import")
@click.argument("file", required=False, type=click.Path(exists=True, dir_okay=False, readable=True, path_type=Path))
@click.option("--template", is_flag=True, help="Print a file to start from, and stop.")
@click.option("--dry-run", is_flag=True, help="Check the file and write nothing.")
@click.option("--valid-only", is_flag=True, help="Import the patients without errors, and list the others.")
@click.option("--one-transaction", is_flag=True, help="Write all or nothing; texts wait until it is done.")
def import_file(file: Path | None, template: bool, dry_run: bool, valid_only: bool, one_transaction: bool) -> None:
    """Import patients, phones, pumps and visits from a CSV file.

    Every row is checked first, and nothing is written unless all are valid. Importing a file twice changes nothing.
    docs/import.md describes each column.
    """
    if template:
        _echo_template()
        return
    if file is None:
        raise click.UsageError("name a file to import, or print one to start from with --template")
    with opened() as house:
        with _bars(file) as watch:
            report = import_patients(
                house.line,
                file,
                house.now,
                valid_only=valid_only,
                dry_run=dry_run,
                one_transaction=one_transaction,
                actor=ACTOR,
                watch=watch,
            )
        _echo_errors(report)
        _echo_summary(report, dry_run)
        if report.written is not None:
            work_out_dates(house)
    if report.checked.error_count and report.written is None:
        raise Failed(
            "nothing was written: mend these rows and import again, or leave their patients out with --valid-only"
        )


def _echo_template() -> None:
    csv.writer(sys.stdout, lineterminator="\n").writerows(template(system_clock().date()))


@contextmanager
def _bars(file: Path) -> Iterator[Watch]:
    """Show how far checking and writing are, on a terminal only."""
    if not sys.stderr.isatty():
        yield Watch()
        return
    size = max(file.stat().st_size, 1)
    with click.progressbar(length=size, label="Checking", file=sys.stderr) as checking:
        rows = 0

        def written(count: int) -> None:
            nonlocal rows
            rows += count
            click.echo(f"\rWriting  {rows:,} rows", err=True, nl=False)

        def checked(count: int) -> None:
            checking.update(count)

        yield Watch(checked=checked, written=written)
    click.echo(err=True)


def _echo_errors(report: ImportReport) -> None:
    for error in report.errors:
        click.echo(str(error), err=True)
    if (more := report.checked.error_count - len(report.errors)) > 0:
        click.echo(f"and {more:,} more", err=True)


def _echo_summary(report: ImportReport, dry_run: bool) -> None:
    checked = report.checked
    click.echo(
        f"{checked.rows:,} rows: {checked.patients:,} patients, {checked.phones:,} phones, {checked.visits:,} visits; "
        f"{checked.error_count:,} errors"
    )
    if report.written is not None:
        _echo_tally(report.written)
        if checked.bad_patients:
            click.echo(f"left out: {len(checked.bad_patients):,} patients with errors")
    elif dry_run and not checked.error_count:
        click.echo("nothing was written: this was a dry run")


def _echo_tally(tally: Tally) -> None:
    for kind in KINDS:
        count = tally.of(kind)
        if count.created or count.updated or count.unchanged:
            click.echo(
                f"  {kind:9} {count.created:,} created, {count.updated:,} updated, {count.unchanged:,} unchanged"
            )
    notes = (
        (tally.reminders_planned, "reminders planned"),
        (tally.consents, "opt-ins recorded"),
        (tally.consents_left, "phones stay opted out: only their owner can change that, by texting START"),
        (tally.visits_left, "visits left as they are: attended, cancelled, in the past, or the patient is not active"),
    )
    for number, words in notes:
        if number:
            click.echo(f"  {number:,} {words}")
