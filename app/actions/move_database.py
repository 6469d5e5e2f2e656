"""Move everything to another database: copied from one moment, compared row by row, kept only if all is equal."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial

from sqlalchemy import Connection, func, select

from app.actions.empty_target import filling, prepare_tables
from app.actions.errors import Refused
from app.actions.verify_audit import Chain, verify_audit
from app.db.engine import Database
from app.db.heartbeat import BACKUP
from app.db.migrate import current, newest
from app.db.row_compare import Differences, compare
from app.db.row_copy import counts, load, number_on, numbered, rows_of, snapshot, telling
from app.db.shapes import Shape, shapes
from app.db.watch import watching
from app.db.work import JobHealth

RUNS = timedelta(minutes=3)  # a running line's jobs say once a minute that all is well
Told = Callable[[str, int], None]  # a part of the work, and by how much it went on


class NotEqual(Exception):
    """What was written is not what was read; `lines` says where, without a value. Nothing was kept."""

    def __init__(self, differences: Differences) -> None:
        super().__init__(f"{differences.count:,} rows are not equal")
        self.lines = differences.lines


@dataclass(frozen=True)
class Moved:
    rows: int
    tables: int
    audit: Chain


def rows_to_move(source: Database) -> int:
    """Return how many rows there are, for whoever shows how far it is. Raises Refused for older tables."""
    at = current(source)
    if at != newest():
        raise Refused(
            f"the database is at {at or 'nothing'}, this version needs {newest()}: run `pumpline migrate` first"
        )
    with source.engine.connect() as connection:
        return sum(counts(connection, shapes(connection)).values())


def refuse_running(source: Database, now: datetime) -> None:
    """Raise Refused where a job beat lately: what a line takes in while it is moved would be left behind."""
    with source.read() as session:
        newest_beat = session.scalar(select(func.max(JobHealth.ok_at)).where(JobHealth.name != BACKUP))
    if newest_beat is not None and abs(now - newest_beat) < RUNS:
        seconds = int(abs(now - newest_beat).total_seconds())
        raise Refused(
            f"the line seems to run, a job beat {seconds} s ago: stop it, every process of it, and say --stopped "
            f"(or wait {int(RUNS.total_seconds()) // 60} minutes)",
            "conflict",
        )


def move_database(source: Database, target: Database, told: Told = lambda _part, _rows: None) -> Moved:
    """Copy every table of ours into an empty database, which gets its tables here.

    The target is one transaction: what is interrupted leaves it empty, and is simply begun anew. The source is only
    read. Raises Refused, CopyFailed, and NotEqual where the target gave back other values than it was handed.
    """
    prepare_tables(target, newest())
    with source.engine.connect() as connection:
        wanted = shapes(connection)
        connection.rollback()
    with watching(source, wanted) as watch, snapshot(source) as read, filling(target, wanted) as written:
        total = _copy(read, written, wanted, told)
        number_on(written, wanted, numbered(read, wanted))
        _compare(read, written, wanted, told)
        if watch.changed():
            raise Refused(
                "something wrote to the database while it was copied, and the target was left empty: stop every "
                "process that uses it, then begin anew",
                "conflict",
            )
    told("audit", 0)
    chain = verify_audit(target)
    told("audit", 1)
    return Moved(total, len(wanted), chain)


def _copy(read: Connection, written: Connection, wanted: tuple[Shape, ...], told: Told) -> int:
    return sum(load(written, shape, telling(rows_of(read, shape), partial(told, "copy"))) for shape in wanted)


def _compare(read: Connection, written: Connection, wanted: tuple[Shape, ...], told: Told) -> None:
    found = Differences()
    for shape in wanted:
        compare(shape, telling(rows_of(read, shape), partial(told, "compare")), rows_of(written, shape), found)
    if found.count:
        raise NotEqual(found)
