"""Several writers in one transaction, so that one wait for the disk serves all who came meanwhile.

On SQLite a durable commit waits for the disk, and writers go one by one: at sixteen at once most of the time is spent
waiting. Whoever finds nobody at work leads: it does its own work and that of those who wait, each behind a savepoint,
and commits once. Where that transaction fails, each is done once more, alone. Nobody is answered before the commit.
"""

import threading
from collections import deque
from collections.abc import Callable
from contextlib import AbstractContextManager
from contextvars import Context, copy_context
from dataclasses import dataclass, field
from time import monotonic
from typing import Any, TypeVar

from sqlalchemy.orm import Session

Result = TypeVar("Result")
AT_MOST = 16  # works in one transaction
NOT_AFTER_SECONDS = 0.05  # then the next begins: the first of them waits for no more


class _Undone(Exception):
    """The transaction was given up under the works in it."""


@dataclass(eq=False)
class _Work:
    do: Callable[[Session], Any]
    context: Context = field(default_factory=copy_context)  # of whoever asked: its log lines and tokens name that text
    turn: threading.Lock = field(default_factory=threading.Lock)
    done: bool = False  # committed, or failed with `error`
    result: Any = None
    error: BaseException | None = None

    def __post_init__(self) -> None:
        self.turn.acquire()

    def wait(self) -> None:
        self.turn.acquire()

    def wake(self) -> None:
        self.turn.release()


class Together:
    """The works that wait for one database's turn in this process."""

    def __init__(self, begin: Callable[[], AbstractContextManager[Session]]) -> None:
        """`begin`: opens one writing transaction, committed at the end."""
        self._begin = begin
        self._guard = threading.Lock()
        self._waiting: deque[_Work] = deque()
        self._led = False

    def run(self, do: Callable[[Session], Result]) -> Result:
        """Do one work in a transaction, perhaps with others, and return what it returns once it is committed.

        Raises what it raises; nothing of it is kept then. It may be done twice, when the first transaction was undone.
        """
        work = _Work(do)
        with self._guard:
            self._waiting.append(work)
            leads, self._led = not self._led, True
        if not leads:
            work.wait()
        if not work.done:
            self._lead()
        if work.error is not None:
            raise work.error
        return work.result  # type: ignore[no-any-return]

    def _lead(self) -> None:
        """Do the first that wait, wake them, and hand the lead to the next."""
        batch: list[_Work] = []
        try:
            self._batch(batch)
        finally:
            with self._guard:
                following = self._waiting[0] if self._waiting else None
                self._led = following is not None
            for work in batch:
                if not work.done:  # this thread is being ended
                    work.done, work.error = True, _Undone("whoever led was stopped")
            for work in batch[1:]:
                work.wake()
            if following is not None:
                following.wake()

    def _next(self, batch: list[_Work]) -> _Work:
        with self._guard:
            work = self._waiting.popleft()
        batch.append(work)
        return work

    def _batch(self, batch: list[_Work]) -> None:
        try:
            with self._begin() as session:
                began, first = monotonic(), self._next(batch)
                first.result = first.context.run(first.do, session)  # where it throws, nothing else is undone
                session.flush()  # the next must see it; written at the end, it would write over theirs
                while self._waiting and len(batch) < AT_MOST and monotonic() - began < NOT_AFTER_SECONDS:
                    _behind_savepoint(session, self._next(batch))
        except Exception as error:  # a full disk, a lock, a work that undid them all: who is to blame shows alone
            if len(batch) == 1:
                batch[0].error, batch[0].done = error, True
            for work in [work for work in batch or [self._next(batch)] if not work.done]:
                self._alone(work)
        for work in batch:
            work.done = True

    def _alone(self, work: _Work) -> None:
        work.result = work.error = None
        try:
            with self._begin() as session:
                work.result = work.context.run(work.do, session)
        except Exception as error:
            work.error = error
        work.done = True


def _behind_savepoint(session: Session, work: _Work) -> None:
    """Do one work; what it wrote is undone if it throws, and the others' stays.

    It has a session of its own: what one loaded is nothing to the next.
    """
    connection = session.connection()
    cursor = connection.connection.cursor()
    cursor.execute("SAVEPOINT work")
    own = Session(connection, expire_on_commit=False, join_transaction_mode="rollback_only", info=session.info)
    try:
        work.result = work.context.run(work.do, own)
        own.flush()
    except Exception as error:
        work.error = error
        if not connection.in_transaction():
            raise _Undone from error
        cursor.execute("ROLLBACK TO work")
    finally:
        own.close()
    if not connection.in_transaction():
        raise _Undone
    cursor.execute("RELEASE work")
    cursor.close()
