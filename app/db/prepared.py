"""Statements compiled once and handed straight to the driver: for the few that every text runs.

SQLAlchemy's execution costs several times what SQLite needs for such a statement. The statement is still written and
typed with SQLAlchemy; only its way to the driver is shorter. The transaction stays the session's.
"""

import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any
from weakref import WeakKeyDictionary

from sqlalchemy import Dialect
from sqlalchemy.orm import Session
from sqlalchemy.sql import ClauseElement

from app.db import later
from app.db.engine import connection_of

Row = Sequence[Any]
_Convert = Callable[[Any], Any]


@dataclass(frozen=True)
class _Ready:
    sql: str
    positional: bool
    fixed: dict[str, Any]  # values that stand in the statement itself
    inward: tuple[tuple[str, _Convert | None], ...]  # names in the order in which the driver wants them
    returns: bool  # rows; the driver's own word for it costs psycopg an object for each column
    outward: tuple[tuple[int, _Convert], ...]
    write: later.Write | None  # where others may go with it: on PostgreSQL
    many: str | None  # likewise an INSERT of many rows at once

    def given(self, values: dict[str, Any]) -> Any:
        """Return the values as the driver wants them: a list, or a dict by name."""
        if self.fixed:
            values = self.fixed | values
        if self.positional:
            return [convert(values[name]) if convert else values[name] for name, convert in self.inward]
        return {name: convert(values[name]) if convert else values[name] for name, convert in self.inward}


class Prepared:
    """One statement. `made_for` makes it for a dialect where the dialects differ; `columns` are those it inserts.

    Defaults that SQLAlchemy would fill in from Python are not: give every value. Rows come back as the driver's
    tuples, converted to Python's types but for the first `raw` columns.
    """

    def __init__(
        self, made_for: Callable[[Dialect], ClauseElement], columns: Iterable[str] | None = None, *, raw: int = 0
    ) -> None:
        self._made_for = made_for
        self._columns = list(columns) if columns is not None else None
        self._raw = raw
        self._ready: WeakKeyDictionary[Dialect, _Ready] = WeakKeyDictionary()

    def run(self, session: Session, **values: Any) -> list[Row]:
        """Execute with these values in the session's transaction and return all rows."""
        connection = connection_of(session)
        ready = self._for(connection.dialect)
        given: Any = ready.given(values)
        sql = ready.sql
        if not ready.positional and (joined := later.with_held(connection, ready.write, given)):
            sql, given = joined
        cursor = connection.connection.cursor()
        try:
            cursor.execute(sql, given)
            rows = list(cursor.fetchall()) if ready.returns else []
        finally:
            cursor.close()
        return [_converted(row, ready.outward) for row in rows] if ready.outward else rows

    def run_each(self, session: Session, rows: Iterable[dict[str, Any]]) -> int:
        """Insert a row for each of these values and return how many rows that touched in all.

        On PostgreSQL one statement takes each column as an array.
        """
        connection = connection_of(session)
        ready = self._for(connection.dialect)
        each = [ready.given(values) for values in rows]
        later.send(connection)
        cursor = connection.connection.cursor()
        try:
            if ready.many:
                cursor.execute(ready.many, {name: [values[name] for values in each] for name, _ in ready.inward})
            else:
                cursor.executemany(ready.sql, each)
            return int(cursor.rowcount)
        finally:
            cursor.close()

    def run_later(self, session: Session, **values: Any) -> None:
        """Execute with the next write, or before any other statement: for a write whose result nobody needs.

        On SQLite at once. What goes wrong shows where it is executed.
        """
        connection = connection_of(session)
        ready = self._for(connection.dialect)
        if ready.write is None:
            self.run(session, **values)
        else:
            later.hold(connection, ready.write, ready.given(values))

    def _for(self, dialect: Dialect) -> _Ready:
        return self._ready.get(dialect) or self._prepare(dialect)

    def _prepare(self, dialect: Dialect) -> _Ready:
        compiled: Any = self._made_for(dialect).compile(dialect=dialect, column_keys=self._columns)
        columns = _result_columns(compiled)
        outward = tuple(
            (place, convert)
            for place, column in enumerate(columns)
            if place >= self._raw
            and (convert := column.dialect_impl(dialect).result_processor(dialect, None)) is not None
        )
        positional = bool(compiled.positional)
        binds = compiled.binds
        inward = tuple(
            (name, binds[name].type.dialect_impl(dialect).bind_processor(dialect))
            for name in (compiled.positiontup if positional else binds)
        )
        fixed = {name: bound.value for name, bound in binds.items() if not bound.required}
        write = None if positional else _write(compiled)
        many = _many(compiled, [name for name, _ in inward]) if write and not columns else None
        ready = _Ready(compiled.string, positional, fixed, inward, bool(columns), outward, write, many)
        self._ready[dialect] = ready
        return ready


def _write(compiled: Any) -> later.Write | None:
    statement = compiled.statement
    if not (statement.is_insert or statement.is_update):
        return None
    return later.Write(compiled.string, statement.table.name)


_CONFLICT = re.compile(r" ON CONFLICT .*$", re.DOTALL)


def _many(compiled: Any, names: list[str]) -> str | None:
    """Write an INSERT of one row as one of many, each column an array. None for anything else."""
    statement = compiled.statement
    if not statement.is_insert or any(name not in statement.table.c for name in names):
        return None
    types = compiled.dialect.type_compiler_instance
    arrays = ", ".join(f"%({name})s::{types.process(statement.table.c[name].type)}[]" for name in names)
    conflict = _CONFLICT.search(compiled.string)
    columns = f"{statement.table.name} ({', '.join(names)})"
    return f"INSERT INTO {columns} SELECT * FROM unnest({arrays}){conflict[0] if conflict else ''}"  # noqa: S608


def _result_columns(compiled: Any) -> list[Any]:
    statement = compiled.statement
    if statement.is_select:
        return [column.type for column in statement.selected_columns]
    return [column.type for column in getattr(statement, "_returning", ())]


def _converted(row: Row, outward: tuple[tuple[int, _Convert], ...]) -> Row:
    values = list(row)
    for place, convert in outward:
        values[place] = convert(values[place])
    return values
