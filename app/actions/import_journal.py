"""What an import wrote, row by row, and what stood there before: kept so that the import can be undone."""

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from enum import Enum
from typing import Any

from sqlalchemy import Column, Date, Table, func, insert, select
from sqlalchemy import Enum as States
from sqlalchemy.orm import Session

from app.db.base import Base
from app.db.care import Appointment, Program, Pump, Refill
from app.db.engine import connection_of
from app.db.imports import ImportChange
from app.db.people import Contact, Patient, Phone
from app.db.types import Exact, Instant

TABLES: dict[str, type[Base]] = {
    "patients": Patient,
    "phones": Phone,
    "contacts": Contact,
    "pumps": Pump,
    "programs": Program,
    "refills": Refill,
    "visits": Appointment,
}


@dataclass(frozen=True)
class Change:
    """One row. Of a created one `new` is kept only where nothing else would tell that somebody changed it since."""

    kind: str
    row_id: int
    created: bool
    old: dict[str, Any] | None = None
    new: dict[str, Any] | None = None


def created(kind: str, row_id: int, cells: Mapping[str, Any] | None = None) -> Change:
    return Change(kind, row_id, created=True, new=dict(cells) if cells is not None else None)


def updated(kind: str, row: Any, cells: Mapping[str, Any]) -> Change:
    """`row` as it stood, and the cells that were written over it."""
    return Change(kind, row.id, created=False, old={name: getattr(row, name) for name in cells}, new=dict(cells))


def keep_changes(session: Session, batch_id: int, changes: Iterable[Change]) -> None:
    rows = [
        {
            "batch_id": batch_id,
            "kind": change.kind,
            "row_id": change.row_id,
            "created": change.created,
            "old": sealed_words(change.old),
            "new": sealed_words(change.new),
        }
        for change in changes
    ]
    if rows:
        session.execute(insert(ImportChange.__table__), rows)


def sealed_words(cells: Mapping[str, Any] | None) -> str | None:
    """Return cells as they are sealed; the same words for the same values."""
    if cells is None:
        return None
    return json.dumps({name: plain(value) for name, value in cells.items()}, sort_keys=True)


def plain(value: Any) -> Any:
    """Return a value as JSON holds it."""
    if isinstance(value, Enum):
        return value.value
    if isinstance(value, Decimal):
        return format(value, "f")
    if isinstance(value, (date, datetime)):
        return value.isoformat()
    return value


def read_cells(kind: str, words: str | None) -> dict[str, Any]:
    """Return the values that were kept, as their columns hold them."""
    table: Table = TABLES[kind].__table__
    return {name: _value(table.c[name], kept) for name, kept in json.loads(words or "{}").items()}


def _value(column: Column[Any], kept: Any) -> Any:
    if kept is None:
        return None
    if isinstance(column.type, Exact):
        return Decimal(kept)
    if isinstance(column.type, Instant):
        return datetime.fromisoformat(kept)
    if isinstance(column.type, Date):
        return date.fromisoformat(kept)
    if isinstance(column.type, States) and column.type.enum_class is not None:
        return column.type.enum_class(kept)
    return kept


def with_fresh_ids(session: Session, rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Return rows of new patients, with ids that no patient ever had."""
    first = fresh_id(session).get("id") if rows else None
    return rows if first is None else [{"id": number} | row for number, row in enumerate(rows, start=first)]


def fresh_id(session: Session) -> dict[str, Any]:
    """Return the id of a new patient where it must be given, nothing where the database gives one nobody ever had.

    SQLite gives the highest id again once its row is gone: what the audit log says of a patient who was imported and
    removed would then be said of the next one.
    """
    if connection_of(session).dialect.name != "sqlite":
        return {}
    was = select(func.max(ImportChange.row_id)).where(ImportChange.kind == "patients", ImportChange.created)
    ever = session.scalar(was) or 0
    return {"id": ever + 1} if ever > (session.scalar(select(func.max(Patient.id))) or 0) else {}
