"""The naive way of reminding: one APScheduler job per reminder in its SQLAlchemy job store.

`python -m bench.jobstore FOLDER` runs such a scheduler until its store is empty or it is stopped.
"""

import logging
import pickle
import sqlite3
import sys
import time
from collections import Counter
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from pathlib import Path

from apscheduler.jobstores.sqlalchemy import SQLAlchemyJobStore
from apscheduler.schedulers.background import BackgroundScheduler
from sqlalchemy import Engine, create_engine
from sqlalchemy.orm import DeclarativeBase, Mapped, Session, mapped_column

FAR = timedelta(days=40)


class _Base(DeclarativeBase):
    pass


class Sent(_Base):
    __tablename__ = "sent"
    id: Mapped[int] = mapped_column(primary_key=True)
    reminder: Mapped[int]
    at: Mapped[datetime]


@lru_cache
def _engine(folder: str) -> Engine:
    engine = create_engine(f"sqlite:///{folder}/sent.db")
    _Base.metadata.create_all(engine)
    return engine


def remind(folder: str, reminder: int) -> None:
    """What each job does: insert one row."""
    with Session(_engine(folder)) as session:
        session.add(Sent(reminder=reminder, at=datetime.now(UTC)))
        session.commit()


def scheduler(folder: Path, *, keep_late: bool = True) -> BackgroundScheduler:
    """Return one with its defaults; with `keep_late` it is told never to drop a job for being late."""
    logging.getLogger("apscheduler").setLevel(logging.CRITICAL)
    made = BackgroundScheduler(timezone=UTC, job_defaults={"misfire_grace_time": None} if keep_late else {})
    made.add_jobstore(SQLAlchemyJobStore(url=f"sqlite:///{folder}/jobs.db"))
    return made


def add(to: BackgroundScheduler, folder: Path, first: int, count: int, at: datetime) -> None:
    for n in range(first, first + count):
        to.add_job(remind, "date", run_date=at, args=(str(folder), n), id=f"reminder-{n}")


def fill(folder: Path, count: int, *, due: int, at: datetime, keep_late: bool = True) -> None:
    """Bring the store to `count` jobs, `due` of them at `at`, by copying one job's row: setting up, not measured."""
    made = scheduler(folder, keep_late=keep_late)
    made.start(paused=True)
    add(made, folder, 0, 1, at)
    made.shutdown()
    with sqlite3.connect(folder / "jobs.db") as store:
        ((state,),) = store.execute("SELECT job_state FROM apscheduler_jobs").fetchall()
        store.execute("DELETE FROM apscheduler_jobs")
        job = pickle.loads(state)
        rows = []
        for n in range(count):
            run_at = at if n < due else at + FAR + timedelta(minutes=n % 50_000)
            trigger = type(job["trigger"])(run_date=run_at, timezone=UTC)
            one = job | {"id": f"reminder-{n}", "args": (str(folder), n), "next_run_time": run_at, "trigger": trigger}
            rows.append((one["id"], run_at.timestamp(), pickle.dumps(one, pickle.HIGHEST_PROTOCOL)))
        store.executemany("INSERT INTO apscheduler_jobs VALUES (?, ?, ?)", rows)


def sent(folder: Path) -> Counter[int]:
    """Return how often each reminder was sent."""
    with sqlite3.connect(folder / "sent.db", timeout=30) as store:
        return Counter(n for (n,) in store.execute("SELECT reminder FROM sent"))


def waiting(folder: Path, before: datetime) -> int:
    with sqlite3.connect(folder / "jobs.db", timeout=30) as store:
        due = store.execute("SELECT count(*) FROM apscheduler_jobs WHERE next_run_time <= ?", (before.timestamp(),))
        return int(due.fetchone()[0])


def until(done: Callable[[], bool], seconds: float) -> bool:
    """Look every few milliseconds whether it is done."""
    end = time.monotonic() + seconds
    while not done():
        if time.monotonic() > end:
            return False
        time.sleep(0.005)
    return True


def main() -> None:
    folder = Path(sys.argv[1])
    _engine(str(folder))
    running = scheduler(folder)
    running.start()
    now = datetime.now(UTC)
    until(lambda: waiting(folder, now) == 0, 60)
    running.shutdown(wait=True)


if __name__ == "__main__":
    main()
