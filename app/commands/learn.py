"""`pumpline learn`: what nurses' labels and patients' replies teach."""

import json
import os
from collections.abc import Callable, Iterable
from dataclasses import asdict
from datetime import datetime, time
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import click
from sqlalchemy import select

from app.actions.learned import Candidates, candidates, figures
from app.commands.errors import Failed
from app.commands.house import House, opened
from app.commands.printing import AS_JSON, echo_json, echo_table
from app.db.people import Clinic
from scheduler.quiet_hours import local_instant

CLINIC: Callable[..., Any] = click.option("--clinic", "clinic_id", type=int, metavar="ID", help="Of one clinic only.")


@click.group()
def learn() -> None:
    """Show how answers fare; export labelled texts for review."""


@learn.command("figures")
@CLINIC
@AS_JSON
def figures_(clinic_id: int | None, as_json: bool) -> None:
    """Show per topic what patients and nurses say of the answer, the worst first."""
    with opened() as house:
        _zone(house, clinic_id)
        with house.db.read() as session:
            found = figures(session, clinic_id)
        if as_json:
            echo_json([asdict(row) | {"share": row.share} for row in found])
            return
        echo_table(
            ("TOPIC", "HELPED", "DID NOT", "SHARE", "LABELLED WRONG"),
            (
                (row.topic, row.helped, row.not_helped, None if row.share is None else f"{row.share:.0%}", row.wrong)
                for row in found
            ),
            "nobody has said whether an answer helped, and no answer is labelled wrong",
        )


@learn.command()
@CLINIC
@click.option("--since", type=click.DateTime(["%Y-%m-%d"]), help="Labelled on this day or later, at the clinic.")
@click.option(
    "--out", type=click.Path(dir_okay=False, path_type=Path), help="Into this file; its owner alone reads it."
)
def export(clinic_id: int | None, since: datetime | None, out: Path | None) -> None:
    """Write labelled texts without identifiers, a JSON line each, for review."""
    with opened() as house:
        zone = _zone(house, clinic_id)
        first = local_instant(since.date(), time(0), zone) if since else None
        library = house.line.words.library
        with house.db.read() as session:
            found = candidates(session, library, clinic_id, first)
    lines = (json.dumps(asdict(example), ensure_ascii=False) for example in found.examples)
    if out is None:
        for line in lines:
            click.echo(line)
    else:
        _write(out, lines)
    click.echo(_summary(found), err=True)


def _zone(house: House, clinic_id: int | None) -> ZoneInfo:
    """Return the time zone of the clinic asked for, else the first one's. Raises Failed where there is none such."""
    if clinic_id is None:
        return house.zone
    with house.db.read() as session:
        name = session.scalar(select(Clinic.time_zone).where(Clinic.id == clinic_id))
    if name is None:
        raise Failed(f"there is no clinic {clinic_id}: leave --clinic out for all")
    return ZoneInfo(name)


def _write(out: Path, lines: Iterable[str]) -> None:
    """Write the file anew, readable by its owner alone: also one that stood there and more could read."""
    with open(os.open(out, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w", encoding="utf-8") as file:
        os.fchmod(file.fileno(), 0o600)
        file.writelines(f"{line}\n" for line in lines)


def _summary(found: Candidates) -> str:
    counts = (
        (found.identifying, "left out: something in them still looks like an identifier"),
        (found.wordless, "left out: no words"),
        (found.outdated, "left out: their topic is there no more"),
        (found.repeated, "said before in the same words"),
    )
    return "; ".join([f"{len(found.examples)} written", *(f"{count} {why}" for count, why in counts if count)])
