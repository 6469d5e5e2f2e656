"""Statements compiled once and handed straight to the driver: for the few that every text runs.

SQLAlchemy's execution costs several times what SQLite needs for such a statement. The statement is still written and
typed with SQLAlchemy; only its way to the driver is shorter. The transaction stays the session's.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any
from weakref import WeakKeyDictionary

from sqlalchemy import Dialect
from sqlalchemy.orm import Session
from sqlalchemy.sql import ClauseElement

from app.db.engine import connection_of

Row = Sequence[Any]
_Convert = Callable[[Any], Any]


@dataclass(frozen=True)
class _Ready:
    sql: str
    positional: bool
    fixed: dict[str, Any]  # values that stand in the statement itself
    inward: tuple[tuple[str, _Convert | None], ...]  # names in the order in which the driver wants them
    outward: tuple[tuple[int, _Convert], ...]


class Prepared:
    """One statement. `made_for` makes it for a dialect where the dialects differ; `columns` are those it inserts.

    Defaults that SQLAlchemy would fill in from Python are not: give every value. Rows come back as the driver's
    tuples, converted to Python's types unless `raw`.
    """

    def __init__(
        self, made_for: Callable[[Dialect], ClauseElement], columns: Iterable[str] | None = None, *, raw: bool = False
    ) -> None:
        self._made_for = made_for
        self._columns = list(columns) if columns is not None else None
        self._raw = raw
        self._ready: WeakKeyDictionary[Dialect, _Ready] = WeakKeyDictionary()

    def run(self, session: Session, **values: Any) -> list[Row]:
        """Execute with these values in the session's transaction and return all rows."""
        connection = connection_of(session)
        ready = self._ready.get(connection.dialect) or self._prepare(connection.dialect)
        if ready.fixed:
            values = ready.fixed | values
        given: Any
        if ready.positional:
            given = [convert(values[name]) if convert else values[name] for name, convert in ready.inward]
        else:
            given = {name: convert(values[name]) if convert else values[name] for name, convert in ready.inward}
        cursor = connection.connection.cursor()
        try:
            cursor.execute(ready.sql, given)
            rows = list(cursor.fetchall()) if cursor.description else []
        finally:
            cursor.close()
        return [_converted(row, ready.outward) for row in rows] if ready.outward else rows

    def _prepare(self, dialect: Dialect) -> _Ready:
        compiled: Any = self._made_for(dialect).compile(dialect=dialect, column_keys=self._columns)
        results = () if self._raw else _result_columns(compiled)
        outward = tuple(
            (place, convert)
            for place, column in enumerate(results)
            if (convert := column.dialect_impl(dialect).result_processor(dialect, None)) is not None
        )
        positional = bool(compiled.positional)
        binds = compiled.binds
        inward = tuple(
            (name, binds[name].type.dialect_impl(dialect).bind_processor(dialect))
            for name in (compiled.positiontup if positional else binds)
        )
        fixed = {name: bound.value for name, bound in binds.items() if not bound.required}
        ready = _Ready(compiled.string, positional, fixed, inward, outward)
        self._ready[dialect] = ready
        return ready


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
