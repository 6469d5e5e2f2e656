"""`pumpline audit`: whether the audit log is whole, and who read or changed one patient's record."""

import re
from datetime import datetime, timedelta

import click
from sqlalchemy import select

from app.actions.export_audit import export_access
from app.actions.verify_audit import verify_audit
from app.commands.errors import Failed
from app.commands.house import ACTOR, House, opened
from app.commands.printing import AS_JSON, echo_json, echo_table, local
from app.db.audit_log import Line
from app.db.people import Patient
from app.domain.audit_words import about, did, who
from app.domain.csv_out import csv_text

LATE = timedelta(minutes=15)  # sealing follows within seconds while Pumpline runs


@click.group()
def audit() -> None:
    """Check the audit log; report who read or changed a record."""


@audit.command()
@click.option("--head", metavar="HASH", help="A head hash noted earlier: check that it is still in the chain.")
@AS_JSON
def verify(head: str | None, as_json: bool) -> None:
    """Compute the whole chain anew. Exit 1 where an event was changed, taken out or cut off."""
    if head is not None and not re.fullmatch(r"[0-9a-f]{64}", head := head.strip().lower()):
        raise click.UsageError("a head hash has 64 characters, 0-9 and a-f: copy it whole")
    with opened() as house:
        chain = verify_audit(house.db, head)
        if as_json:
            echo_json(chain)
        else:
            click.echo(f"{chain.events} events in the chain, {_days(house, chain.first_at, chain.last_at)}")
            click.echo(f"head {chain.head}")
            if chain.unsealed:
                late = chain.unsealed_since is not None and house.now - chain.unsealed_since > LATE
                hint = ": `pumpline run` seals them, and does not seem to run" if late else ""
                click.echo(f"{chain.unsealed} newer events not sealed yet{hint}")
        if chain.broken:
            raise Failed(f"the chain is broken at {chain.broken}")
        if not chain.has_head:
            raise Failed("that head is not in the chain: its end was cut off, or it was written anew")


def _days(house: House, first: datetime | None, last: datetime | None) -> str:
    return f"{local(first, house.zone)} to {local(last, house.zone)}" if first and last else "none sealed yet"


@audit.command()
@click.option("--patient", "mrn", metavar="MRN", required=True, help="The clinic's own record number.")
@click.option("--csv", "as_csv", is_flag=True, help="Print CSV, for a spreadsheet; times are UTC.")
@AS_JSON
def report(mrn: str, as_csv: bool, as_json: bool) -> None:
    """Who read or changed one patient's record, newest first. That it was asked for is recorded too."""
    with opened() as house:
        with house.db.read() as session:
            found = session.scalars(select(Patient.id).where(Patient.mrn_hash == house.db.hash_of(mrn.strip()))).all()
        if not found:
            raise Failed("no patient has that record number: see `pumpline patients list`")
        if len(found) > 1:
            raise Failed("several clinics have a patient with that record number: use the staff pages of the clinic")
        lines = export_access(house.db, found[0], ACTOR, house.now)
        if as_json:
            echo_json(lines)
        elif as_csv:
            click.echo(csv_text(("event", "when (UTC)", "who", "what", "about"), map(_cells, lines)), nl=False)
        else:
            rows = ((local(one.at, house.zone), *_cells(one)[2:]) for one in lines)
            echo_table(("WHEN", "WHO", "WHAT", "ABOUT"), rows, "nobody has read or changed this record", longest=80)


def _cells(line: Line) -> tuple[object, ...]:
    return line.id, line.at.isoformat(), who(line.actor, line.who), did(line.verb, line.detail), about(line.subject)
