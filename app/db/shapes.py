"""Our tables as a database has them: columns by kind, in an order in which no row comes before one it refers to.

They are read from the database, not from the models: a backup may be older than this version's tables.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from graphlib import TopologicalSorter
from typing import Any

from sqlalchemy import Connection, inspect, types

from app.db.tables import Base

OURS = frozenset(Base.metadata.tables)

# the first that fits; a dose is kept as text, and an instant is text on SQLite
_KINDS: tuple[tuple[type[types.TypeEngine[Any]], str], ...] = (
    (types.Boolean, "boolean"),
    (types.Integer, "integer"),
    (types.JSON, "json"),
    (types.LargeBinary, "bytes"),
    (types.DateTime, "instant"),
    (types.Date, "date"),
    (types.Time, "time"),
    (types.String, "text"),
)
KINDS = frozenset(kind for _, kind in _KINDS)


@dataclass(frozen=True)
class Column:
    name: str
    kind: str


@dataclass(frozen=True)
class Shape:
    """One table. `key` holds the names of its primary key's columns."""

    name: str
    columns: tuple[Column, ...]
    key: tuple[str, ...]

    @property
    def names(self) -> tuple[str, ...]:
        return tuple(column.name for column in self.columns)

    @property
    def key_places(self) -> tuple[int, ...]:
        return tuple(self.names.index(name) for name in self.key)

    def places_of(self, kind: str) -> tuple[int, ...]:
        return tuple(place for place, column in enumerate(self.columns) if column.kind == kind)


def shapes(connection: Connection, names: Collection[str] = OURS) -> tuple[Shape, ...]:
    """Return those of these tables that are there. Others' tables in the same database are left alone."""
    found = inspect(connection)
    wanted = sorted(names)
    columns = {name: list(held) for (_, name), held in found.get_multi_columns(filter_names=wanted).items()}
    keys = {name: held for (_, name), held in found.get_multi_pk_constraint(filter_names=wanted).items()}
    refers = {name: held for (_, name), held in found.get_multi_foreign_keys(filter_names=wanted).items()}
    order = TopologicalSorter(
        {name: sorted({key["referred_table"] for key in refers.get(name, ())} - {name}) for name in sorted(columns)}
    )
    return tuple(
        Shape(
            name,
            tuple(Column(column["name"], _kind(name, column["name"], column["type"])) for column in columns[name]),
            tuple(keys[name]["constrained_columns"]),
        )
        for name in order.static_order()
        if name in columns
    )


def _kind(table: str, column: str, kept_as: types.TypeEngine[Any]) -> str:
    for base, kind in _KINDS:
        if isinstance(kept_as, base):
            return kind
    raise ValueError(f"{table}.{column} is of a type that cannot be copied yet: {kept_as!r}")


def unlike(wanted: Sequence[Shape], found: Sequence[Shape]) -> list[str]:
    """Return the names of the tables that cannot take each other's rows; the order of columns does not matter."""
    there = {shape.name: shape for shape in found}
    return [shape.name for shape in wanted if shape.name not in there or not _same(shape, there[shape.name])]


def _same(one: Shape, other: Shape) -> bool:
    return set(one.columns) == set(other.columns) and set(one.key) == set(other.key)
