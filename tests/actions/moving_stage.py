"""What moving, backing up and restoring are tried on: a lived-in line, empty databases of both kinds."""

import os
import secrets
import shutil
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import create_engine, make_url, text

from app.actions.line import Line
from app.actions.seal_audit import seal_audit
from app.db.crypto import Keyring
from app.db.engine import Database
from app.db.migrate import migrate
from app.db.row_copy import Row, rows_of, snapshot
from app.db.shapes import Column, Shape, shapes
from tests.conftest import Desk, FrozenClock, Someone

SERVER = os.environ.get("PUMPLINE_TEST_POSTGRESQL_URL", "")
BOTH = [
    "sqlite",
    pytest.param(
        "postgresql",
        marks=pytest.mark.skipif(not SERVER, reason="PUMPLINE_TEST_POSTGRESQL_URL is not set: no PostgreSQL to try"),
    ),
]


Another = Callable[..., Database]


class Server:
    """A few migrated databases of a PostgreSQL server, emptied for each story: making and dropping them is slow."""

    def __init__(self) -> None:
        self._engine = create_engine(SERVER, isolation_level="AUTOCOMMIT")
        self._urls: list[str] = []
        self._lent = 0

    def lend(self) -> str:
        if self._lent == len(self._urls):
            self._urls.append(self._make())
        url = self._urls[self._lent]
        self._lent += 1
        return url

    def take_back(self) -> None:
        for url in self._urls[: self._lent]:
            engine = create_engine(url)
            with engine.begin() as connection:
                names = ", ".join(shape.name for shape in shapes(connection))
                connection.execute(text("ALTER TABLE audit_event DISABLE TRIGGER USER"))
                connection.execute(text(f"TRUNCATE {names} RESTART IDENTITY"))
                connection.execute(text("ALTER TABLE audit_event ENABLE TRIGGER USER"))
            engine.dispose()
        self._lent = 0

    def _make(self) -> str:
        name = f"pumpline_{secrets.token_hex(6)}"
        with self._engine.connect() as connection:
            connection.execute(text(f"CREATE DATABASE {name}"))
        url = make_url(SERVER).set(database=name).render_as_string(hide_password=False)
        db = Database(url, Keyring([Keyring.new_key()]))
        migrate(db)
        db.close()
        return url

    def close(self) -> None:
        with self._engine.connect() as connection:
            for url in self._urls:
                connection.execute(text(f"DROP DATABASE {make_url(url).database} WITH (FORCE)"))
        self._engine.dispose()


@pytest.fixture(scope="session")
def server() -> Iterator[Server | None]:
    if not SERVER:
        yield None
        return
    here = Server()
    yield here
    here.close()


@pytest.fixture
def another(line: Line, server: Server | None, migrated_file: Path, tmp_path: Path) -> Iterator[Another]:
    """Open a database with tables and no rows under the line's keys: `another("postgresql")`."""
    opened = []

    def make(kind: str = "sqlite") -> Database:
        if kind == "sqlite":
            file = tmp_path / f"{secrets.token_hex(6)}.db"
            shutil.copy(migrated_file, file)
            url = f"sqlite:///{file}"
        else:
            assert server is not None
            url = server.lend()
        opened.append(Database(url, line.db.keyring))
        return opened[-1]

    yield make
    for db in opened:
        db.close()
    if server is not None:
        server.take_back()


@pytest.fixture
def lived_in(line: Line, clock: FrozenClock, maria: Someone, desk: Desk, texts: Any, beat: Callable[[], None]) -> Line:
    """A line with texts, an alert, a refill, a visit, a carer and a sealed audit log."""
    desk.adds_carer(maria, "+16145550143")
    desk.fills(maria, 20)
    desk.books(maria, clock().replace(day=30))
    for body in ("my pump is béeping 🚨", "REFILL", "STOP", "START"):
        texts(maria.phone, body)
    beat()
    seal_audit(line, clock())
    return line


def all_rows(db: Database) -> dict[str, list[Row]]:
    """Return every value of every table."""
    with snapshot(db) as connection:
        return {shape.name: sorted(rows_of(connection, shape), key=repr) for shape in _by_name(connection)}


def _by_name(connection: Any) -> list[Shape]:
    """Return the shapes with their columns by name: the databases may have them in another order."""
    return [replace(shape, columns=tuple(sorted(shape.columns, key=_name))) for shape in shapes(connection)]


def _name(column: Column) -> str:
    return column.name
