"""The database: an engine with its keyring, and two ways in (read, begin).

SQLite: the driver's own transaction handling lost rollbacks of savepoints, so transactions are begun here. Writers
queue on a lock (one in the process, one across processes) instead of polling for SQLite's; it keeps the slowest
answer close to the median. Committed is durable: WAL with synchronous=FULL.
"""

import fcntl
import os
import threading
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from functools import cached_property
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, Engine, create_engine, event, text
from sqlalchemy.engine import make_url
from sqlalchemy.orm import Session
from sqlalchemy.pool import ConnectionPoolEntry

from app.db import later
from app.db.alive import ask_if_alive
from app.db.crypto import Keyring, keyed_hash
from app.db.together import Result, Together
from app.db.types import use_keyring

_CONNECTION = "pumpline.connection"
FEW_AT_ONCE = 3  # short works of one process on PostgreSQL: sixteen threads wait longest for the interpreter
NOT_AFTER_SECONDS = 0.15  # then one more: somebody waits for a row, or the server is far
_DRIVERS_OWN = ("context", "autocommit", "prepare_threshold")  # what psycopg takes and the library below does not
GONE = {  # seconds, tries, milliseconds until PostgreSQL gives up a client that no longer answers: half a minute
    "tcp_keepalives_idle": 10,
    "tcp_keepalives_interval": 5,
    "tcp_keepalives_count": 4,
    "tcp_user_timeout": 30_000,
}


class WriteQueue:
    """Lets one writer in at a time, in this process and across processes on this machine."""

    def __init__(self, path: Path) -> None:
        self._thread_lock = threading.Lock()
        self._path = path
        self._file: Any = None

    @contextmanager
    def turn(self) -> Iterator[None]:
        with self._thread_lock:
            if self._file is None:
                self._file = self._path.open("ab")
            fcntl.flock(self._file, fcntl.LOCK_EX)
            try:
                yield
            finally:
                fcntl.flock(self._file, fcntl.LOCK_UN)

    def forget(self) -> None:
        """Drop a lock file inherited over fork: a child that shares it would share the lock too."""
        self._thread_lock = threading.Lock()
        self._file = None


class NotPrepared(Exception):
    """The database has no tables or no installation row yet."""


class Database:
    """One database and its keyring. Raises NotPrepared when used before `pumpline migrate`."""

    def __init__(self, url: str, keyring: Keyring) -> None:
        self.url = url
        self.keyring = keyring
        self.is_sqlite = make_url(url).get_backend_name() == "sqlite"
        self._queue: WriteQueue | None = None
        if self.is_sqlite:
            self.engine, self._queue = _sqlite_engine(url)
        else:
            self.engine = _postgresql_engine(url)
        self._together = Together(self.begin)
        self._few = threading.Semaphore(FEW_AT_ONCE)
        use_keyring(self.engine.dialect, keyring)

    @cached_property
    def lookup_key(self) -> str:
        """The key of the phone hash. It lives in the database, sealed, so that every machine has it."""
        with self.engine.connect() as connection:
            try:
                token = connection.execute(text("SELECT lookup_key FROM installation WHERE id = 1")).scalar()
            except Exception as error:
                raise NotPrepared("the database is not ready: run `pumpline migrate`") from error
        if token is None:
            raise NotPrepared("the database is empty: run `pumpline migrate`")
        return self.keyring.open(bytes(token))

    def hash_of(self, value: str) -> str:
        return keyed_hash(self.lookup_key, value)

    def turn(self) -> AbstractContextManager[None]:
        """A writer's turn; on PostgreSQL rows and unique keys guard, so nobody queues."""
        return self._queue.turn() if self._queue else nullcontext()

    @contextmanager
    def begin(self) -> Iterator[Session]:
        """One writing transaction: committed at the end, or nothing."""
        with self.turn(), self.engine.connect() as plain:
            connection = plain.execution_options(writes=True)
            transaction = connection.begin()
            # The session joins the transaction only when it is used: most texts need no mapped object.
            session = Session(
                connection,
                expire_on_commit=False,
                join_transaction_mode="control_fully",
                info={_CONNECTION: connection},
            )
            try:
                yield session
                if session.in_transaction():
                    session.commit()
                else:
                    transaction.commit()
            except BaseException:
                session.close()
                if transaction.is_active:
                    transaction.rollback()
                if self.is_sqlite:
                    _leave_none_open(connection)
                raise
            session.close()

    def write(self, work: Callable[[Session], Result]) -> Result:
        """Do one short work in a transaction and return what it returns; those of SQLite that wait share a commit,
        of PostgreSQL a few go at once.

        It may be done twice, and nothing of it is kept where it throws.
        """
        if self.is_sqlite:
            return self._together.run(work)
        mine = self._few.acquire(timeout=NOT_AFTER_SECONDS)
        try:
            with self.begin() as session:  # rows guard there: sharing a commit, each would wait for the others' rows
                return work(session)
        finally:
            if mine:
                self._few.release()

    @contextmanager
    def read(self) -> Iterator[Session]:
        """One reading snapshot; nothing written in it is kept."""
        with Session(self.engine, expire_on_commit=False) as session:
            yield session
            session.rollback()

    def conninfo(self) -> str:
        """Return how PostgreSQL's own libraries are told of the same database; it may hold a password."""
        from psycopg.conninfo import make_conninfo

        _, options = self.engine.dialect.create_connect_args(self.engine.url)
        return make_conninfo(**{name: str(value) for name, value in options.items() if name not in _DRIVERS_OWN})

    def after_fork(self) -> None:
        """Called in a child process: connections and locks of the parent are the parent's."""
        self.engine.dispose(close=False)
        if self._queue:
            self._queue.forget()
        self._together = Together(self.begin)
        self._few = threading.Semaphore(FEW_AT_ONCE)

    def close(self) -> None:
        self.engine.dispose()


def connection_of(session: Session) -> Connection:
    """Return the session's connection; for statements on tables, a third cheaper than asking the session each time."""
    held: Connection | None = session.info.get(_CONNECTION)
    if held is None or session.in_nested_transaction():  # a savepoint is set only once the session uses its connection
        return session.connection()
    return held


def _leave_none_open(connection: Connection) -> None:
    """End what a failed COMMIT left open: SQLAlchemy takes it for ended, and the next to get this connection could not
    begin."""
    raw: Any = None if connection.invalidated else connection.connection.dbapi_connection
    if raw is not None and raw.in_transaction:
        raw.rollback()


def _postgresql_engine(url: str) -> Engine:
    engine = create_engine(url, pool_size=20, max_overflow=20, hide_parameters=True)
    ask_if_alive(engine)
    later.watch(engine)

    @event.listens_for(engine, "connect")
    def connected(connection: Any, _: ConnectionPoolEntry) -> None:
        # a machine that lost its power says no goodbye: without these, the rows it was writing stay locked for hours
        with connection.cursor() as cursor:
            for name, value in GONE.items():
                cursor.execute(f"SET {name} = {value}")
            cursor.execute("SET TIME ZONE 'UTC'")  # instants come back as what they are; nothing is left to convert
        connection.commit()

    return engine


def _sqlite_engine(url: str) -> tuple[Engine, WriteQueue]:
    file = make_url(url).database
    if not file or file == ":memory:":
        raise ValueError("Pumpline needs a database file: sqlite:///instance/pumpline.db")
    Path(file).parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    if not Path(file).exists():
        # Its owner's alone; SQLite's other files follow it. Only ever before SQLite has opened it: closing any
        # descriptor of the file drops every lock that this process holds on it, and another may then delete the WAL.
        os.close(os.open(file, os.O_CREAT | os.O_RDWR, 0o600))
    engine = create_engine(url, pool_size=20, max_overflow=40, connect_args={"timeout": 30}, hide_parameters=True)

    @event.listens_for(engine, "connect")
    def connected(connection: Any, _: ConnectionPoolEntry) -> None:
        connection.isolation_level = None  # transactions are begun below, not guessed by the driver
        cursor = connection.cursor()
        cursor.execute("PRAGMA journal_mode=WAL")
        cursor.execute("PRAGMA synchronous=FULL")  # a text we acknowledged survives a power cut
        cursor.execute("PRAGMA wal_autocheckpoint=4000")  # a text touches some twenty pages; 16 MB of log at most
        cursor.execute("PRAGMA foreign_keys=ON")
        cursor.execute("PRAGMA busy_timeout=30000")
        cursor.close()

    @event.listens_for(engine, "begin")
    def begun(connection: Connection) -> None:
        connection.exec_driver_sql("BEGIN IMMEDIATE" if connection.get_execution_options().get("writes") else "BEGIN")

    return engine, WriteQueue(Path(file + ".lock"))
