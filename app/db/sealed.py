"""Every sealed value as it lies there, past the types that open it: for resealing under another key.

Nothing here ever waits for a row that somebody else is writing, so that no deed can wait for it in a circle.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Column, LargeBinary, Table, bindparam, column, func, or_, select, table, type_coerce, update

from app.db.engine import Database
from app.db.tables import Base
from app.db.types import Sealed

AT_ONCE = 200  # rows a transaction: some ten milliseconds
_LARGE = {"import_batch": 1}  # holds files


@dataclass(frozen=True)
class SealedTable:
    """A table with sealed columns. `key`: its primary key, one column."""

    table: Table
    key: Column[Any]
    columns: tuple[Column[Any], ...]

    @property
    def name(self) -> str:
        return self.table.name


@dataclass(frozen=True)
class Resealed:
    """One value of one row: as it was read, and as it shall be."""

    row_id: int
    old: bytes
    new: bytes


def sealed_tables() -> tuple[SealedTable, ...]:
    """Return them all; the installation's own row, which every start opens, comes last."""
    found = []
    for one in Base.metadata.sorted_tables:
        if columns := tuple(column for column in one.columns if isinstance(column.type, Sealed)):
            [key] = one.primary_key.columns
            found.append(SealedTable(one, key, columns))
    return tuple(sorted(found, key=lambda one: one.name == "installation"))


def count_rows(db: Database) -> int:
    """Return how many rows have something sealed, or might."""
    with db.read() as session:
        return sum(session.scalar(select(func.count()).select_from(one.table)) or 0 for one in sealed_tables())


def rows_sealed(db: Database, one: SealedTable) -> Iterator[list[tuple[int, Sequence[bytes | None]]]]:
    """Yield a table's keys and sealed values by key, some hundred rows at a time, each batch a snapshot of its own."""
    raw = [type_coerce(column, LargeBinary) for column in one.columns]
    wanted = select(one.key, *raw).where(or_(*(column.is_not(None) for column in one.columns)))
    wanted = wanted.order_by(one.key).limit(_LARGE.get(one.name, AT_ONCE))
    after = None
    while True:
        with db.read() as session:
            rows = session.execute(wanted if after is None else wanted.where(one.key > after)).all()
        if not rows:
            return
        yield [(row[0], [None if value is None else bytes(value) for value in row[1:]]) for row in rows]
        after = rows[-1][0]


def replace_sealed(db: Database, one: SealedTable, values: dict[str, list[Resealed]]) -> None:
    """Put new values, by column, where the old ones still stand. Rows that somebody is writing are left for later."""
    ids = sorted({value.row_id for of_column in values.values() for value in of_column})
    raw = table(one.name, column(one.key.name), *(column(name, LargeBinary) for name in values))
    with db.begin() as session:
        free = select(one.key).where(one.key.in_(ids)).with_for_update(key_share=True, skip_locked=True)
        held = set(session.scalars(free))
        for name, of_column in values.items():
            statement = (
                update(raw)
                .where(raw.c[one.key.name] == bindparam("at"), raw.c[name] == bindparam("was", type_=LargeBinary))
                .values({name: bindparam("becomes", type_=LargeBinary)})
            )
            rows = [{"at": v.row_id, "was": v.old, "becomes": v.new} for v in of_column if v.row_id in held]
            if rows:
                session.connection().execute(statement, rows)
