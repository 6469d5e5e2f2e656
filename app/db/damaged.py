"""Rows of which something cannot be read: damaged, or sealed with a data key that is not given here."""

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import Column, LargeBinary, Table, select, type_coerce
from sqlalchemy.orm import Session

from app.db.crypto import Keyring, WrongDataKey
from app.db.people import Clinic, Contact, Patient, Phone
from app.db.types import Sealed

AT_MOST = 20_000  # of each table, the newest: some four seconds of a core
_LOOKED_AT: tuple[Table, ...] = (Clinic.__table__, Patient.__table__, Phone.__table__, Contact.__table__)


@dataclass(frozen=True)
class Damaged:
    """One value. Says where it stands, never what it was."""

    table: str
    row_id: int
    column: str

    def __str__(self) -> str:
        return f"{self.table} {self.row_id} ({self.column.replace('_', ' ')})"


def damaged(session: Session, keyring: Keyring, most: int = AT_MOST) -> list[Damaged]:
    """Return which names and numbers of people cannot be read, looking at the newest `most` rows of each table."""
    found = []
    for table in _LOOKED_AT:
        columns = [column for column in table.columns if isinstance(column.type, Sealed)]
        raw = [type_coerce(column, LargeBinary) for column in columns]
        for row_id, *values in session.execute(select(table.c.id, *raw).order_by(table.c.id.desc()).limit(most)):
            found += [Damaged(table.name, row_id, name) for name in _closed(keyring, columns, values)]
    return found


def _closed(keyring: Keyring, columns: Sequence[Column[str]], values: Sequence[bytes | None]) -> list[str]:
    closed = []
    for column, value in zip(columns, values, strict=True):
        try:
            if value is not None:
                keyring.open(bytes(value))
        except WrongDataKey:
            closed.append(column.name)
    return closed
