"""Bring a database to a revision of the history in migrations/."""

from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, text

import migrations
from app.db.engine import Database

LONGEST_WAIT_SECONDS = 10


def config() -> Config:
    settings = Config()
    settings.set_main_option("script_location", str(Path(migrations.__file__).parent))
    return settings


def newest() -> str:
    """Return the newest revision in the history. Raises alembic's MultipleHeads where two were made at once."""
    head = ScriptDirectory.from_config(config()).get_current_head()
    if head is None:
        raise RuntimeError("there is no migration: the package is incomplete, install it again")
    return head


def current(db: Database) -> str | None:
    """Return the database's revision, None for an empty one."""
    with db.engine.connect() as connection:
        return MigrationContext.configure(connection).get_current_revision()


def missing(db: Database) -> str | None:
    """Return why this version cannot work with the database's tables, None where it can.

    Tables that a newer version made are as good: steps only add, so the version before goes on beside them.
    """
    found, wanted = current(db), newest()
    if found == wanted or (found is not None and not is_known(found)):
        return None
    return f"the database is at {found or 'nothing'}, this version needs {wanted}: run `pumpline migrate`"


def is_known(revision: str) -> bool:
    """Whether a revision is in this version's history; one that is not was made by a newer version."""
    return any(step.revision == revision for step in ScriptDirectory.from_config(config()).walk_revisions())


def migrate(db: Database, revision: str = "head") -> bool:
    """Bring the database to a revision, in one transaction, one process at a time; return whether it changed.

    Raises alembic's CommandError for a revision that is not in the history.
    """
    before = current(db)
    settings = config()
    with db.turn(), db.engine.connect().execution_options(writes=True) as connection, connection.begin():
        settings.attributes["connection"] = connection
        if connection.dialect.name == "postgresql":
            connection.exec_driver_sql("SELECT pg_advisory_xact_lock(7236121)")
            # Whoever wants a table waits behind us while we wait for it: better to give up, and be run again.
            connection.exec_driver_sql(f"SET LOCAL lock_timeout = '{LONGEST_WAIT_SECONDS}s'")
        (command.downgrade if _goes_back(revision, before) else command.upgrade)(settings, revision)
    return current(db) != before


def would_drop_patients(db: Database, revision: str) -> bool:
    """Whether going to a revision is going back, and the database holds patients: of what is newer, rows would go."""
    if not _goes_back(revision, current(db)):
        return False
    with db.engine.connect() as connection:
        return connection.execute(text("SELECT 1 FROM patient LIMIT 1")).first() is not None


def _goes_back(revision: str, before: str | None) -> bool:
    return revision not in ("head", "heads") and before is not None and _is_older(revision, before)


def _is_older(revision: str, than: str) -> bool:
    if revision == "base":
        return True
    script = ScriptDirectory.from_config(config())
    return revision in {step.revision for step in script.iterate_revisions(than, "base")} and revision != than


def drop_engine_tables(connection: Connection) -> None:
    """Take away what decides who ticks, on PostgreSQL: no model knows it, and the history makes it anew."""
    away = Path(migrations.__file__).parent / "sql" / "procrastinate_away.sql"
    driver = connection.connection.driver_connection
    if connection.dialect.name == "postgresql" and driver is not None:
        driver.execute(away.read_text(encoding="utf-8"))  # many statements at once: the driver alone takes them
