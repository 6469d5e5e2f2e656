"""Writers who wait share a commit: none is answered before it, none spoils another's, none waits for ever."""

import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextvars import ContextVar
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from cryptography.fernet import Fernet
from sqlalchemy import event, select, text
from sqlalchemy.orm import Session

from app.db.crypto import Keyring
from app.db.engine import Database
from app.db.migrate import migrate
from app.db.tally import Tally, add_one
from app.db.together import AT_MOST
from app.db.work import JobHealth

NOW = datetime(2026, 11, 23, 15, tzinfo=UTC)
WHO: ContextVar[int] = ContextVar("who", default=-1)


@pytest.fixture
def db(tmp_path: Path) -> Iterator[Database]:
    made = Database(f"sqlite:///{tmp_path}/pumpline.db", Keyring([Fernet.generate_key().decode()]))
    migrate(made)
    yield made
    made.close()


@pytest.fixture
def commits(db: Database) -> list[int]:
    seen: list[int] = []
    event.listen(db.engine, "commit", lambda _: seen.append(1))
    return seen


def labels(db: Database) -> dict[str, int]:
    with db.read() as session:
        return {row.label: row.number for row in session.scalars(select(Tally))}


def all_at_once(db: Database, works: list[Callable[[Session], Any]]) -> list[Any]:
    """Have each done by a thread of its own, all of them waiting while somebody else writes; errors come back too."""

    def do(n: int) -> Any:
        WHO.set(n)
        try:
            return db.write(works[n])
        except Exception as error:
            return error

    with ThreadPoolExecutor(len(works)) as pool:
        with db.turn():
            asked = [pool.submit(do, n) for n in range(len(works))]
            until = time.monotonic() + 5
            while len(db._together._waiting) < len(works) and time.monotonic() < until:
                threading.Event().wait(0.001)
        return [one.result(10) for one in asked]


def counting(label: str) -> Callable[[Session], str]:
    def work(session: Session) -> str:
        add_one(session, "test", label)
        return label

    return work


def test_those_who_wait_share_a_commit(db: Database, commits: list[int]) -> None:
    names = [str(n) for n in range(40)]
    assert all_at_once(db, [counting(name) for name in names]) == names
    assert labels(db) == dict.fromkeys(names, 1)
    assert len(commits) == -(-40 // AT_MOST)


def test_one_alone_is_done_as_ever(db: Database, commits: list[int]) -> None:
    assert db.write(counting("a")) == "a"
    assert labels(db) == {"a": 1}
    assert len(commits) == 1


def failing(session: Session) -> None:
    add_one(session, "test", "bad")
    session.add(JobHealth(name="bad", failures=0, ok_at=NOW))
    session.flush()
    raise ValueError("bad")


def test_what_one_wrote_before_it_threw_is_undone_and_the_others_stay(db: Database, commits: list[int]) -> None:
    first, error, last = all_at_once(db, [counting("a"), failing, counting("b")])
    assert (first, last) == ("a", "b")
    assert isinstance(error, ValueError)
    assert labels(db) == {"a": 1, "b": 1}
    assert len(commits) == 1, "it was put aside, and nobody had to come again"


def test_objects_that_were_only_added_are_written(db: Database) -> None:
    def work(n: int) -> Callable[[Session], None]:
        return lambda session: session.add(JobHealth(name=str(n), failures=n, ok_at=NOW))

    assert all_at_once(db, [work(n) for n in range(5)]) == [None] * 5
    with db.read() as session:
        assert [row.failures for row in session.scalars(select(JobHealth).order_by(JobHealth.name))] == [0, 1, 2, 3, 4]


def test_each_sees_what_the_ones_before_it_did_to_the_same_row(db: Database) -> None:
    """Two reports on one text: the second must not be written over by the first."""
    with db.begin() as session:
        session.add(JobHealth(name="one", failures=0, ok_at=NOW))

    def next_one(session: Session) -> int:
        row = session.get_one(JobHealth, "one")
        row.failures += 1
        return row.failures

    assert sorted(all_at_once(db, [next_one] * 6)) == [1, 2, 3, 4, 5, 6]
    with db.read() as session:
        assert session.get_one(JobHealth, "one").failures == 6


def test_one_that_undoes_the_whole_transaction_harms_only_itself(db: Database) -> None:
    def breaks_it(session: Session) -> None:
        add_one(session, "test", "bad")
        session.rollback()
        raise ValueError("bad")

    def twice_the_same(session: Session) -> None:  # the database refuses, and the session undoes what it knows of
        session.add(JobHealth(name="same", failures=0, ok_at=NOW))
        session.flush()
        session.execute(text("INSERT INTO job_health (name, failures) VALUES ('same', 0)"))

    outcome = all_at_once(db, [counting("a"), breaks_it, counting("b"), twice_the_same, counting("c")])
    assert [outcome[0], outcome[2], outcome[4]] == ["a", "b", "c"]
    assert isinstance(outcome[1], ValueError)
    assert isinstance(outcome[3], Exception)
    assert labels(db) == {"a": 1, "b": 1, "c": 1}
    with db.read() as session:
        assert session.scalars(select(JobHealth)).all() == []


def test_a_commit_that_fails_answers_nobody_and_each_is_done_again_alone(db: Database, commits: list[int]) -> None:
    failed: list[int] = []

    @event.listens_for(db.engine, "commit")
    def full(_: Any) -> None:
        if not failed:
            failed.append(1)
            raise OSError("disk full")

    assert all_at_once(db, [counting("a"), counting("b"), counting("c")]) == ["a", "b", "c"]
    assert labels(db) == {"a": 1, "b": 1, "c": 1}


def test_a_disk_that_stays_full_tells_each_of_them(db: Database) -> None:
    @event.listens_for(db.engine, "commit")
    def full(_: Any) -> None:
        raise OSError("disk full")

    outcome = all_at_once(db, [counting("a"), counting("b"), counting("c")])
    assert [type(error) for error in outcome] == [OSError] * 3
    event.remove(db.engine, "commit", full)
    assert labels(db) == {}
    assert db.write(counting("later")) == "later"


def test_each_is_done_as_whoever_asked(db: Database) -> None:
    """Log lines and tokens carry the request of the text, whoever's thread does the work."""
    outcome = all_at_once(db, [lambda _: (WHO.get(), threading.get_ident()) for _ in range(8)])
    assert [who for who, _ in outcome] == list(range(8))
    assert len({thread for _, thread in outcome}) == 1


def test_a_leader_that_is_stopped_leaves_nobody_waiting(db: Database) -> None:
    def stopped(_: Session) -> None:
        raise SystemExit

    def do(work: Callable[[Session], Any]) -> str:
        try:
            return str(db.write(work))
        except BaseException as error:
            return type(error).__name__

    with ThreadPoolExecutor(3) as pool:
        with db.turn():
            asked = [pool.submit(do, work) for work in (stopped, counting("a"), counting("b"))]
            until = time.monotonic() + 5
            while len(db._together._waiting) < 3 and time.monotonic() < until:
                threading.Event().wait(0.001)
        outcome = [one.result(10) for one in asked]
    assert "SystemExit" in outcome
    told = {name: name in outcome for name in ("a", "b")}
    assert {name: name in labels(db) for name in ("a", "b")} == told, "who was not told of an error has its row"
    assert db.write(counting("later")) == "later"
