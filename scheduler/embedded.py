"""The engine for one machine: APScheduler in this process, its job store in memory.

What is owed stands in our own rows, so nothing is lost when this process ends.
"""

import logging
from collections.abc import Callable, Iterable
from contextlib import suppress
from datetime import UTC, datetime
from threading import Lock

from apscheduler.executors.pool import ThreadPoolExecutor
from apscheduler.jobstores.memory import MemoryJobStore
from apscheduler.schedulers.background import BackgroundScheduler
from apscheduler.triggers.interval import IntervalTrigger

from scheduler.engine import Job, JobHealth, run_guarded

log = logging.getLogger(__name__)


class EmbeddedEngine:
    """Beats every job at once on start, then at its interval, each in its own thread and never beside itself.

    `clock` gives the instant a beat is told; a simulated one may differ from the machine's, which sets the pace.
    """

    def __init__(self, jobs: Iterable[Job], clock: Callable[[], datetime], health: JobHealth) -> None:
        self._jobs = tuple(jobs)
        self._clock = clock
        self._health = health
        self._lock = Lock()
        self._scheduler: BackgroundScheduler | None = None
        names = [job.name for job in self._jobs]
        if len(set(names)) != len(names):
            raise ValueError("two jobs share a name: give each its own")

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

    def stop(self) -> None:
        """Wait for running jobs, then end. Not to be called from a job, which would wait for itself."""
        with self._lock:
            if self._scheduler is None:
                return
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
                self._beat,
                trigger=IntervalTrigger(seconds=job.every.total_seconds(), timezone=UTC),
                args=(job,),
                id=job.name,
                name=job.name,
                next_run_time=datetime.now(UTC),  # the library's own clock, not ours: this only says "at once"
            )
        return scheduler

    def _beat(self, job: Job) -> None:
        try:
            now = self._clock()
        except Exception as error:  # the library would log the message, which may hold anything
            log.error("job %s not run, no time from the clock: %s", job.name, type(error).__name__)
            with suppress(Exception):
                self._health.failed(job.name, type(error).__name__, datetime.now(UTC))
            return
        run_guarded(job, now, self._health)
