"""Moving to another database: everything arrives, or the target stays empty; the source is only read."""

from collections.abc import Callable
from pathlib import Path

import pytest
from sqlalchemy import text

from app.actions.add_staff import add_staff
from app.actions.empty_target import empty_again
from app.actions.errors import Refused
from app.actions.line import Line
from app.actions.move_database import NotEqual, move_database, refuse_running, rows_to_move
from app.actions.verify_audit import verify_audit
from app.db.engine import Database
from app.db.heartbeat import BACKUP
from app.db.migrate import current, migrate, newest
from app.db.row_copy import CopyFailed, occupied
from app.db.shapes import KINDS, shapes
from tests.actions.moving_stage import BOTH, Another, all_rows, another, lived_in, server
from tests.conftest import FrozenClock, Someone

__all__ = ["another", "lived_in", "server"]


def is_empty(db: Database) -> bool:
    with db.engine.connect() as connection:
        return occupied(connection, shapes(connection)) == []


@pytest.mark.parametrize("kind", BOTH)
def test_every_value_of_every_table_arrives_and_new_rows_are_numbered_after_them(
    lived_in: Line, another: Another, clock: FrozenClock, kind: str
) -> None:
    before = all_rows(lived_in.db)
    target = another(kind)
    moved = move_database(lived_in.db, target)
    assert all_rows(target) == before == all_rows(lived_in.db)
    assert moved.rows == sum(map(len, before.values())) == rows_to_move(target)
    assert moved.audit == verify_audit(lived_in.db)
    assert target.hash_of("+16145550142") == lived_in.db.hash_of("+16145550142")
    highest = max(ids(lived_in.db, "audit_event"))
    add_staff(target, "new@clinic.example", "Nurse", "nurse", "four quiet words", clock())
    assert max(ids(target, "audit_event")) == highest + 1


@pytest.mark.parametrize("kind", BOTH[1:])
def test_there_on_and_back_again_is_the_same_and_no_number_is_given_twice(
    lived_in: Line, another: Another, kind: str
) -> None:
    there, on, back = another(kind), another(kind), another("sqlite")
    move_database(lived_in.db, there)
    with there.begin() as session:  # as after an import that was undone: the highest numbers were given, and are gone
        session.execute(text("SELECT setval(pg_get_serial_sequence('patient', 'id'), 70)"))
    move_database(there, on)
    move_database(on, back)
    assert all_rows(back) == all_rows(lived_in.db)
    with on.engine.connect() as connection:
        assert connection.execute(text("SELECT nextval(pg_get_serial_sequence('patient', 'id'))")).scalar() == 71
        assert connection.execute(text("SELECT nextval(pg_get_serial_sequence('phone', 'id'))")).scalar() == 4


def test_an_empty_database_gets_its_tables(lived_in: Line, tmp_path: Path) -> None:
    target = Database(f"sqlite:///{tmp_path}/new.db", lived_in.db.keyring)
    move_database(lived_in.db, target)
    assert current(target) == newest()
    target.close()


def ids(db: Database, table: str) -> list[int]:
    with db.engine.connect() as connection:
        return list(connection.scalars(text(f"SELECT id FROM {table} ORDER BY id")))


@pytest.mark.parametrize("kind", BOTH)
def test_both_databases_know_every_kind_of_value(another: Another, kind: str) -> None:
    db, plain = another(kind), another("sqlite")
    with db.engine.connect() as one, plain.engine.connect() as other:
        found = {shape.name: (set(shape.columns), shape.key) for shape in shapes(one)}
        assert found == {shape.name: (set(shape.columns), shape.key) for shape in shapes(other)}
    assert {column.kind for columns, _ in found.values() for column in columns} == KINDS
    assert all(key for _, key in found.values()), "a table without a key cannot be compared"


@pytest.mark.parametrize("kind", BOTH)
def test_a_target_with_rows_is_refused_and_left_as_it_was(lived_in: Line, another: Another, kind: str) -> None:
    target = another(kind)
    move_database(lived_in.db, target)
    before = all_rows(target)
    with pytest.raises(Refused, match=r"holds rows already \(care_step 14, .*name an empty database$"):
        move_database(lived_in.db, target)
    assert all_rows(target) == before


def test_tables_of_an_older_version_are_refused(lived_in: Line, another: Another) -> None:
    migrate(lived_in.db, "0011")
    with pytest.raises(Refused, match="run `pumpline migrate` first"):
        rows_to_move(lived_in.db)


def test_a_line_whose_jobs_beat_is_refused_until_it_is_stopped(lived_in: Line, clock: FrozenClock) -> None:
    def beats(name: str) -> None:
        with lived_in.db.begin() as session:
            ask = text("INSERT INTO job_health (name, failures, ok_at) VALUES (:name, 0, :at)")
            session.execute(ask, {"name": name, "at": clock().replace(tzinfo=None).isoformat(" ")})

    beats(BACKUP)
    refuse_running(lived_in.db, clock())  # a backup just before is how it should be
    beats("send_outbox")
    with pytest.raises(Refused, match="--stopped"):
        refuse_running(lived_in.db, clock())
    clock.forward(minutes=4)
    refuse_running(lived_in.db, clock())


@pytest.mark.parametrize("kind", BOTH)
def test_what_is_written_meanwhile_leaves_the_target_empty(
    lived_in: Line, another: Another, texts: Callable[..., object], maria: Someone, kind: str
) -> None:
    source, target = another(kind), another("sqlite")
    move_database(lived_in.db, source)
    wrote = False

    def told(part: str, _rows: int) -> None:
        nonlocal wrote
        if part == "compare" and not wrote:
            wrote = True
            with source.begin() as session:
                session.execute(text("UPDATE patient SET language = 'es'"))

    with pytest.raises(Refused, match="something wrote to the database"):
        move_database(source, target, told)
    assert is_empty(target)
    move_database(source, target)
    assert all_rows(target)["patient"] == all_rows(source)["patient"]


@pytest.mark.parametrize("kind", BOTH)
def test_what_is_interrupted_leaves_the_target_empty_and_can_be_begun_anew(
    lived_in: Line, another: Another, kind: str
) -> None:
    target = another(kind)

    def interrupted(part: str, _rows: int) -> None:
        if part == "compare":
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        move_database(lived_in.db, target, interrupted)
    assert is_empty(target)
    move_database(lived_in.db, target)
    assert all_rows(target) == all_rows(lived_in.db)


def test_a_database_that_changes_what_it_is_given_is_found_out_by_table_and_id(
    lived_in: Line, another: Another
) -> None:
    target = another()
    with target.begin() as session:
        session.execute(
            text(
                "CREATE TRIGGER meddles AFTER INSERT ON phone "
                "BEGIN UPDATE phone SET language = 'xx' WHERE id = NEW.id AND id = 2; END"
            )
        )
        session.execute(
            text("CREATE TRIGGER loses AFTER INSERT ON consent_event BEGIN DELETE FROM consent_event WHERE id = 1; END")
        )
    with pytest.raises(NotEqual) as found:
        move_database(lived_in.db, target)
    assert found.value.lines == ["phone 2 differs in language", "consent_event 1 is missing"]
    assert is_empty(target)


@pytest.mark.parametrize("kind", BOTH[1:])
def test_a_value_that_the_target_cannot_hold_is_told_by_its_table_alone(
    lived_in: Line, another: Another, kind: str
) -> None:
    with lived_in.db.begin() as session:
        session.execute(text("UPDATE task SET reason = 'sec' || char(0) || 'ret'"))
    target = another(kind)
    with pytest.raises(CopyFailed) as found:
        move_database(lived_in.db, target)
    assert "task" in str(found.value)
    assert "ret" not in str(found.value)
    assert is_empty(target)


@pytest.mark.parametrize("kind", BOTH)
def test_a_database_that_was_filled_for_a_drill_is_emptied_and_can_be_filled_again(
    lived_in: Line, another: Another, kind: str
) -> None:
    target = another(kind)
    for _ in range(2):
        move_database(lived_in.db, target)
        empty_again(target)
        with target.engine.connect() as connection:
            assert shapes(connection) == ()
    migrate(target)
