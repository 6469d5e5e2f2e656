"""`pumpline backup`: one sealed file, while the line runs."""

import errno
import time
from contextlib import suppress
from dataclasses import asdict
from pathlib import Path

import click
from sqlalchemy.exc import SQLAlchemyError

from app.actions.back_up import Backup, Told, back_up, record_backup, rows_to_back_up
from app.actions.job_health import StoredHealth
from app.commands.backups import backup_keys, megabytes, our_version, point_lines
from app.commands.bars import bars
from app.commands.errors import Failed
from app.commands.house import ACTOR, House, opened
from app.commands.printing import AS_JSON, echo_json
from app.db.backup_file import BadBackup
from app.db.backup_keys import BackupKeys
from app.db.heartbeat import BACKUP
from app.db.row_copy import CopyFailed
from app.db.spool import Spool

LABELS = {"write": "Writing", "check": "Reading it back"}


@click.command()
@click.option("--to", type=click.Path(path_type=Path), help="A folder, or a file; PUMPLINE_BACKUP_DIR otherwise.")
@click.option("--keep", type=click.IntRange(min=1), help="Then remove older ones in that folder, beyond the newest N.")
@AS_JSON
def backup(to: Path | None, keep: int | None, as_json: bool) -> None:
    """Back up the line while it runs: one sealed file, read back at once.

    Holds every table and what waits in the spool, as of one moment; not the data keys. Sealed for PUMPLINE_BACKUP_KEY.
    The file gets its name only when it was read back and is whole.
    """
    with opened() as house:
        keys = backup_keys(house.settings)
        began = time.monotonic()
        total = rows_to_back_up(house.db)
        with bars(LABELS, {"write": total, "check": total}) as told:
            made = make(house, keys, to or house.settings.backup_dir, told, keep)
        record_backup(house.db, house.now, made.rows, ACTOR)
        if as_json:
            echo_json({"path": str(made.path), "bytes": made.size, "rows": made.rows, "point": asdict(made.point)})
            return
        seconds = time.monotonic() - began
        click.echo(f"{made.path}\n{megabytes(made.size)} in {seconds:,.0f} s, read back and whole")
        click.echo("\n".join(point_lines(made.header, house.zone)))
        if made.gone:
            click.echo(f"removed {made.gone} older")
        if made.header.no_key:
            click.echo(
                f"{made.header.no_key:,} sealed values are opened by none of the data keys: see doctor", err=True
            )


def make(house: House, keys: BackupKeys, to: Path, told: Told, keep: int | None = None) -> Backup:
    """Make one. Raises Failed, with what to do, after writing down that it failed."""
    spool = Spool(house.settings.instance_dir / "spool", house.db.keyring)
    try:
        return back_up(house.db, spool, keys, to, our_version(), house.now, told, keep)
    except (OSError, CopyFailed, BadBackup) as error:
        with suppress(SQLAlchemyError):  # the database may lie on the same full disk: doctor sees that none was made
            StoredHealth(house.db).failed(BACKUP, type(error).__name__, house.now)
        raise Failed(f"no backup was made: {_why(error)}") from error


def _why(error: Exception) -> str:
    if isinstance(error, OSError):
        full = error.errno in (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)
        remedy = "make room, or name another folder with --to" if full else "may this user write there?"
        return f"{error.strerror or type(error).__name__}; {remedy}. Earlier backups are untouched"
    return str(error)
