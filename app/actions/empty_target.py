"""A database that rows may be put into: with the right tables, nothing in them, and nobody else at them."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from sqlalchemy import Connection, text
from sqlalchemy.exc import DBAPIError

from app.actions.errors import Refused
from app.db.engine import Database
from app.db.migrate import current, drop_engine_tables, migrate
from app.db.row_copy import counts, occupied, quoted
from app.db.shapes import OURS, Shape, shapes, unlike


def refuse_occupied(target: Database) -> None:
    """Raise Refused where a database holds rows of ours, or cannot be reached."""
    with _reachable(), target.engine.connect() as connection:
        _refuse_rows(connection, shapes(connection))
        connection.rollback()


def prepare_tables(target: Database, revision: str) -> None:
    """Make the tables of this revision in an empty database. Raises Refused where it holds rows already."""
    with _reachable():
        at = current(target)
        if at not in (None, revision):  # what is at it already is looked at by `filling`
            refuse_occupied(target)
        if at != revision:
            migrate(target, revision)


@contextmanager
def _reachable() -> Iterator[None]:
    try:
        yield
    except DBAPIError as error:
        raise Refused(
            f"the target cannot be used ({type(error.orig).__name__}): is its address right, does the server run, and "
            "may this user make tables?"
        ) from None


@contextmanager
def filling(target: Database, wanted: Sequence[Shape]) -> Iterator[Connection]:
    """One transaction on the target, whole or not at all: what is interrupted leaves it empty. Raises Refused."""
    with target.turn(), target.engine.connect().execution_options(writes=True) as connection, connection.begin():
        found = shapes(connection, OURS | {shape.name for shape in wanted})
        if wrong := unlike(wanted, found):
            raise Refused(f"the target's tables are others than the source's: {', '.join(wrong)}")
        if not target.is_sqlite:  # there, whoever writes is alone
            names = ", ".join(quoted(connection, shape.name) for shape in found)
            connection.execute(text(f"LOCK TABLE {names} IN EXCLUSIVE MODE"))
        _refuse_rows(connection, found)
        yield connection


def empty_again(target: Database) -> None:
    """Drop the tables of a database that was empty before. Not by the history: its steps back keep foreign keys."""
    with target.turn(), target.engine.connect().execution_options(writes=True) as connection, connection.begin():
        for shape in reversed(shapes(connection)):
            connection.execute(text(f"DROP TABLE {quoted(connection, shape.name)}"))
        connection.execute(text("DROP TABLE alembic_version"))
        drop_engine_tables(connection)
        if not target.is_sqlite:
            connection.execute(text("DROP FUNCTION IF EXISTS audit_event_only_added()"))


def _refuse_rows(connection: Connection, tables: Sequence[Shape]) -> None:
    held = occupied(connection, tables)
    if not held:
        return
    by_name = {shape.name: shape for shape in tables}
    found = counts(connection, [by_name[name] for name in held])
    said = ", ".join(f"{name} {count:,}" for name, count in sorted(found.items(), key=lambda one: -one[1])[:5])
    more = f" and {len(held) - 5} more tables" if len(held) > 5 else ""
    remedy = "name an empty database"
    if not found.get("patient") and not found.get("inbound_message"):
        remedy += ", or drop this one, which only `pumpline migrate` seems to have filled, and make it again"
    raise Refused(f"the target holds rows already ({said}{more}), and nothing was changed: {remedy}", "conflict")
