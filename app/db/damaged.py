"""Rows of which something cannot be read: damaged, or sealed with a data key that is not given here."""

from dataclasses import dataclass

from sqlalchemy import LargeBinary, Table, select, type_coerce
from sqlalchemy.orm import Session

from app.db.crypto import Keyring
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
            found += [
                Damaged(table.name, row_id, column.name)
                for column, value in zip(columns, values, strict=True)
                if value is not None and not keyring.opens(bytes(value))
            ]
    return found
