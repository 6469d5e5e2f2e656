"""The engine for one machine: APScheduler in this process, its job store in memory.

What is owed stands in our own rows, so nothing is lost when this process ends.
"""

import logging
import time
from collections.abc import Callable, Iterable
from datetime import UTC, datetime
from threading import Event, Lock, Thread

from apscheduler.executors.pool import ThreadPoolExecutor
from apscheduler.jobstores.memory import MemoryJobStore
from apscheduler.schedulers.background import BackgroundScheduler
from apscheduler.triggers.interval import IntervalTrigger

from scheduler.engine import Job, JobHealth, beat, named_once

log = logging.getLogger(__name__)

LOOK_EVERY_SECONDS = 3.0
SET_BACK_SECONDS = 5.0


class ClockWatch:
    """Tells when the wall clock was set back, by a clock that nobody can set. Both count seconds from anywhere."""

    def __init__(self, steady: float, wall: float) -> None:
        self._apart = wall - steady

    def set_back(self, steady: float, wall: float) -> bool:
        """Whether the wall clock fell behind by more than SET_BACK_SECONDS since it was asked last."""
        before, self._apart = self._apart, wall - steady
        return before - self._apart > SET_BACK_SECONDS


class EmbeddedEngine:
    """Beats every job at once on start, then at its interval, each in its own thread and never beside itself.

    `clock` gives the instant a beat is told; a simulated one may differ from the machine's, which sets the pace.
    The library waits for a time of day: where the wall clock is set back, every job beats at once instead.
    """

    def __init__(
        self,
        jobs: Iterable[Job],
        clock: Callable[[], datetime],
        health: JobHealth,
        *,
        wall: Callable[[], float] = time.time,
        look_every_seconds: float = LOOK_EVERY_SECONDS,
    ) -> None:
        self._jobs = named_once(jobs)
        self._clock = clock
        self._health = health
        self._wall = wall
        self._look_every = look_every_seconds
        self._lock = Lock()
        self._scheduler: BackgroundScheduler | None = None
        self._ended = Event()
        self._watcher: Thread | None = None

    @property
    def running(self) -> bool:
        return self._scheduler is not None

    def start(self) -> None:
        with self._lock:
            if self._scheduler is not None:
                return
            scheduler = self._new_scheduler()
            scheduler.start()
            self._scheduler = scheduler
            self._ended = Event()
            watch = ClockWatch(time.monotonic(), self._wall())
            self._watcher = Thread(
                target=self._watch, args=(scheduler, watch, self._ended), name="clock watch", daemon=True
            )
            self._watcher.start()

    def stop(self) -> None:
        """Wait for running jobs, then end. Not to be called from a job, which would wait for itself."""
        with self._lock:
            if self._scheduler is None:
                return
            self._ended.set()
            if self._watcher is not None:
                self._watcher.join()
            self._scheduler.shutdown(wait=True)
            self._scheduler = None

    def _new_scheduler(self) -> BackgroundScheduler:
        scheduler = BackgroundScheduler(
            jobstores={"default": MemoryJobStore()},
            # A thread for each job: a slow one never delays a page to a nurse.
            executors={"default": ThreadPoolExecutor(max_workers=max(1, len(self._jobs)))},
            # A late beat runs, once, however late it is.
            job_defaults={"max_instances": 1, "coalesce": True, "misfire_grace_time": None},
            timezone=UTC,
            daemon=True,
        )
        for job in self._jobs:
            scheduler.add_job(
                beat,
                trigger=IntervalTrigger(seconds=job.every.total_seconds(), timezone=UTC),
                args=(job, self._clock, self._health),
                id=job.name,
                name=job.name,
                next_run_time=datetime.now(UTC),  # the library's own clock, not ours: this only says "at once"
            )
        return scheduler

    def _watch(self, scheduler: BackgroundScheduler, watch: ClockWatch, ended: Event) -> None:
        while not ended.wait(self._look_every):
            if watch.set_back(time.monotonic(), self._wall()):
                log.warning("the machine's clock was set back: every job beats now")
                for job in self._jobs:
                    scheduler.modify_job(job.name, next_run_time=datetime.now(UTC))
            # set back and forward again between two looks, the clock looks right, and the library sleeps on for as
            # long as it was wrong: woken, it works out anew what is due
            scheduler.wakeup()
