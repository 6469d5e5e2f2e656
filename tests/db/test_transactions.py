"""What is committed is there, what is rolled back is not, and writers take turns."""

import multiprocessing
import sqlite3
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path

import pytest
from sqlalchemy import func, select, text, update

from app.actions.audit import audit
from app.db.crypto import Keyring
from app.db.engine import Database
from app.db.inserts import insert_once
from app.db.people import Clinic, Phone
from app.db.work import AuditEvent, Installation
from tests.db.conftest import NOW


def deeds(db: Database) -> list[str]:
    with db.read() as session:
        return list(session.scalars(select(AuditEvent.verb).where(AuditEvent.actor == "test")))


def test_what_is_rolled_back_inside_a_savepoint_is_gone_and_the_rest_stays(db: Database) -> None:
    with db.begin() as session:
        audit(session, NOW, "test", "before", "x")
        with pytest.raises(RuntimeError), session.begin_nested():  # noqa: PT012
            audit(session, NOW, "test", "inside", "x")
            raise RuntimeError
        audit(session, NOW, "test", "after", "x")
    assert deeds(db) == ["before", "after"]


def test_an_insert_in_a_savepoint_does_not_survive_the_outer_rollback(db: Database) -> None:
    with pytest.raises(RuntimeError), db.begin() as session:  # noqa: PT012
        with session.begin_nested():
            audit(session, NOW, "test", "inside", "x")
        raise RuntimeError
    assert deeds(db) == []


def test_even_a_killed_thread_leaves_nothing_behind(db: Database) -> None:
    with pytest.raises(KeyboardInterrupt), db.begin() as session:  # noqa: PT012
        audit(session, NOW, "test", "half", "x")
        raise KeyboardInterrupt
    assert deeds(db) == []
    with db.begin() as session:  # and the writers' turn is free again
        audit(session, NOW, "test", "next", "x")
    assert deeds(db) == ["next"]


def test_nothing_written_in_a_reading_snapshot_is_kept(db: Database) -> None:
    with db.read() as session:
        audit(session, NOW, "test", "stray", "x")
    assert deeds(db) == []


def test_a_reader_is_not_kept_waiting_by_a_writer(db: Database) -> None:
    with db.begin() as session:
        audit(session, NOW, "test", "slow", "x")
        assert deeds(db) == []


def test_inserting_once_says_who_was_first(db: Database) -> None:
    with db.begin() as session:
        clinic_id = session.scalars(select(Clinic.id)).one()
        values = {"clinic_id": clinic_id, "number": "+1", "number_hash": "h", "created_at": NOW}
        made = [insert_once(session, Phone, ("clinic_id", "number_hash"), **values) for _ in range(2)]
    assert made[0] is not None
    assert made[1] is None


def add_one(db: Database) -> None:
    """Read, think, write: what loses counts wherever two writers get in at once."""
    with db.begin() as session:
        seconds = session.scalars(select(Installation.clock_ahead_seconds)).one()
        session.execute(update(Installation).values(clock_ahead_seconds=seconds + 1))


def count_in_a_process(url: str, key: str, times: int) -> None:
    db = Database(url, Keyring([key]))
    with ThreadPoolExecutor(2) as pool:
        list(pool.map(lambda _: add_one(db), range(times)))
    db.close()


def counted(db: Database) -> int:
    with db.read() as session:
        return session.scalars(select(Installation.clock_ahead_seconds)).one()


def test_no_count_is_lost_among_eight_threads(db: Database) -> None:
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda _: add_one(db), range(80)))
    assert counted(db) == 80


def test_no_count_is_lost_among_processes(db: Database, key: str) -> None:
    spawn = multiprocessing.get_context("spawn")
    workers = [spawn.Process(target=count_in_a_process, args=(db.url, key, 10)) for _ in range(4)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join(60)
    assert [worker.exitcode for worker in workers] == [0] * 4
    assert counted(db) == 40


def fork_during_a_turn(url: str, key: str) -> None:
    """Run where no other thread is: a child forked from a process with threads may find a lock held for ever."""
    db = Database(url, Keyring([key]))
    add_one(db)  # the lock file is open now, and would be inherited
    context = multiprocessing.get_context("fork")
    done = context.Event()

    def child() -> None:
        db.after_fork()
        add_one(db)
        done.set()

    with db.turn():
        worker = context.Process(target=child)
        worker.start()
        assert not done.wait(0.3)
    worker.join(30)
    assert worker.exitcode == 0


def test_a_forked_child_does_not_share_its_parents_turn(db: Database, key: str) -> None:
    parent = multiprocessing.get_context("spawn").Process(target=fork_during_a_turn, args=(db.url, key))
    parent.start()
    parent.join(60)
    assert parent.exitcode == 0
    assert counted(db) == 2


def test_writers_queue_in_turn_and_none_starves(db: Database) -> None:
    finished: list[int] = []
    lock = threading.Lock()

    def write(n: int) -> None:
        add_one(db)
        with lock:
            finished.append(n)

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(write, range(24)))
    assert sorted(finished) == list(range(24))


def test_what_was_committed_is_durable(db: Database, open_with: Callable[..., Database], key: str) -> None:
    with db.engine.connect() as connection:
        assert connection.execute(text("PRAGMA journal_mode")).scalar_one() == "wal"
        assert connection.execute(text("PRAGMA synchronous")).scalar_one() == 2
        assert connection.execute(text("PRAGMA foreign_keys")).scalar_one() == 1
        assert connection.connection.dbapi_connection.isolation_level is None  # type: ignore[union-attr]
    with db.begin() as session:
        audit(session, NOW, "test", "kept", "x")
    assert deeds(open_with(key)) == ["kept"]


def test_a_writer_holds_the_file_from_its_beginning_against_programs_that_do_not_queue(db: Database) -> None:
    locked = pytest.raises(sqlite3.OperationalError, match="locked")
    with closing(sqlite3.connect(str(db.engine.url.database), timeout=0)) as other, db.begin(), locked:
        other.execute("BEGIN IMMEDIATE")


def test_a_database_in_memory_is_refused(tmp_path: Path, key: str) -> None:
    with pytest.raises(ValueError, match="database file"):
        Database("sqlite://", Keyring([key]))


def test_unique_keys_guard_what_must_happen_once(db: Database) -> None:
    with db.read() as session:
        names = set(session.scalars(text("SELECT name FROM sqlite_master WHERE type = 'index'")))
        assert session.scalar(select(func.count()).select_from(Clinic)) == 1
    assert {"uq_task_open", "uq_appointment_booked"} <= names
