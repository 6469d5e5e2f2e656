"""`pumpline drill restore`: back up, restore, compare, and leave no trace."""

import shutil
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path

import click

from app.actions.back_up import Backup, rows_to_back_up
from app.actions.empty_target import empty_again, refuse_occupied
from app.actions.open_sealed import open_some
from app.actions.restore import restore
from app.clock import system_clock
from app.commands.backup import LABELS as BACKUP_LABELS
from app.commands.backup import make
from app.commands.backups import backup_keys, megabytes, point_lines
from app.commands.bars import bars
from app.commands.errors import Failed
from app.commands.house import House, opened
from app.commands.printing import AS_JSON, echo_json
from app.commands.restore import LABELS, plainly
from app.commands.targets import other_database
from app.db.backup_keys import BackupKeys
from app.db.crypto import Keyring
from app.db.engine import Database


@dataclass(frozen=True)
class Rehearsed:
    """What a drill found. `opened`: names and texts that the data keys opened in the restored database."""

    rows: int
    bytes: int
    backup_seconds: float
    restore_seconds: float
    in_doubt: int
    audit_events: int
    audit_unsealed: int
    audit_broken: str | None
    opened: int


@click.command("restore")
@click.option(
    "--to", "url", metavar="URL", help="Into this empty database, emptied again after; - reads it from stdin."
)
@AS_JSON
def drill_restore(url: str | None, as_json: bool) -> None:
    """Back up, restore into a database for the occasion, compare every row, and clean up.

    The line may run meanwhile; nothing of it is changed. Into a SQLite file in the instance folder unless --to names
    another database. Exit 1 where the backup could not be restored.
    """
    with opened() as house:
        throwaway = house.settings.backup_key is None
        keys = BackupKeys.for_once() if throwaway else backup_keys(house.settings, to_open=True)
        folder = Path(tempfile.mkdtemp(dir=house.settings.instance_dir, prefix="drill-"))
        try:
            with _somewhere(house, url, folder) as target:
                made, found = _rehearse(house, keys, folder, target)
        finally:
            shutil.rmtree(folder)
        if as_json:
            echo_json(asdict(found))
        else:
            _tell(house, made, found)
        if throwaway:
            click.echo("PUMPLINE_BACKUP_KEY is not set: a key was made for this drill alone", err=True)
        if found.audit_broken:
            raise Failed(f"the audit log is broken at {found.audit_broken}")


@contextmanager
def _somewhere(house: House, url: str | None, folder: Path) -> Iterator[Database]:
    if url is not None:
        with other_database(house, url) as target:
            yield target
        return
    target = Database(f"sqlite:///{folder}/restored.db", Keyring(house.keys.data_keys))
    try:
        yield target
    finally:
        target.close()


def _rehearse(house: House, keys: BackupKeys, folder: Path, target: Database) -> tuple[Backup, Rehearsed]:
    refuse_occupied(target)
    total = rows_to_back_up(house.db)
    labels = {**BACKUP_LABELS, **LABELS}
    with bars(labels, dict.fromkeys(labels, total)) as told:
        began = time.monotonic()
        made = make(house, keys, folder, told)
        written = time.monotonic()
        with plainly():
            restored = restore(made.path, keys, target, system_clock(), told)
        done = time.monotonic()
    try:
        opened_values = open_some(target)
    finally:
        empty_again(target)  # of what was restored here, and nothing else: it was empty before
    found = Rehearsed(
        rows=restored.rows,
        bytes=made.size,
        backup_seconds=round(written - began, 1),
        restore_seconds=round(done - written, 1),
        in_doubt=restored.in_doubt,
        audit_events=restored.audit.events,
        audit_unsealed=restored.audit.unsealed,
        audit_broken=restored.audit.broken,
        opened=opened_values,
    )
    return made, found


def _tell(house: House, made: Backup, found: Rehearsed) -> None:
    verdict = "the audit log is broken" if found.audit_broken else "this backup restores"
    lines = (
        f"backed up   {found.rows:,} rows, {megabytes(found.bytes)}, {found.backup_seconds:,.1f} s; read back, whole",
        f"restored    {found.rows:,} rows, {found.restore_seconds:,.1f} s; all values compared and equal",
        f"audit log   {found.audit_events:,} events in the chain, {'BROKEN' if found.audit_broken else 'whole'}; "
        f"{found.audit_unsealed:,} newer ones not sealed yet",
        f"sealed      {found.opened:,} names, numbers and texts opened with the data keys",
        f"in doubt    {found.in_doubt:,} texts would be asked about before they are sent",
        *point_lines(made.header, house.zone),
        f"verdict     {verdict}; the copy was removed again",
    )
    click.echo("\n".join(lines))
