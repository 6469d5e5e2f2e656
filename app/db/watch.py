"""Whether anything was written to a database meanwhile, by whomever."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from sqlalchemy import Connection, text

from app.db.engine import Database
from app.db.row_copy import quoted
from app.db.shapes import Shape


class Watch:
    """Made before a snapshot is taken; asked after it was used. It may cry wolf, it never misses a write."""

    def __init__(self, connection: Connection, tables: Sequence[Shape]) -> None:
        self._connection = connection
        self._tables = tables
        self._before = self._state()

    def changed(self) -> bool:
        return self._state() != self._before

    def _state(self) -> tuple[Any, ...]:
        self._connection.rollback()  # a new look, not the one of before
        if self._connection.dialect.name == "sqlite":
            found = self._connection.execute(text("PRAGMA data_version")).scalar_one()
            self._connection.rollback()
            return (found,)
        state = tuple(self._of(shape.name) for shape in self._tables)
        self._connection.rollback()
        return state

    def _of(self, table: str) -> tuple[Any, ...]:
        """Return what no insert, change or removal leaves as it was: a row carries the number of who wrote it last."""
        name = quoted(self._connection, table)
        ask = text(f"SELECT count(*), sum(xmin::text::bigint), max(xmin::text::bigint) FROM {name}")  # noqa: S608
        return tuple(self._connection.execute(ask).one())


@contextmanager
def watching(db: Database, tables: Sequence[Shape]) -> Iterator[Watch]:
    with db.engine.connect() as connection:
        yield Watch(connection, tables)
