"""`pumpline migrate`: the database's tables, and what must be there before the first text."""

import click
from alembic.util.exc import CommandError
from sqlalchemy.exc import DBAPIError, IntegrityError

from app.actions.prepare import prepare
from app.clock import system_clock
from app.commands.errors import Failed
from app.commands.house import open_database
from app.db import migrate as history
from app.db.engine import Database
from app.keys import keys_for
from app.settings import Settings, load_settings
from app.wiring import first_clinic


def migrate_and_prepare(settings: Settings, revision: str = "head", *, drop_rows: bool = False) -> None:
    """Bring the tables to a revision, and at the newest one make the installation's row and the first clinic."""
    db = open_database(settings, keys_for(settings))
    try:
        _require_known(db)
        if not drop_rows and history.would_drop_patients(db, revision):
            raise Failed(
                f"going back to {revision} would drop what is in newer tables, and this database holds patients: "
                "nothing was changed. An older version works with the newer tables as they are (docs/deploy.md, going "
                "back); where rows shall go all the same, make a backup and add --drop-rows"
            )
        history.migrate(db, revision)
        if revision == "head":
            prepare(db, first_clinic(settings), system_clock())
    except CommandError as error:
        raise Failed(f"there is no revision {revision}: see the files in migrations/versions") from error
    except DBAPIError as error:
        if type(error.orig).__name__ == "LockNotAvailable":
            raise Failed(
                f"a table was in use for more than {history.LONGEST_WAIT_SECONDS} seconds: nothing was changed, run it "
                "again; what holds it stands in PostgreSQL's pg_stat_activity"
            ) from error
        if isinstance(error, IntegrityError):
            raise Failed(
                f"there are rows that {revision} has no place for: nothing was changed. To go back to an older "
                "version, restore a backup that it made (docs/backup.md)"
            ) from error
        raise Failed(
            f"the database cannot be used ({type(error.orig).__name__}): is PUMPLINE_DATABASE_URL right, does the "
            "server run, and may this user make tables?"
        ) from error
    finally:
        db.close()


def _require_known(db: Database) -> None:
    found = history.current(db)
    if found is not None and not history.is_known(found):
        raise Failed(f"a newer version has brought the database to {found}: install that version, this one is older")


@click.command()
@click.option("--to", "revision", default="head", show_default=True, help="To this revision instead.")
@click.option("--drop-rows", is_flag=True, help="Going back, drop what older tables have no place for.")
@click.option("--check", is_flag=True, help="Change nothing; exit 1 when the database is behind.")
def migrate(revision: str, drop_rows: bool, check: bool) -> None:
    """Bring the database to this version's tables.

    Safe to run again. At the first time it also makes the keys, and the clinic from the settings.
    """
    settings = load_settings()
    if check:
        _check(settings)
        return
    migrate_and_prepare(settings, revision, drop_rows=drop_rows)
    click.echo("the database is up to date" if revision == "head" else f"the database is at {revision}")


def _check(settings: Settings) -> None:
    db = open_database(settings, keys_for(settings))
    try:
        why = history.missing(db)
    finally:
        db.close()
    if why is not None:
        raise Failed(why)
    click.echo("the database is up to date")
