"""Damaging what is kept, as a bad disk would."""

from collections.abc import Iterator
from contextlib import contextmanager

from sqlalchemy import text

from app.actions.line import Line

NONSENSE = b"\x80 nonsense" * 9


def damage(line: Line, table: str, *columns: str, row_id: int | None = None) -> None:
    """Overwrite sealed values, of one row or of all."""
    values = ", ".join(f"{column} = :bad" for column in columns)
    with line.db.begin() as session:
        where = " WHERE id = :id" if row_id is not None else ""
        session.execute(text(f"UPDATE {table} SET {values}{where}"), {"bad": NONSENSE, "id": row_id})


@contextmanager
def damaged_for_now(line: Line, table: str, column: str, row_id: int) -> Iterator[None]:
    """Damage one value, and put it right afterwards, as with a key that is given again."""
    with line.db.begin() as session:
        whole = session.execute(text(f"SELECT {column} FROM {table} WHERE id = :id"), {"id": row_id}).scalar_one()
    damage(line, table, column, row_id=row_id)
    yield
    with line.db.begin() as session:
        session.execute(text(f"UPDATE {table} SET {column} = :was WHERE id = :id"), {"was": whole, "id": row_id})
