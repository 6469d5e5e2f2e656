"""Rows by the ten thousand: numbered here, so that they may name each other, and inserted a batch a statement."""

from collections.abc import Callable, Sequence
from typing import Any

from sqlalchemy import Table, func, insert, select, text
from sqlalchemy.orm import Session

from app.db.base import Base
from app.db.care import Appointment, Program, Pump, Refill, Reminder
from app.db.engine import connection_of
from app.db.messages import DeliveryEvent, InboundMessage, OutboundMessage
from app.db.people import ConsentEvent, Contact, Patient, Phone
from app.db.supply import CareStep
from app.db.work import AuditEvent, Task, TaskText

# in this order: each names only rows of those before it
TABLES: tuple[type[Base], ...] = (
    Patient,
    Phone,
    Contact,
    Pump,
    Appointment,
    Refill,
    Program,
    Reminder,
    CareStep,
    InboundMessage,
    ConsentEvent,
    Task,
    OutboundMessage,
    TaskText,
    DeliveryEvent,
    AuditEvent,
)
BATCH = 5_000


class Rows:
    """Rows that wait to be inserted, within the caller's transaction. `told` hears how many messages went in."""

    def __init__(self, session: Session, told: Callable[[int], None]) -> None:
        self._session = session
        self._told = told
        self._waiting: dict[Table, list[dict[str, Any]]] = {kind.__table__: [] for kind in TABLES}
        self._next = {table: self._highest(table) + 1 for table in self._waiting}
        self._first = dict(self._next)
        self._statements = {table: insert(table) for table in self._waiting}

    def _highest(self, table: Table) -> int:
        return int(self._session.scalar(select(func.coalesce(func.max(table.c.id), 0))) or 0)

    def add(self, kind: type[Base], /, **values: Any) -> int:
        """Take a row; every row of a table names the same columns. Return its id."""
        table = kind.__table__
        number = self._next[table]
        self._next[table] = number + 1
        values["id"] = number
        self._waiting[table].append(values)
        return number

    def full(self) -> bool:
        return any(len(rows) >= BATCH for rows in self._waiting.values())

    def count(self, kind: type[Base]) -> int:
        return self._next[kind.__table__] - self._first[kind.__table__]

    def flush(self) -> None:
        """Insert what waits."""
        connection = connection_of(self._session)
        for table, rows in self._waiting.items():
            for start in range(0, len(rows), BATCH):
                some = rows[start : start + BATCH]
                connection.execute(self._statements[table], some)
                if table in _SHOWN:
                    self._told(len(some))
            rows.clear()

    def finish(self) -> None:
        """Insert the rest, and let the database number on from here."""
        self.flush()
        if self._session.get_bind().dialect.name == "postgresql":
            for table in self._waiting:
                _number_on(self._session, table)


_SHOWN = (Patient.__table__, Appointment.__table__, InboundMessage.__table__, OutboundMessage.__table__)


def _number_on(session: Session, table: Table) -> None:
    session.execute(
        text(f"SELECT setval(pg_get_serial_sequence('{table.name}', 'id'), (SELECT max(id) FROM {table.name}))")  # noqa: S608
    )


def share_of(total: int, parts: int) -> Sequence[int]:
    """Divide a total into so many parts that differ by one at most."""
    return [total * (place + 1) // parts - total * place // parts for place in range(parts)]
