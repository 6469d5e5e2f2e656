"""Writes whose result nobody waits for: they go with the next write, or before whatever else comes.

A statement of its own costs the way to PostgreSQL and back, several times the work it asks for. Held writes become
parts of the statement they go with (`WITH held AS (INSERT ...)`). Those parts come in no order and do not see what the
others write, so two that write to the same table never go together. SQLite has no way to save: nothing is held there.
"""

import re
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from sqlalchemy import Connection, Engine, event
from sqlalchemy.engine.interfaces import DBAPIConnection
from sqlalchemy.pool import ConnectionPoolEntry

_HELD = "pumpline.later"  # in the connection's own notes: statements of any session on it must come after
_NAME = re.compile(r"%\((\w+)\)s")
Given = dict[str, Any]


@dataclass(frozen=True)
class Write:
    """An INSERT or UPDATE as the driver takes it, and the table it writes to."""

    sql: str
    table: str


def hold(connection: Connection, write: Write, given: Given) -> None:
    """Keep a write for the next statement on this connection."""
    held = connection.info.setdefault(_HELD, [])
    if _touches(held, write):
        send(connection)
        held = connection.info.setdefault(_HELD, [])
    held.append((write, given))


def with_held(connection: Connection, write: Write | None, given: Given) -> tuple[str, Given] | None:
    """Return one statement that does the held writes and this one; None where this one goes as it is.

    What cannot go together is sent before. `write`: None for a statement that reads.
    """
    held = connection.info.get(_HELD)
    if not held:
        return None
    if write is None or _touches(held, write):
        send(connection)
        return None
    return _together([*connection.info.pop(_HELD), (write, given)])


def send(connection: Connection) -> None:
    """Send what is held, if anything."""
    held = connection.info.pop(_HELD, None)
    if held:
        sql, given = _together(held)
        cursor = connection.connection.cursor()
        try:
            cursor.execute(sql, given)
        finally:
            cursor.close()


def watch(engine: Engine) -> None:
    """See to it that held writes come before any other statement and before the commit, and go with a rollback."""

    @event.listens_for(engine, "before_cursor_execute")
    def before(connection: Connection, *_: Any) -> None:
        send(connection)

    @event.listens_for(engine, "commit")
    def committed(connection: Connection) -> None:
        try:
            send(connection)
        except BaseException:  # SQLAlchemy takes the transaction for ended
            connection.connection.rollback()
            raise

    @event.listens_for(engine, "rollback")
    def rolled_back(connection: Connection) -> None:
        if not connection.invalidated:
            connection.info.pop(_HELD, None)

    @event.listens_for(engine, "checkout")
    def taken(_: DBAPIConnection, record: ConnectionPoolEntry, __: Any) -> None:
        record.info.pop(_HELD, None)


def _touches(held: list[tuple[Write, Given]], write: Write) -> bool:
    return any(other.table == write.table for other, _ in held)


def _together(writes: list[tuple[Write, Given]]) -> tuple[str, Given]:
    if len(writes) == 1:
        return writes[0][0].sql, writes[0][1]
    given = {f"w{n}_{name}": value for n, (_, values) in enumerate(writes) for name, value in values.items()}
    return _joined(tuple(write.sql for write, _ in writes)), given


@lru_cache(maxsize=512)
def _joined(statements: tuple[str, ...]) -> str:
    *held, last = (_NAME.sub(rf"%(w{n}_\1)s", sql) for n, sql in enumerate(statements))
    return f"WITH {', '.join(f'held{n} AS ({sql})' for n, sql in enumerate(held))} {last}"
