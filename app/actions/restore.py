"""Restore a backup into an empty database: its own tables, every row compared, then brought up to this version."""

from collections.abc import Callable, Collection
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial
from pathlib import Path

from alembic.script import ScriptDirectory
from sqlalchemy import Connection, func, or_, select, update

from app.actions.empty_target import filling, prepare_tables
from app.actions.errors import Refused
from app.actions.move_database import NotEqual
from app.actions.verify_audit import Chain, verify_audit
from app.db.backup_file import Header, Spooled, check, opened
from app.db.backup_keys import BackupKeys
from app.db.care import Appointment, AppointmentState
from app.db.engine import Database
from app.db.messages import OutboundMessage
from app.db.migrate import config, migrate, newest
from app.db.people import StaffSession
from app.db.point import Point
from app.db.row_compare import Differences, compare
from app.db.row_copy import load, number_on, rows_of, telling
from app.db.work import Installation
from app.domain.delivery import DeliveryState

Told = Callable[[str, int], None]
IN_DOUBT = "restored from a backup: perhaps it was sent since"


@dataclass(frozen=True)
class Restored:
    header: Header
    point: Point
    rows: int
    in_doubt: int  # texts about which the provider is asked before they are sent
    sessions: int  # that were ended
    spool: tuple[Spooled, ...]
    audit: Chain


def read_header(path: Path, keys: BackupKeys, data_keys: Collection[str]) -> Header:
    """Return what a backup says of itself. Raises Refused where this installation could not use it, and BadBackup."""
    with opened(path, keys.identities) as reader:
        header = reader.header
    if missing := [name for name in header.key_ids if name not in data_keys]:
        raise Refused(
            f"this backup is sealed with data keys that PUMPLINE_DATA_KEYS does not hold ({', '.join(missing)}): "
            "names, numbers and texts in it could not be read by anyone; bring the keys back first"
        )
    known = {step.revision for step in ScriptDirectory.from_config(config()).walk_revisions()}
    if header.revision not in known:
        raise Refused(
            f"this backup is of Pumpline {header.version}, with tables {header.revision} that this version does not "
            f"know (it has {newest()}): restore it with that version or a newer one"
        )
    return header


def verify_backup(path: Path, keys: BackupKeys, told: Told) -> None:
    """Read all of it. Raises BadBackup."""
    check(path, keys.identities, partial(told, "read"))


def restore(
    path: Path,
    keys: BackupKeys,
    target: Database,
    now: datetime,
    told: Told = lambda _part, _rows: None,
) -> Restored:
    """Restore into an empty database.

    All rows are one transaction, kept only when each was compared with the file: what is interrupted leaves the
    target empty. In the same transaction texts that may have been sent since are marked *unknown*, so that the provider
    is asked before any is sent, and everybody is signed out. `now` is the machine's time; a simulator's clock runs
    ahead of it as the backup says. Raises Refused, BadBackup, CopyFailed, NotEqual.
    """
    header = read_header(path, keys, target.keyring.ids)
    prepare_tables(target, header.revision)
    with filling(target, header.tables) as written:
        spool = _load(path, keys, written, header, told)
        _compare(path, keys, written, told)
        ahead = written.execute(select(Installation.__table__.c.clock_ahead_seconds)).scalar() or 0
        at = now + timedelta(seconds=ahead)
        in_doubt, sessions = _doubt(written, at), _sign_everybody_out(written, at)
    migrate(target)
    told("audit", 0)
    chain = verify_audit(target)
    told("audit", 1)
    return Restored(
        header=header,
        point=Point.from_json(header.point),
        rows=sum(header.rows.values()),
        in_doubt=in_doubt,
        sessions=sessions,
        spool=spool,
        audit=chain,
    )


def _load(path: Path, keys: BackupKeys, written: Connection, header: Header, told: Told) -> tuple[Spooled, ...]:
    with opened(path, keys.identities) as reader:
        spool = tuple(reader.spool())
        for shape, rows in reader.tables():
            load(written, shape, telling(rows, partial(told, "load")))
    number_on(written, header.tables, dict(header.numbered))
    return spool


def _compare(path: Path, keys: BackupKeys, written: Connection, told: Told) -> None:
    found = Differences()
    with opened(path, keys.identities) as reader:
        reader.spool()
        for shape, rows in reader.tables():
            compare(shape, telling(rows, partial(told, "compare")), rows_of(written, shape), found)
    if found.count:
        raise NotEqual(found)


def _doubt(connection: Connection, at: datetime) -> int:
    """Mark what was owed by now, or being sent: it may have gone out after the backup was made.

    What falls due later stays queued: nobody can have sent it. Return how many there are.
    """
    messages = OutboundMessage.__table__
    owed = (messages.c.state == DeliveryState.QUEUED) & (messages.c.due_at <= at)
    marked = connection.execute(
        update(messages)
        .where(or_(owed, messages.c.state == DeliveryState.SENDING))
        .values(state=DeliveryState.UNKNOWN, state_at=at, reason=IN_DOUBT)
    )
    return int(marked.rowcount)


def _sign_everybody_out(connection: Connection, at: datetime) -> int:
    """End every session: whoever signed out since, or was sent away, must not find an open one."""
    sessions = StaffSession.__table__
    ended = connection.execute(update(sessions).where(sessions.c.ended_at.is_(None)).values(ended_at=at))
    return int(ended.rowcount)


def visits_to_settle(target: Database, now: datetime) -> int:
    """Return how many visits have passed and stand as booked: the first beat would take them for missed."""
    passed = select(func.count()).where(Appointment.state == AppointmentState.BOOKED, Appointment.starts_at <= now)
    with target.read() as session:
        return int(session.scalar(passed) or 0)
