"""The version before goes on while the new one starts: steps since the last release only add.

migrations/released.txt names the newest step of the last release. What a step takes away, it takes away one release
after the code stopped using it, and then this file's contract is moved, with a line in CHANGELOG.md.
"""

from dataclasses import dataclass
from pathlib import Path

from sqlalchemy import inspect

import migrations
from app.db.engine import Database
from app.db.migrate import is_known, migrate

RELEASED = Path(migrations.__file__).parent / "released.txt"


@dataclass(frozen=True)
class Column:
    type: str
    nullable: bool
    has_default: bool


@dataclass(frozen=True)
class Table:
    columns: dict[str, Column]
    unique: frozenset[tuple[str, ...]]


def tables(db: Database) -> dict[str, Table]:
    with db.engine.connect() as connection:
        look = inspect(connection)
        found = {}
        for name in look.get_table_names():
            columns = {
                column["name"]: Column(str(column["type"]), bool(column["nullable"]), column["default"] is not None)
                for column in look.get_columns(name)
            }
            unique = [constraint["column_names"] for constraint in look.get_unique_constraints(name)]
            unique += [index["column_names"] for index in look.get_indexes(name) if index["unique"]]
            found[name] = Table(columns, frozenset(tuple(sorted(str(c) for c in names)) for names in unique))
        return found


def hurts(before: dict[str, Table], after: dict[str, Table]) -> list[str]:
    """Return what the version before would stumble over, a sentence each."""
    found = [f"{name} is gone" for name in before if name not in after]
    for name, old in before.items():
        new = after.get(name, old)
        for column, was in old.columns.items():
            now = new.columns.get(column)
            if now is None:
                found.append(f"{name}.{column} is gone")
            elif now.type != was.type:
                found.append(f"{name}.{column} was {was.type} and is {now.type}")
            elif was.nullable and not now.nullable:
                found.append(f"{name}.{column} must now be filled")
        found += [
            f"{name}.{column} must be filled, and the version before does not know it"
            for column, now in new.columns.items()
            if column not in old.columns and not now.nullable and not now.has_default
        ]
        known = set(old.columns)
        found += [
            f"{name}: {', '.join(names)} must now be unique"
            for names in sorted(new.unique - old.unique)
            if set(names) <= known
        ]
    return sorted(found)


def test_steps_since_the_last_release_only_add(empty: Database) -> None:
    released = RELEASED.read_text("utf-8").strip()
    assert is_known(released)
    migrate(empty, released)
    before = tables(empty)
    migrate(empty)
    assert hurts(before, tables(empty)) == []


def test_what_would_stop_the_version_before_is_found() -> None:
    text, needed = Column("VARCHAR", True, False), Column("VARCHAR", False, False)
    number, filled = Column("INTEGER", True, False), Column("VARCHAR", False, True)
    old = Table({"name": text, "phone": text, "note": text}, frozenset())
    new = Table(
        {"name": needed, "note": number, "a": needed, "b": text, "c": filled}, frozenset({("name",), ("b", "name")})
    )
    before = {"patient": old, "visit": Table({}, frozenset())}
    assert hurts(before, {"patient": new, "new": Table({"id": needed}, frozenset())}) == [
        "patient.a must be filled, and the version before does not know it",
        "patient.name must now be filled",
        "patient.note was VARCHAR and is INTEGER",
        "patient.phone is gone",
        "patient: name must now be unique",
        "visit is gone",
    ]
    assert hurts(before, before) == []
