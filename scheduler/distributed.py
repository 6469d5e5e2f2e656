"""The engine for many machines: Procrastinate on PostgreSQL decides which worker ticks, and nothing else.

Each job is one waiting row: the worker that takes it writes the next one, an interval later by the database's clock,
and then beats. Two locks guard it: never two waiting, never two at work. What is owed stands in our own rows, so a
beat carries nothing; where its worker died, whoever notices first drops the row, and the waiting one goes on.
"""

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from threading import Event, Lock, Thread

from procrastinate import App, JobContext, PsycopgConnector
from procrastinate.exceptions import AlreadyEnqueued, ConnectorException
from procrastinate.jobs import Job as Row
from procrastinate.jobs import Status
from psycopg import AsyncConnection
from psycopg.conninfo import make_conninfo

from scheduler.engine import Job, JobHealth, beat, named_once

log = logging.getLogger(__name__)

LARGEST_APART_SECONDS = 30.0
_SLACK = timedelta(seconds=5)
# A database machine that vanishes without a word is noticed in seconds, not in hours.
_CONNECTION: dict[str, str | int] = {
    "connect_timeout": 5,
    "keepalives_idle": 5,
    "keepalives_interval": 3,
    "keepalives_count": 3,
    "tcp_user_timeout": 15_000,
    "application_name": "pumpline worker",
}


@dataclass(frozen=True)
class Pace:
    """Seconds. A worker says each `alive_every` that it lives, and is taken for dead after `dead_after` without.

    The others look for that each `mend_every`; `again_after` a database that was gone is tried again.
    """

    look_every: float = 0.5
    alive_every: float = 4.0
    dead_after: float = 16.0
    mend_every: float = 4.0
    again_after: float = 2.0

    @classmethod
    def of(cls, dead_after: float) -> "Pace":
        """Return a pace at which three signs of life may be late before a worker counts as dead."""
        return cls(alive_every=dead_after / 4, dead_after=dead_after, mend_every=dead_after / 4)


class DistributedEngine:
    """Beats jobs together with every other engine on the same database, each job once wherever it runs.

    `clock` gives the instant a beat is told; the database's own clock sets the pace, for all machines alike.
    `died` hears of each job whose worker died, before the job goes on; it may hear of one twice.
    `start` returns at once: while the database does not answer it is tried again, for as long as it takes.
    """

    def __init__(
        self,
        jobs: Iterable[Job],
        clock: Callable[[], datetime],
        health: JobHealth,
        *,
        conninfo: str,
        name: str = "worker",
        concurrency: int | None = None,
        died: Callable[[str, datetime], object] | None = None,
        pace: Pace = Pace(),
        wall: Callable[[], float] = time.time,
    ) -> None:
        self._jobs = named_once(jobs)
        self._clock = clock
        self._health = health
        self._conninfo = make_conninfo(conninfo, **_CONNECTION)
        self._name = name
        self._concurrency = concurrency or max(1, len(self._jobs))
        self._died = died
        self._pace = pace
        self._wall = wall
        self._lock = Lock()
        self._thread: Thread | None = None
        self._stop: Callable[[], None] = lambda: None
        self._database = DatabaseClock()
        self._me: int | None = None  # this worker's number in the database
        self._at_work: set[int] = set()
        self._left: set[int] = set()

    @property
    def running(self) -> bool:
        return self._thread is not None and self._thread.is_alive()

    def start(self) -> None:
        with self._lock:
            if self._thread is not None:
                return
            ready = Event()
            self._thread = Thread(target=lambda: asyncio.run(self._live(ready)), name="engine", daemon=True)
            self._thread.start()
            ready.wait()

    def stop(self) -> None:
        """Take no more beats, wait for those under way, then end. Not to be called from a job."""
        with self._lock:
            if self._thread is None:
                return
            self._stop()
            self._thread.join()
            self._thread = None

    async def _live(self, ready: Event) -> None:
        """Hold on to the database until told to stop, and start anew whenever it was gone."""
        loop, ended = asyncio.get_running_loop(), asyncio.Event()
        loop.set_default_executor(ThreadPoolExecutor(self._concurrency, thread_name_prefix="job"))

        def stop() -> None:
            loop.call_soon_threadsafe(ended.set)

        self._stop = stop
        ready.set()
        while not ended.is_set():
            try:
                await self._session(ended)
            except Exception as error:
                log.warning("the database does not answer the worker (%s): trying again", type(error).__name__)
            with suppress(TimeoutError):
                await asyncio.wait_for(ended.wait(), self._pace.again_after)

    async def _session(self, ended: asyncio.Event) -> None:
        async with await AsyncConnection.connect(self._conninfo):
            pass  # a pool waits half a minute for a database that is not there
        app = self._app()
        self._at_work, self._left, self._me = set(), set(), None
        async with app.open_async():
            await self._mend(app)
            worker = asyncio.create_task(
                app.run_worker_async(
                    queues=[job.name for job in self._jobs],  # a job that another version knows is left to it
                    name=self._name,
                    concurrency=self._concurrency,
                    listen_notify=False,  # a beat waits for its time, which no notification tells
                    fetch_job_polling_interval=self._pace.look_every,
                    abort_job_polling_interval=3600,  # nobody aborts a beat
                    update_heartbeat_interval=self._pace.alive_every,
                    stalled_worker_timeout=self._pace.dead_after,
                    delete_jobs="always",
                    install_signal_handlers=False,
                )
            )
            mender = asyncio.create_task(self._keep_mending(app))
            asked = asyncio.create_task(ended.wait())
            tasks = (worker, mender, asked)
            await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
            for task in tasks:
                task.cancel()  # the worker waits for its beats before it goes
            for result in await asyncio.gather(*tasks, return_exceptions=True):
                if isinstance(result, Exception):
                    raise result
            if not ended.is_set():
                log.warning("the worker's watch on the database ended: starting it again")

    def _app(self) -> App:
        app = App(connector=PsycopgConnector(conninfo=self._conninfo, min_size=1, max_size=4, timeout=5))
        for job in self._jobs:
            app.task(name=job.name, queue=job.name, lock=job.name, queueing_lock=job.name, pass_context=True)(
                self._task(app, job)
            )
        return app

    def _task(self, app: App, job: Job) -> Callable[[JobContext], Awaitable[None]]:
        async def one_beat(context: JobContext) -> None:
            row = context.job
            self._me = row.worker_id
            self._at_work.add(_id(row))
            try:
                try:
                    await _defer(app, job, self._database.now() + job.every)
                except ConnectorException as error:
                    # the beat itself may still go well, and mending writes the next one
                    log.warning("job %s: the next beat is not written (%s)", job.name, type(error).__name__)
                await asyncio.get_running_loop().run_in_executor(None, beat, job, self._clock, self._health)
            finally:
                self._at_work.discard(_id(row))

        return one_beat

    async def _keep_mending(self, app: App) -> None:
        while True:
            await asyncio.sleep(self._pace.mend_every)
            await self._mend(app)

    async def _mend(self, app: App) -> None:
        """Take over what a dead worker held, and see that every job has its next beat."""
        answer = await app.connector.execute_query_one_async("SELECT clock_timestamp() AS at")
        now: datetime = answer["at"]
        if self._database.told(now, self._wall()):
            log.warning("this machine's clock and the database's are more than %d s apart", LARGEST_APART_SECONDS)
        for row in await app.job_manager.get_stalled_jobs(seconds_since_heartbeat=self._pace.dead_after):
            await self._take_over(app, row)
        rows = await self._drop_what_is_over(app, [*await app.job_manager.list_jobs_async()])
        for job in self._jobs:
            await _see_to_next(app, job, [row for row in rows if row.task_name == job.name], now)

    async def _drop_what_is_over(self, app: App, rows: list[Row]) -> list[Row]:
        """Drop beats of this worker that are over, but stand as at work: the database was gone when they ended."""
        mine = [row for row in rows if row.status == Status.DOING.value and row.worker_id == self._me]
        left = {_id(row) for row in mine} - self._at_work
        over, self._left = left & self._left, left  # seen twice: one that is just being written down is not over
        for row_id in over:
            await _finish(app, row_id)
        return [row for row in rows if row.id not in over]

    async def _take_over(self, app: App, row: Row) -> None:
        log.warning("job %s: its worker died, it goes on elsewhere", row.task_name)
        if self._died is not None:
            try:
                await asyncio.get_running_loop().run_in_executor(None, self._tell_died, row.task_name)
            except Exception as error:
                log.error("job %s: what its worker held is not released: %s", row.task_name, type(error).__name__)
        await _finish(app, _id(row))

    def _tell_died(self, name: str) -> None:
        if self._died is not None:
            self._died(name, self._clock())


class DatabaseClock:
    """The database's time between two looks at it, by a clock that nobody can set."""

    def __init__(self, steady: Callable[[], float] = time.monotonic) -> None:
        self._steady = steady
        self._at, self._since = datetime.now(UTC), steady()
        self._apart = False

    def now(self) -> datetime:
        return self._at + timedelta(seconds=self._steady() - self._since)

    def told(self, at: datetime, wall: float) -> bool:
        """Take note of the database's time; return whether the machine's has just gone apart from it."""
        self._at, self._since = at, self._steady()
        before, self._apart = self._apart, abs(at.timestamp() - wall) > LARGEST_APART_SECONDS
        return self._apart and not before


async def _see_to_next(app: App, job: Job, rows: list[Row], now: datetime) -> None:
    """Write the first beat of a job that has none; bring forward one that lies farther ahead than it ever should.

    That is so where the database's clock was set back, or where a new version beats more often.
    """
    for row in rows:
        if row.status == Status.TODO.value and row.scheduled_at and row.scheduled_at > now + job.every + _SLACK:
            log.warning("job %s: its next beat lay too far ahead, it beats now", job.name)
            await app.job_manager.cancel_job_by_id_async(_id(row), delete_job=True)
            rows = [other for other in rows if other is not row]
    if not rows:
        await _defer(app, job, None)


async def _defer(app: App, job: Job, at: datetime | None) -> None:
    with suppress(AlreadyEnqueued):  # it waits already: one is enough
        await app.tasks[job.name].configure(schedule_at=at).defer_async()


async def _finish(app: App, row_id: int) -> None:
    with suppress(ConnectorException):  # another worker was faster
        await app.job_manager.finish_job_by_id_async(row_id, Status.FAILED, delete_job=True)


def _id(row: Row) -> int:
    assert row.id is not None  # it was read from the database
    return row.id
