"""Insert once: the database, not Python, guards what must happen once."""

from collections.abc import Sequence
from functools import lru_cache
from typing import Any

from sqlalchemy import Dialect, Table, text
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Session

from app.db.base import Base
from app.db.prepared import Prepared


def insert_once(
    session: Session, table: type[Base], unique: Sequence[str], *, where: str | None = None, **values: Any
) -> int | None:
    """Insert a row and return its id; None, and nothing written, where a row with the same unique key stands.

    `where` repeats the condition of a partial unique index.
    """
    session.flush()  # what waits in the session may be the row that stands, or no longer does
    rows = _statement(table.__table__, tuple(unique), where, tuple(values)).run(session, **values)
    return int(rows[0][0]) if rows and isinstance(rows[0][0], int) else None


def insert_all_once(session: Session, table: type[Base], unique: Sequence[str], rows: Sequence[dict[str, Any]]) -> int:
    """Insert the rows whose unique key does not stand yet, in one go, and return how many they were.

    Each row gives the same columns.
    """
    if not rows:
        return 0
    session.flush()
    return _statement(table.__table__, tuple(unique), None, tuple(rows[0]), returns=False).run_each(session, rows)


@lru_cache(maxsize=256)
def _statement(
    table: Table, unique: tuple[str, ...], where: str | None, columns: tuple[str, ...], *, returns: bool = True
) -> Prepared:
    """Return the statement, made once. Raises TypeError where a value that Python would default is not given."""
    for column in table.columns:
        needed = not column.nullable and not (column.primary_key and column.autoincrement)
        if needed and column.name not in columns:
            raise TypeError(f"{table.name}.{column.name} must be given: nothing is filled in here")

    def made_for(dialect: Dialect) -> Any:
        insert: Any = sqlite.insert(table) if dialect.name == "sqlite" else postgresql.insert(table)
        condition = text(where) if where else None
        once = insert.on_conflict_do_nothing(index_elements=list(unique), index_where=condition)
        return once.returning(*table.primary_key) if returns else once

    return Prepared(made_for, columns)
