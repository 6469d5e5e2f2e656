"""`pumpline migrate`: the database's tables, and what must be there before the first text."""

import click
from alembic.util.exc import CommandError
from sqlalchemy.exc import DBAPIError

from app.actions.prepare import prepare
from app.clock import system_clock
from app.commands.errors import Failed
from app.commands.house import open_database
from app.db import migrate as history
from app.keys import keys_for
from app.settings import Settings, load_settings
from app.wiring import first_clinic


def migrate_and_prepare(settings: Settings, revision: str = "head") -> None:
    """Bring the tables to a revision, and at the newest one make the installation's row and the first clinic."""
    db = open_database(settings, keys_for(settings))
    try:
        history.migrate(db, revision)
        if revision == "head":
            prepare(db, first_clinic(settings), system_clock())
    except CommandError as error:
        raise Failed(f"there is no revision {revision}: see the files in migrations/versions") from error
    except DBAPIError as error:
        raise Failed(
            f"the database cannot be used ({type(error.orig).__name__}): is PUMPLINE_DATABASE_URL right, does the "
            "server run, and may this user make tables?"
        ) from error
    finally:
        db.close()


@click.command()
@click.option("--to", "revision", default="head", show_default=True, help="To this revision instead.")
@click.option("--check", is_flag=True, help="Change nothing; exit 1 when the database is behind.")
def migrate(revision: str, check: bool) -> None:
    """Bring the database to this version's tables.

    Safe to run again. At the first time it also makes the keys, and the clinic from the settings.
    """
    settings = load_settings()
    if check:
        _check(settings)
        return
    migrate_and_prepare(settings, revision)
    click.echo("the database is up to date" if revision == "head" else f"the database is at {revision}")


def _check(settings: Settings) -> None:
    db = open_database(settings, keys_for(settings))
    try:
        current, newest = history.current(db), history.newest()
    finally:
        db.close()
    if current != newest:
        raise Failed(f"the database is at {current or 'nothing'}, this version needs {newest}: run `pumpline migrate`")
    click.echo("the database is up to date")
