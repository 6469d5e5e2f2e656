"""Back the line up while it runs: one moment of the database, into one file that is sealed, checked, then named."""

import os
import re
from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from pathlib import Path

from sqlalchemy import Connection, text

from app.actions.audit import audit
from app.actions.errors import Refused
from app.actions.job_health import StoredHealth
from app.db.backup_file import Header, Spooled, check, write
from app.db.backup_keys import BackupKeys
from app.db.durable import sync_folder
from app.db.engine import Database
from app.db.heartbeat import BACKUP
from app.db.migrate import current
from app.db.point import Point, point_of
from app.db.row_copy import Row, counts, numbered, rows_of, snapshot, telling
from app.db.shapes import Shape, shapes
from app.db.spool import Spool

OURS = re.compile(r"pumpline-\d{8}T\d{6}Z\.age")
Told = Callable[[str, int], None]


@dataclass(frozen=True)
class Backup:
    """One that was written and read back."""

    path: Path
    header: Header
    point: Point
    rows: int
    size: int  # bytes
    gone: int  # older ones that were removed


def rows_to_back_up(db: Database) -> int:
    """Return how many rows there are. Raises Refused where there are no tables."""
    if current(db) is None:
        raise Refused("the database is empty: there is nothing to back up", "missing")
    with db.engine.connect() as connection:
        return sum(counts(connection, shapes(connection)).values())


def back_up(
    db: Database,
    spool: Spool | None,
    keys: BackupKeys,
    to: Path,
    version: str,
    now: datetime,
    told: Told = lambda _part, _rows: None,
    keep: int | None = None,
) -> Backup:
    """Write a backup into a folder, or as a file that is not there yet, and read it back before it gets its name.

    Writers go on meanwhile. Of the folder's earlier ones the newest `keep`, this one among them, stay. Raises Refused,
    OSError, BadBackup; there is no file then, and nothing older was removed.
    """
    # what is kept sealed before the snapshot may be taken in twice, never missed: a text counts once by its id
    kept = _spooled(spool)
    path = _path(to, now)
    part = path.with_name(f".{path.name}.part")
    with suppress(FileNotFoundError):
        part.unlink()  # of one that was killed in the same second
    # read back with a key of this moment: where only the writing half of the key is here, nothing else could
    reading = BackupKeys.for_once()
    try:
        with snapshot(db) as connection, open(os.open(part, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
            header = _header(db, connection, version, now, len(kept))
            everybody = keys.recipients + reading.recipients
            written = write(file, header, kept, _sections(connection, header, told), everybody)
            file.flush()
            os.fsync(file.fileno())
        seen = check(part, keys.identities[:1] or reading.identities, lambda rows: told("check", rows))
        if seen.digest != written:
            raise Refused("what was read back is not what was written: is the disk sound? Nothing was kept")
        part.rename(path)
        sync_folder(path.parent)
    finally:
        with suppress(FileNotFoundError):
            part.unlink()
    gone = _forget_older(path, keep) if keep else 0
    return Backup(path, header, Point.from_json(header.point), sum(header.rows.values()), path.stat().st_size, gone)


def record_backup(db: Database, now: datetime, rows: int, actor: str) -> None:
    """Write down that one was made, where every machine's `doctor` sees it: whoever takes one takes every record."""
    StoredHealth(db).succeeded(BACKUP, now)
    with db.begin() as session:
        audit(session, now, actor, "backup made", "installation:1", rows=rows)


def _path(to: Path, now: datetime) -> Path:
    if to.is_dir() or not to.suffix:
        to.mkdir(mode=0o700, parents=True, exist_ok=True)
        to = to / f"pumpline-{now.astimezone(UTC):%Y%m%dT%H%M%SZ}.age"
    if to.exists():
        raise Refused(f"there is a file {to} already: name another", "conflict")
    return to


def _spooled(spool: Spool | None) -> tuple[Spooled, ...]:
    found = []
    for path in spool.waiting() if spool else ():
        with suppress(FileNotFoundError):  # taken in meanwhile: then it is in the database
            found.append(Spooled(path.name, path.read_bytes()))
    return tuple(found)


def _header(db: Database, connection: Connection, version: str, now: datetime, spooled: int) -> Header:
    tables = shapes(connection)
    key_ids, no_key = _keys_needed(db, connection, tables)
    return Header(
        made_at=now.isoformat(timespec="seconds"),
        version=version,
        revision=connection.execute(text("SELECT version_num FROM alembic_version")).scalar_one(),
        database=connection.dialect.name,
        key_ids=key_ids,
        no_key=no_key,
        point=point_of(connection, now).to_json(),
        rows=counts(connection, tables),
        numbered=numbered(connection, tables),
        tables=tables,
        spooled=spooled,
    )


def _keys_needed(db: Database, connection: Connection, tables: Iterable[Shape]) -> tuple[tuple[str, ...], int]:
    """Return the names of the data keys that sealed something here, and how many values none of ours did.

    One key alone needs no search. Of several, every sealed value is tried until each was seen: an old key that seals
    nothing any more shall not be asked for when the backup is restored.
    """
    if len(db.keyring.ids) == 1:
        return db.keyring.ids, 0
    used: set[str] = set()
    no_key = 0
    for shape in tables:
        places = shape.places_of("bytes")
        for row in rows_of(connection, shape) if places else ():
            for token in (bytes(row[place]) for place in places if row[place] is not None):
                if token.startswith(b"gAAAA"):  # sealed; a passkey is bytes, too
                    name = db.keyring.sealed_with(token)
                    used |= {name} if name else set()
                    no_key += name is None
    return tuple(name for name in db.keyring.ids if name in used), no_key


def _sections(connection: Connection, header: Header, told: Told) -> Iterator[tuple[Shape, Iterator[Row]]]:
    for shape in header.tables:
        yield shape, telling(rows_of(connection, shape), partial(told, "write"))


def _forget_older(path: Path, keep: int) -> int:
    """Remove what is older than the newest `keep`, by the instant in their names; only what has such a name."""
    ours = sorted((one for one in path.parent.iterdir() if OURS.fullmatch(one.name)), reverse=True)
    older = [one for one in ours[keep:] if one != path]
    for one in older:
        one.unlink()
    return len(older)
