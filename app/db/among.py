"""Rows whose id is one of many: the ids travel as one value, so the statement stays the same however many there are.

`column.in_(ids)` writes a parameter for each id: hundreds of them cost more to write, send and plan than the rows cost
to read, and no two lengths are the same statement.
"""

import json
from collections.abc import Iterable
from typing import Any

from sqlalchemy import ARRAY, BigInteger, BindParameter, Boolean, ColumnElement, Dialect, Text, bindparam
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.orm import InstrumentedAttribute
from sqlalchemy.sql.compiler import SQLCompiler
from sqlalchemy.sql.functions import FunctionElement
from sqlalchemy.types import TypeDecorator, TypeEngine


class Ids(TypeDecorator[Iterable[int]]):
    """Many ids as one value: an array on PostgreSQL, a JSON list on SQLite."""

    impl = Text
    cache_ok = True

    def load_dialect_impl(self, dialect: Dialect) -> TypeEngine[Any]:
        return dialect.type_descriptor(ARRAY(BigInteger()) if dialect.name == "postgresql" else Text())

    def process_bind_param(self, value: Iterable[int] | None, dialect: Dialect) -> Any:
        listed = list(value or ())
        return listed if dialect.name == "postgresql" else json.dumps(listed)


class _Among(FunctionElement[bool]):
    type = Boolean()
    inherit_cache = True

    def self_group(self, against: Any = None) -> Any:  # noqa: ARG002
        """Stand in a condition as it is: SQLAlchemy would write `= 1` after it, and SQLite then uses no index."""
        return self


def among(
    column: ColumnElement[int] | InstrumentedAttribute[int] | InstrumentedAttribute[int | None],
    ids: Iterable[int] | str,
) -> ColumnElement[bool]:
    """Return whether the column is one of these ids; a string names the parameter by which they come later."""
    value: BindParameter[Any] = (
        bindparam(ids, type_=Ids()) if isinstance(ids, str) else bindparam("ids", list(ids), type_=Ids(), unique=True)
    )
    return _Among(column, value)


@compiles(_Among, "postgresql")
def _any(element: _Among, compiler: SQLCompiler, **how: Any) -> str:
    column, ids = element.clauses
    return f"{compiler.process(column, **how)} = ANY({compiler.process(ids, **how)})"


@compiles(_Among, "sqlite")
def _each(element: _Among, compiler: SQLCompiler, **how: Any) -> str:
    column, ids = element.clauses
    left, right = (compiler.process(part, **how) for part in (column, ids))
    return f"{left} IN (SELECT value FROM json_each({right}))"  # noqa: S608 both are compiled, neither is a value
