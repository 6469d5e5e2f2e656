"""`pumpline move-database`: from SQLite to PostgreSQL, or any way between the two, in one command."""

import time

import click
from sqlalchemy.engine import make_url

from app.actions.move_database import Moved, NotEqual, Told, move_database, refuse_running, rows_to_move
from app.commands.bars import bars
from app.commands.errors import Failed
from app.commands.house import House, opened
from app.commands.targets import other_database, shown
from app.db.engine import Database
from app.db.row_copy import CopyFailed
from app.db.spool import Spool

_LABELS = {"copy": "Copying", "compare": "Comparing row by row", "audit": "Checking the audit log"}


@click.command()
@click.option("--to", "url", metavar="URL", required=True, help="An empty database; - reads it from standard input.")
@click.option("--stopped", is_flag=True, help="I have stopped the line, every process of it.")
def move_database_command(url: str, stopped: bool) -> None:
    """Move everything to another database, SQLite or PostgreSQL.

    The target must be empty; it gets its tables here, and every row is compared. The database that the settings name
    is only read. The line must be stopped meanwhile. What is interrupted leaves the target empty: begin anew.
    """
    with opened() as house, other_database(house, url) as target:
        total = rows_to_move(house.db)
        if not stopped:
            refuse_running(house.db, house.now)
        began = time.monotonic()
        with bars(_LABELS, {"copy": total, "compare": total}) as told:
            moved = _move(house, target, told)
        click.echo(_said(moved, time.monotonic() - began))
        if moved.audit.broken:
            raise Failed(f"the audit log is broken at {moved.audit.broken}, there as it is here: rows are equal")
        click.echo(_next(house, target))


def _move(house: House, target: Database, told: Told) -> Moved:
    try:
        return move_database(house.db, target, told)
    except NotEqual as error:
        raise Failed("\n".join((*error.lines, f"{error}: the target was left empty, and nothing was moved"))) from error
    except CopyFailed as error:
        raise Failed(f"{error}: the target was left empty, and nothing was moved") from error


def _said(moved: Moved, seconds: float) -> str:
    return (
        f"moved {moved.rows:,} rows of {moved.tables} tables in {seconds:,.0f} s: all values compared and equal\n"
        f"the audit log there: {moved.audit.events:,} events in the chain, head {moved.audit.head}"
    )


def _next(house: House, target: Database) -> str:
    spooled = Spool(house.settings.instance_dir / "spool", house.db.keyring).waiting()
    secret = ", with its password" if make_url(target.url).password else ""
    lines = [
        "Nothing was changed in the old database. Now",
        f"  set PUMPLINE_DATABASE_URL={shown(target.url)}{secret}",
        "  leave PUMPLINE_DATA_KEYS, PUMPLINE_SECRET_KEY and PUMPLINE_INSTANCE_DIR as they are",
        "  run pumpline doctor, then pumpline run",
        "  keep the old database for a while, closed away: it holds every patient's record",
    ]
    if spooled:
        lines.append(f"  {len(spooled)} texts wait in the spool: they are taken in by `pumpline run`")
    return "\n".join(lines)
