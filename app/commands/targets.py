"""Another database than the one the settings name, as an option gives it."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import click
from sqlalchemy.engine import make_url

from app.commands.errors import Failed
from app.commands.house import House
from app.db.crypto import Keyring
from app.db.engine import Database
from app.setting_rules import checked_database_url


def shown(url: str) -> str:
    """Return an address without its password."""
    return make_url(url).render_as_string(hide_password=True)


def read_url(said: str) -> str:
    """Return the address that an option gave, or standard input where it was `-`."""
    url = sys.stdin.readline().strip() if said == "-" else said
    try:
        return checked_database_url(url)
    except ValueError as error:
        raise click.UsageError(f"--to: {error}; for example postgresql://pumpline@db.example/pumpline") from None


@contextmanager
def other_database(house: House, said: str) -> Iterator[Database]:
    """Open the other database under the installation's keys."""
    url = read_url(said)
    if _place(url) == _place(house.settings.database_url):
        raise Failed("that is the database in use: name another, empty one")
    target = Database(url, Keyring(house.keys.data_keys))
    try:
        if not target.is_sqlite and target.engine.dialect.driver != "psycopg":
            raise Failed("write the address as postgresql://...: only psycopg is supported")
        yield target
    finally:
        target.close()


def _place(url: str) -> tuple[object, ...]:
    parts = make_url(url)
    if parts.get_backend_name() == "sqlite":
        return ("sqlite", Path(parts.database or "").resolve())
    return (parts.get_backend_name(), parts.host, parts.port or 5432, parts.database)
