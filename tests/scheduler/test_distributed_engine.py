"""Workers that share their beats through PostgreSQL. PUMPLINE_TEST_POSTGRESQL_URL names a server to try it on."""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from queue import Queue
from threading import Event, Thread, current_thread
from typing import Any

import psycopg
import pytest
from procrastinate.schema import SchemaManager
from sqlalchemy import make_url

from scheduler.distributed import DatabaseClock, DistributedEngine, Pace
from scheduler.engine import Engine, HealthRecord, Job
from tests.db.test_postgresql import pytestmark, url

__all__ = ["pytestmark", "url"]

NOW = datetime(2026, 6, 15, 15, tzinfo=UTC)
SOON = 20.0  # seconds a test waits for a thread before it calls it lost
HOURLY = timedelta(hours=1)
OFTEN = timedelta(milliseconds=50)
QUICK = Pace(look_every=0.05, alive_every=0.1, dead_after=1.0, mend_every=0.1, again_after=0.1)
TABLES = Path(__file__).parent.parent.parent / "migrations/sql/procrastinate_3_10.sql"


@pytest.fixture(scope="module")
def tables() -> Iterator[str]:
    """A database with the tables, made once and emptied for each story."""
    made = url.__wrapped__()  # type: ignore[attr-defined]
    plain = make_url(next(made)).set(drivername="postgresql").render_as_string(hide_password=False)
    with psycopg.connect(plain, autocommit=True) as connection:
        connection.execute(TABLES.read_bytes())
    yield plain
    next(made, None)


@pytest.fixture
def conninfo(tables: str) -> str:
    with psycopg.connect(tables, autocommit=True) as connection:
        connection.execute("TRUNCATE procrastinate_jobs, procrastinate_workers CASCADE")
    return tables


@pytest.fixture
def ask(conninfo: str) -> Iterator[Callable[..., list[Any]]]:
    with psycopg.connect(conninfo, autocommit=True) as connection:
        yield lambda statement: [] if (done := connection.execute(statement)).description is None else done.fetchall()


@contextmanager
def workers(conninfo: str, *jobs: Job, count: int = 1, **more: Any) -> Iterator[list[DistributedEngine]]:
    made = [
        DistributedEngine(
            jobs, lambda: NOW, more.get("health", HealthRecord()), conninfo=conninfo, name=f"worker {n}",
            died=more.get("died"), pace=more.get("pace", QUICK),
        )
        for n in range(count)
    ]  # fmt: skip
    for engine in made:
        engine.start()
    try:
        yield made
    finally:
        for engine in made:
            engine.stop()


def wait_for(true: Callable[[], object], seconds: float = SOON) -> None:
    until = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < until, "it did not come about in time"
        time.sleep(0.02)


def test_every_job_beats_at_once_with_the_clocks_instant(conninfo: str) -> None:
    beats: Queue[tuple[str, datetime]] = Queue()
    send = Job("send", HOURLY, lambda now: beats.put(("send", now)))
    plan = Job("plan", HOURLY, lambda now: beats.put(("plan", now)))
    with workers(conninfo, send, plan):
        assert {beats.get(timeout=SOON), beats.get(timeout=SOON)} == {("send", NOW), ("plan", NOW)}


def test_two_workers_share_the_beats_and_none_is_done_twice(conninfo: str, ask: Callable[..., list[Any]]) -> None:
    beats: Queue[str] = Queue()
    hourly: Queue[str] = Queue()
    inside: Queue[None] = Queue(maxsize=1)

    def often(now: datetime) -> None:
        inside.put_nowait(None)  # Full where it runs beside itself
        beats.put(current_thread().name)
        time.sleep(0.01)
        inside.get_nowait()

    health = HealthRecord()
    job = Job("often", OFTEN, often)
    with workers(conninfo, job, Job("hourly", HOURLY, lambda now: hourly.put("")), count=3, health=health):
        for _ in range(20):
            beats.get(timeout=SOON)
        assert len(ask("SELECT * FROM procrastinate_workers")) == 3
    assert (hourly.qsize(), health.of("often").failed) == (1, 0)
    left = ask("SELECT task_name, status FROM procrastinate_jobs ORDER BY 1")
    assert left == [("hourly", "todo"), ("often", "todo")]
    assert ask("SELECT * FROM procrastinate_workers") == []


def test_an_interval_is_kept_over_a_restart(conninfo: str) -> None:
    beats: Queue[datetime] = Queue()
    with workers(conninfo, Job("plan", HOURLY, beats.put)):
        beats.get(timeout=SOON)
    other: Queue[datetime] = Queue()
    with workers(conninfo, Job("plan", HOURLY, beats.put), Job("send", HOURLY, other.put)):
        other.get(timeout=SOON)
    assert beats.empty(), "it was done within the hour already"


def test_a_slow_job_never_runs_beside_itself_and_holds_up_no_other(conninfo: str) -> None:
    entered: Queue[datetime] = Queue()
    release = Event()
    others: Queue[datetime] = Queue()

    def slow(now: datetime) -> None:
        entered.put(now)
        release.wait(timeout=SOON)

    with workers(conninfo, Job("slow", OFTEN, slow), Job("page", OFTEN, others.put), count=2):
        entered.get(timeout=SOON)
        for _ in range(10):
            others.get(timeout=SOON)
        assert entered.empty()
        release.set()
        entered.get(timeout=SOON)  # and once free it beats on


def test_stopping_waits_for_the_running_job_and_may_be_repeated(conninfo: str) -> None:
    entered, release, stopped = Event(), Event(), Event()
    ended: Queue[str] = Queue()

    def run(now: datetime) -> None:
        entered.set()
        release.wait(timeout=SOON)
        ended.put("job")

    engine: Engine = DistributedEngine(
        [Job("send", HOURLY, run)], lambda: NOW, HealthRecord(), conninfo=conninfo, pace=QUICK
    )
    assert not engine.running
    engine.stop()

    def stop() -> None:
        engine.stop()
        ended.put("engine")
        stopped.set()

    engine.start()
    engine.start()
    assert entered.wait(timeout=SOON)
    Thread(target=stop).start()
    assert not stopped.wait(timeout=0.2)
    assert engine.running
    release.set()
    assert [ended.get(timeout=SOON), ended.get(timeout=SOON)] == ["job", "engine"]
    engine.stop()
    assert not engine.running


def test_a_job_that_throws_beats_again(conninfo: str, caplog: pytest.LogCaptureFixture) -> None:
    beats: Queue[datetime] = Queue()

    def run(now: datetime) -> None:
        beats.put(now)
        raise ValueError("Maria +15550100")

    health = HealthRecord()
    with workers(conninfo, Job("send", OFTEN, run), health=health):
        for _ in range(3):
            beats.get(timeout=SOON)
    assert health.of("send").failed >= 3
    assert "Maria" not in caplog.text


def test_what_a_dead_worker_held_is_released_and_goes_on(conninfo: str, ask: Callable[..., list[Any]]) -> None:
    """Its row as kill -9 leaves it: at work for a worker that says nothing any more, with and without a next beat."""
    ask("INSERT INTO procrastinate_workers (last_heartbeat) VALUES (now() - interval '1 minute')")
    for name in ("send", "plan"):
        ask(
            "INSERT INTO procrastinate_jobs (queue_name, task_name, lock, queueing_lock, status, worker_id) "
            f"SELECT '{name}', '{name}', '{name}', '{name}', 'doing', id FROM procrastinate_workers"
        )
    ask(
        "INSERT INTO procrastinate_jobs (queue_name, task_name, lock, queueing_lock) "
        "VALUES ('send', 'send', 'send', 'send')"
    )
    beats: Queue[str] = Queue()
    died: Queue[str] = Queue()
    jobs = [Job(name, HOURLY, lambda now, name=name: beats.put(name)) for name in ("send", "plan")]  # type: ignore[misc]
    with workers(conninfo, *jobs, died=lambda name, now: died.put(name)):
        assert {beats.get(timeout=SOON), beats.get(timeout=SOON)} == {"send", "plan"}
    assert {died.get_nowait(), died.get_nowait()} == {"send", "plan"}
    assert beats.empty()


def test_a_beat_that_ended_while_the_database_was_gone_is_not_held_for_ever(
    conninfo: str, ask: Callable[..., list[Any]]
) -> None:
    """The worker lives on and says so, but one of its beats could not be written off."""
    beats: Queue[datetime] = Queue()
    with workers(conninfo, Job("send", OFTEN, beats.put), Job("plan", HOURLY, lambda now: None)):
        beats.get(timeout=SOON)
        plan = "SELECT status FROM procrastinate_jobs WHERE task_name = 'plan'"
        wait_for(lambda: ask(plan) == [("todo",)])  # the first beat is written off, the next one waits
        ask(
            "UPDATE procrastinate_jobs SET status = 'doing', scheduled_at = NULL, "
            "worker_id = (SELECT id FROM procrastinate_workers) WHERE task_name = 'plan'"
        )
        wait_for(lambda: ask(plan) == [("todo",)])


def test_a_database_that_went_away_is_found_again(conninfo: str, ask: Callable[..., list[Any]]) -> None:
    beats: Queue[datetime] = Queue()
    with workers(conninfo, Job("send", OFTEN, beats.put)) as [engine]:
        beats.get(timeout=SOON)
        ask("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'pumpline worker'")
        while not beats.empty():
            beats.get()
        for _ in range(3):
            beats.get(timeout=SOON)
        assert engine.running


def test_a_worker_without_a_database_tries_on_and_can_be_stopped(caplog: pytest.LogCaptureFixture) -> None:
    nowhere = "postgresql://nobody:secret-word@127.0.0.1:9/none"
    with workers(nowhere, Job("send", OFTEN, lambda now: None)) as [engine]:
        wait_for(lambda: "trying again" in caplog.text)
        assert engine.running
    assert "secret-word" not in caplog.text


def test_a_next_beat_that_lies_too_far_ahead_is_brought_forward(conninfo: str, ask: Callable[..., list[Any]]) -> None:
    """The database's clock was set back, or a new version beats more often."""
    beats: Queue[datetime] = Queue()
    ask(
        "INSERT INTO procrastinate_jobs (queue_name, task_name, lock, queueing_lock, scheduled_at) "
        "VALUES ('send', 'send', 'send', 'send', now() + interval '1 hour')"
    )
    with workers(conninfo, Job("send", timedelta(minutes=1), beats.put)):
        beats.get(timeout=SOON)


def test_a_job_of_another_version_is_left_to_it(conninfo: str, ask: Callable[..., list[Any]]) -> None:
    beats: Queue[datetime] = Queue()
    ask("INSERT INTO procrastinate_jobs (queue_name, task_name, lock) VALUES ('newer', 'newer', 'newer')")
    with workers(conninfo, Job("send", OFTEN, beats.put)):
        for _ in range(3):
            beats.get(timeout=SOON)
    assert ask("SELECT status FROM procrastinate_jobs WHERE task_name = 'newer'") == [("todo",)]


def test_a_machine_whose_clock_is_apart_from_the_databases_is_told_once() -> None:
    clock = DatabaseClock(steady=lambda: 0.0)
    at = NOW.timestamp()
    assert [clock.told(NOW, wall) for wall in (at, at + 31, at + 40, at, at - 31)] == [False, True, False, False, True]
    assert clock.now() == NOW


def test_the_tables_are_those_of_the_installed_library() -> None:
    """A release with another schema needs a migration of its own: see migrations/sql."""
    assert SchemaManager.get_schema() in TABLES.read_text("utf-8")


def test_two_jobs_of_one_name_are_refused() -> None:
    job = Job("send", HOURLY, lambda now: None)
    with pytest.raises(ValueError, match="share a name"):
        DistributedEngine([job, job], lambda: NOW, HealthRecord(), conninfo="")
