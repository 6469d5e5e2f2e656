"""Writes that wait for the next one: nobody can tell by what is read or kept; a connection that ended is replaced."""

import os
import secrets
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Barrier, Event
from typing import Any

import pytest
from sqlalchemy import create_engine, func, make_url, select, text
from sqlalchemy.orm import Session

from app.actions.audit import audit
from app.actions.prepare import prepare
from app.actions.threads import text_came, text_went
from app.db import alive
from app.db.crypto import Keyring
from app.db.engine import FEW_AT_ONCE, Database
from app.db.inserts import insert_once
from app.db.migrate import migrate
from app.db.people import Phone
from app.db.threads import PhoneThread, ThreadState
from app.db.work import AuditEvent
from tests.db.conftest import CLINIC, NOW

SERVER = os.environ.get("PUMPLINE_TEST_POSTGRESQL_URL", "")
needs_server = pytest.mark.skipif(not SERVER, reason="PUMPLINE_TEST_POSTGRESQL_URL is not set: no PostgreSQL to try")


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=needs_server)])
def db(request: pytest.FixtureRequest, tmp_path: Path, key: str) -> Iterator[Database]:
    """A prepared database of each kind, gone at the end."""
    if request.param == "sqlite":
        made = Database(f"sqlite:///{tmp_path}/pumpline.db", Keyring([key]))
        yield prepared(made)
        made.close()
        return
    name = f"pumpline_{secrets.token_hex(6)}"
    server = create_engine(SERVER, isolation_level="AUTOCOMMIT")
    with server.connect() as connection:
        connection.execute(text(f"CREATE DATABASE {name}"))
    made = Database(make_url(SERVER).set(database=name).render_as_string(hide_password=False), Keyring([key]))
    yield prepared(made)
    made.close()
    with server.connect() as connection:
        connection.execute(text(f"DROP DATABASE {name} WITH (FORCE)"))
    server.dispose()


def prepared(db: Database) -> Database:
    migrate(db)
    prepare(db, CLINIC, NOW)
    return db


def verbs(session: Session) -> list[str]:
    query = select(AuditEvent.verb).where(AuditEvent.actor == "test").order_by(AuditEvent.id)
    return list(session.scalars(query))


def past_us(session: Session) -> int:
    """Count what has reached the database, asked on the driver's own cursor."""
    cursor: Any = session.connection().connection.cursor()
    cursor.execute("SELECT count(*) FROM audit_event WHERE actor = 'test'")
    return int(cursor.fetchone()[0])


def a_phone(session: Session, db: Database, number: str = "+16145550177") -> int:
    made = insert_once(
        session,
        Phone,
        ("clinic_id", "number_hash"),
        clinic_id=1,
        number=number,
        number_hash=db.hash_of(number),
        created_at=NOW,
    )
    assert made is not None
    return made


@needs_server
@pytest.mark.parametrize("db", ["postgresql"], indirect=True)
def test_a_write_that_waits_goes_with_the_next_one(db: Database) -> None:
    with db.begin() as session:
        audit(session, NOW, "test", "waits", "x")
        assert past_us(session) == 0
        phone = a_phone(session, db)
        assert past_us(session) == 1
    with db.read() as session:
        assert session.get_one(Phone, phone).number == "+16145550177"


def test_whoever_reads_in_the_transaction_sees_what_was_written_before(db: Database) -> None:
    with db.begin() as session:
        audit(session, NOW, "test", "one", "x")
        audit(session, NOW, "test", "two", "x")
        assert verbs(session) == ["one", "two"]
    with db.read() as session:
        assert verbs(session) == ["one", "two"]


def test_writes_to_the_same_row_come_one_after_the_other(db: Database) -> None:
    with db.begin() as session:
        phone = a_phone(session, db)
        text_came(session, 1, phone, 7, "es", NOW, wants_person=True)
        text_went(session, 1, phone, 9, NOW)
        text_came(session, 1, phone, 8, "es", NOW, wants_person=False)
        audit(session, NOW, "test", "beside", "x")
    with db.read() as session:
        thread = session.get_one(PhoneThread, phone)
        assert (thread.state, thread.last_in_id, thread.last_out_id, thread.version) == (ThreadState.OPEN, 8, 9, 2)
        assert thread.waiting_since == NOW


def test_what_waits_goes_with_a_transaction_that_fails(db: Database) -> None:
    def fails() -> None:
        with db.begin() as session:
            audit(session, NOW, "test", "lost", "x")
            raise RuntimeError

    for _ in range(3):
        with pytest.raises(RuntimeError):
            fails()
    with db.begin() as session:
        audit(session, NOW, "test", "kept", "x")
    with db.read() as session:
        assert verbs(session) == ["kept"]


def test_what_waits_inside_a_savepoint_goes_with_it_and_what_waited_before_stays(db: Database) -> None:
    with db.begin() as session:
        audit(session, NOW, "test", "before", "x")
        savepoint = session.begin_nested()
        audit(session, NOW, "test", "inside", "x")
        savepoint.rollback()
        audit(session, NOW, "test", "after", "x")
    with db.read() as session:
        assert verbs(session) == ["before", "after"]


@needs_server
@pytest.mark.parametrize("db", ["postgresql"], indirect=True)  # a writer of SQLite takes its turn
def test_a_session_of_its_own_commits_what_waits(db: Database) -> None:
    with Session(db.engine) as session:
        audit(session, NOW, "test", "alone", "x")
        session.commit()
    with db.read() as session:
        assert verbs(session) == ["alone"]


def test_what_cannot_be_written_fails_the_transaction_and_the_next_is_whole(db: Database) -> None:
    def fails() -> None:
        with db.begin() as session:
            audit(session, NOW, "test", "lost", "x")
            text_came(session, 1, 999_999, 7, "en", NOW, wants_person=False)  # a thread of no phone

    with pytest.raises(Exception, match=r"(?i)foreign key"):
        fails()
    with db.begin() as session:
        audit(session, NOW, "test", "kept", "x")
    with db.read() as session:
        assert verbs(session) == ["kept"]


@needs_server
@pytest.mark.parametrize("db", ["postgresql"], indirect=True)
def test_a_connection_that_the_server_ended_is_replaced_before_anybody_gets_it(db: Database) -> None:
    with db.begin() as session:
        before = session.scalar(select(func.pg_backend_pid()))
    server = create_engine(SERVER, isolation_level="AUTOCOMMIT")
    with server.connect() as connection:
        ended = connection.execute(text("SELECT pg_terminate_backend(:pid, 5000)"), {"pid": before}).scalar()
    server.dispose()
    assert ended
    with db.begin() as session:
        audit(session, NOW, "test", "after", "x")
        assert session.scalar(select(func.pg_backend_pid())) != before


@needs_server
@pytest.mark.parametrize("db", ["postgresql"], indirect=True)
def test_a_connection_that_rested_long_is_asked_and_kept(db: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(alive, "LONG_REST_SECONDS", -1.0)
    pids = set()
    for _ in range(3):
        with db.begin() as session:
            pids.add(session.scalar(select(func.pg_backend_pid())))
    assert len(pids) == 1


@needs_server
@pytest.mark.parametrize("db", ["postgresql"], indirect=True)
def test_works_that_wait_for_something_hold_up_no_other(db: Database) -> None:
    stuck, go_on = Barrier(FEW_AT_ONCE + 1), Event()

    def waits(session: Session) -> None:
        audit(session, NOW, "test", "waited", "x")
        stuck.wait(10)
        go_on.wait(10)

    with ThreadPoolExecutor(FEW_AT_ONCE) as pool:
        waiting = [pool.submit(db.write, waits) for _ in range(FEW_AT_ONCE)]
        stuck.wait(10)
        db.write(lambda session: audit(session, NOW, "test", "went on", "x"))
        with db.read() as session:
            assert verbs(session) == ["went on"]
        go_on.set()
        for one in waiting:
            one.result(10)
    with db.read() as session:
        assert sorted(verbs(session)) == ["waited"] * FEW_AT_ONCE + ["went on"]
