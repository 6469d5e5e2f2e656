"""Insert once: the database, not Python, guards what must happen once."""

from collections.abc import Sequence
from functools import lru_cache
from typing import Any

from sqlalchemy import Table, text
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Session

from app.db.base import Base
from app.db.engine import connection_of


def insert_once(
    session: Session, table: type[Base], unique: Sequence[str], *, where: str | None = None, **values: Any
) -> int | None:
    """Insert a row and return its id; None, and nothing written, where a row with the same unique key stands.

    `where` repeats the condition of a partial unique index.
    """
    session.flush()  # what waits in the session may be the row that stands, or no longer does
    connection = connection_of(session)
    statement = _statement(table.__table__, tuple(unique), where, connection.dialect.name == "sqlite")
    return connection.execute(statement, values).scalar_one_or_none()


@lru_cache(maxsize=256)
def _statement(table: Table, unique: tuple[str, ...], where: str | None, on_sqlite: bool) -> Any:
    """Return the statement, made once: on the table, not the class, whose unit of work costs more than the insert."""
    insert: Any = sqlite.insert(table) if on_sqlite else postgresql.insert(table)
    condition = text(where) if where else None
    return insert.on_conflict_do_nothing(index_elements=list(unique), index_where=condition).returning(
        *table.primary_key
    )
