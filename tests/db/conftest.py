"""A database of its own, without the application around it."""

from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from app.actions.prepare import FirstClinic, prepare
from app.db.crypto import Keyring
from app.db.engine import Database
from app.db.migrate import migrate

NOW = datetime(2026, 11, 23, 15, 0, tzinfo=UTC)
CLINIC = FirstClinic("Northgate", "+16145550100", "+16145550101", "+16145550190", "911", "America/New_York", None)


@pytest.fixture
def key() -> str:
    return Keyring.new_key()


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "pumpline.db"


@pytest.fixture
def open_with(file: Path) -> Iterator[Callable[..., Database]]:
    """Open the same file with other keys: `open_with(new, old)`."""
    opened = []

    def make(*keys: str) -> Database:
        opened.append(Database(f"sqlite:///{file}", Keyring(keys)))
        return opened[-1]

    yield make
    for db in opened:
        db.close()


@pytest.fixture
def empty(open_with: Callable[..., Database], key: str) -> Database:
    return open_with(key)


@pytest.fixture
def db(empty: Database) -> Database:
    migrate(empty)
    prepare(empty, CLINIC, NOW)
    return empty
