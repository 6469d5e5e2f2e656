"""How the periodic jobs are doing, kept where every process and the staff pages can see it."""

from datetime import datetime, timedelta
from threading import Lock

from sqlalchemy import update
from sqlalchemy.orm import Session

from app.db.engine import Database
from app.db.inserts import insert_once
from app.db.work import JobHealth

SAY_WELL_EVERY = timedelta(minutes=1)


class StoredHealth:
    """Hears of every beat; writes failures at once, and that all is well once a minute."""

    def __init__(self, db: Database) -> None:
        self._db = db
        self._lock = Lock()
        self._well_at: dict[str, datetime] = {}

    def started(self, name: str, at: datetime) -> None:
        pass

    def succeeded(self, name: str, at: datetime) -> None:
        with self._lock:
            last = self._well_at.get(name)
            if last is not None and timedelta(0) <= at - last < SAY_WELL_EVERY:
                return
            self._well_at[name] = at
        with self._db.begin() as session:
            self._row(session, name)
            session.execute(update(JobHealth).where(JobHealth.name == name).values(ok_at=at, failures=0))

    def failed(self, name: str, error_type: str, at: datetime) -> None:
        with self._lock:
            self._well_at.pop(name, None)
        with self._db.begin() as session:
            self._row(session, name)
            values = {"failed_at": at, "failures": JobHealth.failures + 1, "error": error_type[:100]}
            session.execute(update(JobHealth).where(JobHealth.name == name).values(values))

    @staticmethod
    def _row(session: Session, name: str) -> None:
        insert_once(session, JobHealth, ("name",), name=name, failures=0)
