"""The history of the tables: up, down to nothing, up again, and at its end what the models say."""

from collections.abc import Callable
from typing import Any

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from alembic.util import CommandError
from sqlalchemy import Connection, inspect, text
from sqlalchemy.types import TypeDecorator

from app.actions.prepare import prepare
from app.db.engine import Database, NotPrepared
from app.db.migrate import config, current, migrate, newest
from app.db.tables import Base
from tests.db.conftest import CLINIC, NOW


def tables(db: Database) -> set[str]:
    with db.engine.connect() as connection:
        return set(inspect(connection).get_table_names())


def test_there_is_one_newest_revision() -> None:
    assert ScriptDirectory.from_config(config()).get_heads() == [newest()]


def test_up_makes_every_table_and_nothing_else(empty: Database) -> None:
    assert migrate(empty)
    assert tables(empty) == {*Base.metadata.tables, "alembic_version"}
    assert current(empty) == newest()


def test_down_leaves_nothing_and_up_again_works(empty: Database) -> None:
    migrate(empty)
    migrate(empty, "base")
    assert tables(empty) <= {"alembic_version"}
    migrate(empty)
    prepare(empty, CLINIC, NOW)
    assert tables(empty) == {*Base.metadata.tables, "alembic_version"}


def test_every_single_step_can_be_taken_back(empty: Database) -> None:
    steps = [step.revision for step in ScriptDirectory.from_config(config()).walk_revisions()]
    for revision in reversed(steps):
        migrate(empty, revision)
    for revision in [*steps[1:], "base"]:
        migrate(empty, revision)
    assert current(empty) is None


def test_migrating_twice_changes_nothing(db: Database) -> None:
    assert migrate(db) is False


def same_type(_: MigrationContext, __: Any, ___: Any, found: Any, wanted: Any) -> bool | None:
    """Compare what the database keeps, not our decorators around it. True means different."""
    inner = wanted.impl if isinstance(wanted, TypeDecorator) else wanted
    dialect = _.dialect
    return str(found.compile(dialect)) != str(inner.dialect_impl(dialect).compile(dialect))


def test_the_models_are_what_the_history_ends_with(db: Database) -> None:
    def differences(connection: Connection) -> list[Any]:
        options = {"compare_type": same_type, "compare_server_default": False}
        return compare_metadata(MigrationContext.configure(connection, opts=options), Base.metadata)

    with db.engine.connect() as connection:
        assert differences(connection) == []
        connection.exec_driver_sql("ALTER TABLE patient ADD COLUMN shoe_size INTEGER")
        assert differences(connection) != []
        connection.rollback()


def test_partial_unique_indexes_have_the_models_conditions(db: Database) -> None:
    with db.engine.connect() as connection:
        found = dict(
            connection.execute(
                text("SELECT name, sql FROM sqlite_master WHERE type='index' AND sql LIKE '% WHERE %'")
            ).all()
        )
    wanted = {
        index.name: str(index.dialect_options["sqlite"]["where"])
        for table in Base.metadata.tables.values()
        for index in table.indexes
        if index.dialect_options["sqlite"]["where"] is not None
    }
    assert {name: sql.split(" WHERE ")[1] for name, sql in found.items()} == wanted


def test_a_revision_nobody_wrote_is_refused(db: Database) -> None:
    with pytest.raises(CommandError):
        migrate(db, "ffff")
    assert current(db) == newest()


def test_a_database_that_was_never_migrated_says_what_to_run(open_with: Callable[..., Database], key: str) -> None:
    with pytest.raises(NotPrepared, match="pumpline migrate"):
        open_with(key).hash_of("+16145550142")


def test_preparing_twice_makes_one_clinic_and_keeps_the_lookup_key(db: Database) -> None:
    before = db.hash_of("+16145550142")
    assert prepare(db, CLINIC, NOW) == prepare(db, CLINIC, NOW)
    del db.lookup_key
    assert db.hash_of("+16145550142") == before
