"""`pumpline restore`: a backup into an empty database, or only checked."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import click
from sqlalchemy import select

from app.actions.move_database import NotEqual
from app.actions.replay_lost_time import Replayed, replay_lost_time
from app.actions.restore import Restored, read_header, restore, verify_backup, visits_to_settle
from app.clock import system_clock
from app.commands.backups import backup_keys, point_lines
from app.commands.bars import bars
from app.commands.errors import Failed
from app.commands.house import ACTOR, open_database
from app.commands.targets import read_url, shown
from app.db.backup_file import BadBackup
from app.db.engine import Database
from app.db.people import Clinic
from app.db.row_copy import CopyFailed
from app.keys import Keys, keys_for
from app.settings import Settings, load_settings

LABELS = {"read": "Reading", "load": "Restoring", "compare": "Comparing row by row", "audit": "Checking the audit log"}
CAUGHT_UP = timedelta(hours=24)  # so far back the provider is asked for texts that never came
_LEFT_EMPTY = "the database was left empty, and nothing was restored"


@click.command()
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--to", "url", metavar="URL", help="Instead of PUMPLINE_DATABASE_URL; - reads it from standard input.")
@click.option("--verify", is_flag=True, help="Read the file to its end, and restore nothing.")
def restore_command(file: Path, url: str | None, verify: bool) -> None:
    """Restore a backup into an empty database, or check one.

    Needs PUMPLINE_BACKUP_KEY and the data keys of then. Every row is compared with the file; whatever goes wrong leaves
    the database empty. Start nothing on it before you have read what is printed at the end.
    """
    settings = load_settings()
    keys, backup = keys_for(settings), backup_keys(settings, to_open=True)
    if url is not None:
        settings = load_settings(database_url=read_url(url))
    target = open_database(settings, keys)
    began = time.monotonic()
    try:
        with plainly("it cannot be restored" if verify else _LEFT_EMPTY):
            header = read_header(file, backup, target.keyring.ids)
            total = sum(header.rows.values())
            with bars(LABELS, {"read": total, "load": total, "compare": total}) as told:
                if verify:
                    verify_backup(file, backup, told)
                else:
                    restored = restore(file, backup, target, system_clock(), told)
        if verify:
            click.echo("\n".join((f"{file} is whole", *point_lines(header))))
        else:
            _go_on(settings, keys, target, restored, began)
    finally:
        target.close()


@contextmanager
def plainly(left: str = _LEFT_EMPTY) -> Iterator[None]:
    """Say in plain words why a backup was not restored, and what was `left`."""
    try:
        yield
    except NotEqual as error:
        raise Failed("\n".join((*error.lines, f"{error}: {left}"))) from error
    except (BadBackup, CopyFailed) as error:
        raise Failed(f"{error}; {left}") from error
    except OSError as error:
        raise Failed(f"the file cannot be read ({error.strerror or type(error).__name__}); {left}") from error


def _go_on(settings: Settings, keys: Keys, target: Database, restored: Restored, began: float) -> None:
    """After the rows: what fell due since then, what waited in the spool, and what to do about the time between."""
    from app.wiring import clock_for, line_for

    line = line_for(settings, keys)
    try:
        now = clock_for(settings, line.db)()
        replayed = replay_lost_time(line, restored.point.at, now, ACTOR)
        for one in restored.spool if line.spool else ():
            assert line.spool is not None
            line.spool.put_back(one.name, one.content)
    except Exception as error:
        raise Failed(
            f"the rows are in, but what fell due since the backup could not be settled ({type(error).__name__}): start "
            "nothing on this database, drop it, make it again, restore again"
        ) from error
    finally:
        line.db.close()
    with target.read() as session:
        zone = ZoneInfo(session.scalar(select(Clinic.time_zone).order_by(Clinic.id).limit(1)) or "UTC")
    seconds, chain = time.monotonic() - began, restored.audit
    click.echo(
        f"restored {restored.rows:,} rows into {shown(target.url)} in {seconds:,.0f} s: all values compared and equal"
    )
    click.echo(f"the audit log: {chain.events:,} events in the chain, head {chain.head}")
    click.echo("\n".join(point_lines(restored.header, zone)))
    click.echo("\n".join(_advice(restored, replayed, visits_to_settle(target, now), now)))
    if chain.broken:
        raise Failed(f"the audit log is broken at {chain.broken}, as it was when the backup was made")


def _advice(restored: Restored, replayed: Replayed, visits: int, now: datetime) -> list[str]:
    doubtful = restored.in_doubt + replayed.in_doubt
    lines = [
        "What came after that point is not in this database. Before `pumpline run`:",
        f"  {visits} visits have passed and stand as booked: mark who came, or patients are texted that they missed a",
        "  refill (`pumpline appointments list`, `pumpline appointments attended ID`)",
        "  enter again what staff recorded since: refills, programs, visits, opt-outs taken by phone",
        "  accounts are as they were: see `pumpline staff list` for who has left since; everybody is signed out",
        "Then `pumpline doctor` and `pumpline run`:",
        f"  {doubtful} texts may have been sent since: the provider is asked about each, and what it does not know is",
        "  sent, or told to a nurse where it is too late",
        "  what patients texted in the last 24 hours is fetched from the provider and answered, perhaps a second time",
        "  alerts that were acknowledged since then page again",
    ]
    if now - restored.point.at > CAUGHT_UP:
        lines.append(
            "  the point lies more than 24 hours back: older texts stand in the provider's log; call those people"
        )
    if restored.spool:
        lines.append(f"  {len(restored.spool)} texts that had waited for the database are back in the spool")
    return lines
