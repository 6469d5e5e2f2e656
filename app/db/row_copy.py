"""Rows as plain values, out of and into either database, past the ORM: for moving, backing up and restoring.

A value is an int, a bool, a str, bytes or None, and the same on both: instants are "2026-11-23 15:00:00.000000" in UTC,
dates and times ISO, JSON its text as stored. What is sealed is copied as it lies there; no key is needed.
"""

from collections.abc import Callable, Iterable, Iterator
from contextlib import closing, contextmanager, suppress
from datetime import UTC, datetime, time
from typing import Any

from sqlalchemy import Connection, text

from app.db.engine import Database
from app.db.shapes import Shape

Row = tuple[Any, ...]
AT_ONCE = 2_000
TELL_EVERY = 5_000


class CopyFailed(Exception):
    """A database would not give or take rows. Says of which table, never what was in them."""


@contextmanager
def snapshot(db: Database) -> Iterator[Connection]:
    """One moment of the database, however long it is read; writers go on, and nothing can be written through it."""
    with db.engine.connect() as plain:
        options = {} if db.is_sqlite else {"isolation_level": "REPEATABLE READ", "postgresql_readonly": True}
        connection = plain.execution_options(**options) if options else plain
        connection.execute(text("SELECT 1 FROM alembic_version")).all()  # SQLite's snapshot begins with the first read
        yield connection
        connection.rollback()


def quoted(connection: Connection, name: str) -> str:
    return connection.dialect.identifier_preparer.quote(name)


def counts(connection: Connection, tables: Iterable[Shape]) -> dict[str, int]:
    """Return how many rows each table has."""
    return {
        shape.name: int(connection.execute(text(f"SELECT count(*) FROM {quoted(connection, shape.name)}")).scalar_one())  # noqa: S608
        for shape in tables
    }


def rows_of(connection: Connection, shape: Shape) -> Iterator[Row]:
    """Yield a table's rows by key, with the columns as they stand in `shape`, a few thousand in memory at a time."""
    with _failing(connection, shape.name, "read"):
        cursor: Any = _reader(connection, shape.name)
        with _put_away(connection, cursor):
            cursor.execute(_select(connection, shape))
            convert = _sqlite_converter(shape) if connection.dialect.name == "sqlite" else None
            while found := cursor.fetchmany(AT_ONCE):
                yield from map(convert, found) if convert else found


@contextmanager
def _put_away(connection: Connection, cursor: Any) -> Iterator[None]:
    """Close a cursor at the end. Whoever stopped half-way may have ended its connection first: then nothing is left."""
    dbapi: Any = connection.dialect.dbapi
    try:
        yield
    finally:
        with suppress(dbapi.Error):
            cursor.close()


def load(connection: Connection, shape: Shape, rows: Iterable[Row]) -> int:
    """Write rows into an empty table, in the connection's transaction; return how many."""
    taken = _Counted(rows)
    cursor: Any = connection.connection.cursor()
    names = ", ".join(quoted(connection, name) for name in shape.names)
    table = quoted(connection, shape.name)
    with closing(cursor), _failing(connection, shape.name, "written"):
        if connection.dialect.name == "sqlite":
            places = ", ".join("?" * len(shape.names))
            cursor.executemany(f"INSERT INTO {table} ({names}) VALUES ({places})", taken)  # noqa: S608
        else:
            with cursor.copy(f"COPY {table} ({names}) FROM STDIN") as copy:
                for row in taken:
                    copy.write_row(row)
    return taken.count


def telling(rows: Iterable[Row], told: Callable[[int], None]) -> Iterator[Row]:
    """Pass rows on, and say now and then how many went by."""
    count = 0
    for count, row in enumerate(rows, start=1):
        if not count % TELL_EVERY:
            told(TELL_EVERY)
        yield row
    told(count % TELL_EVERY)


class _Counted:
    """Passes rows on and counts them: a driver that is handed many says only how many it took, or nothing."""

    def __init__(self, rows: Iterable[Row]) -> None:
        self._rows = rows
        self.count = 0

    def __iter__(self) -> Iterator[Row]:
        for row in self._rows:
            self.count += 1
            yield row


def _reader(connection: Connection, name: str) -> Any:
    if connection.dialect.name == "sqlite":
        return connection.connection.cursor()
    driver: Any = connection.connection.driver_connection
    return driver.cursor(name=f"pumpline_{name}")  # kept at the server: the rows are not all sent at once


def _select(connection: Connection, shape: Shape) -> str:
    plain = connection.dialect.name == "sqlite"
    columns = ", ".join(
        quoted(connection, column.name) if plain else _said(quoted(connection, column.name), column.kind)
        for column in shape.columns
    )
    kinds = {column.name: column.kind for column in shape.columns}
    # by bytes, as SQLite does: a server's own collation may order names otherwise
    order = ", ".join(
        quoted(connection, name) + (' COLLATE "C"' if kinds[name] == "text" and not plain else "") for name in shape.key
    )
    return f"SELECT {columns} FROM {quoted(connection, shape.name)} ORDER BY {order}"  # noqa: S608


def _said(column: str, kind: str) -> str:
    """Return what PostgreSQL is asked, so that it answers with our plain values."""
    match kind:
        case "instant":
            return f"to_char({column} AT TIME ZONE 'UTC', 'YYYY-MM-DD HH24:MI:SS.US')"
        case "date":
            return f"to_char({column}, 'YYYY-MM-DD')"
        case "time":
            return f"to_char({column}, 'HH24:MI:SS.US')"
        case "json":
            return f"{column}::text"
        case _:
            return column


def _sqlite_converter(shape: Shape) -> Callable[[Row], Row] | None:
    steps: dict[int, Callable[[Any], Any]] = {
        **dict.fromkeys(shape.places_of("boolean"), bool),
        **dict.fromkeys(shape.places_of("instant"), _instant),
        **dict.fromkeys(shape.places_of("time"), _time),
    }
    if not steps:
        return None

    def convert(row: Row) -> Row:
        values = list(row)
        for place, step in steps.items():
            if values[place] is not None:
                values[place] = step(values[place])
        return tuple(values)

    return convert


def _instant(value: str) -> str:
    """Return an instant in its one form: SQLite keeps what it was given, and once that had no microseconds."""
    if len(value) == 26 and value[10] == " ":
        return value
    at = datetime.fromisoformat(value)
    at = at if at.tzinfo is None else at.astimezone(UTC).replace(tzinfo=None)
    return at.isoformat(" ", "microseconds")


def _time(value: str) -> str:
    return value if len(value) == 15 else time.fromisoformat(value).isoformat("microseconds")


@contextmanager
def _failing(connection: Connection, table: str, what: str) -> Iterator[None]:
    """Say a driver's error without its words, which hold the values."""
    dbapi: Any = connection.dialect.dbapi
    try:
        yield
    except (dbapi.Error, ValueError, UnicodeError) as error:
        raise CopyFailed(f"{table} could not be {what} ({type(error).__name__})") from None


def occupied(connection: Connection, tables: Iterable[Shape]) -> list[str]:
    """Return the tables that hold at least one row."""
    return [
        shape.name
        for shape in tables
        if connection.execute(text(f"SELECT 1 FROM {quoted(connection, shape.name)} LIMIT 1")).first()  # noqa: S608
    ]


def numbered(connection: Connection, tables: Iterable[Shape]) -> dict[str, int]:
    """Return the last number that PostgreSQL gave in each table; SQLite goes on from the highest that is there."""
    if connection.dialect.name == "sqlite":
        return {}
    found = {shape.name: _sequence(connection, shape) for shape in tables}
    ask = "SELECT CASE WHEN is_called THEN last_value ELSE 0 END FROM {}"
    return {
        name: int(connection.execute(text(ask.format(sequence))).scalar_one())
        for name, sequence in found.items()
        if sequence
    }


_SET = text("SELECT setval(CAST(:name AS regclass), :last)")


def number_on(connection: Connection, tables: Iterable[Shape], given: dict[str, int]) -> None:
    """Let PostgreSQL number new rows after those that were copied, and after the last number the source gave."""
    if connection.dialect.name == "sqlite":
        return
    for shape in tables:
        if sequence := _sequence(connection, shape):
            table, column = quoted(connection, shape.name), quoted(connection, shape.key[0])
            highest = int(connection.execute(text(f"SELECT coalesce(max({column}), 0) FROM {table}")).scalar_one())  # noqa: S608
            last = max(highest, given.get(shape.name, 0))
            if last:
                connection.execute(_SET, {"name": sequence, "last": last})


def _sequence(connection: Connection, shape: Shape) -> str | None:
    if len(shape.key) != 1 or shape.key_places not in {(place,) for place in shape.places_of("integer")}:
        return None
    ask = text("SELECT pg_get_serial_sequence(:table, :column)")
    table = quoted(connection, shape.name)
    sequence: str | None = connection.execute(ask, {"table": table, "column": shape.key[0]}).scalar()
    return sequence
