"""Heartbeats: what a job is, who drives it, and how one beat runs without harming the next."""

import logging
from collections.abc import Callable, Iterable
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from threading import Lock
from typing import Protocol

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Job:
    """Periodic work. `run` gets the beat's instant (aware, UTC) and looks at rows for what is owed.

    `here`: it looks at what this machine alone holds, a folder, and is never handed to another machine.
    """

    name: str
    every: timedelta
    run: Callable[[datetime], object]
    here: bool = False

    def __post_init__(self) -> None:
        if not self.name:
            raise ValueError("a job needs a name: logs and health checks know it by nothing else")
        if self.every <= timedelta(0):
            raise ValueError(f"job {self.name} must beat at an interval longer than nothing")


class JobHealth(Protocol):
    """Hears of every beat, from the thread that ran it. `at` is always the instant the beat was given."""

    def started(self, name: str, at: datetime) -> None: ...

    def succeeded(self, name: str, at: datetime) -> None: ...

    def failed(self, name: str, error_type: str, at: datetime) -> None: ...


class Engine(Protocol):
    """Drives jobs, each never beside itself. Both verbs may be repeated; `stop` waits for running jobs."""

    @property
    def running(self) -> bool: ...

    def start(self) -> None: ...

    def stop(self) -> None: ...


@dataclass(frozen=True)
class JobRecord:
    """What is known of one job since this process started."""

    started: int = 0
    succeeded: int = 0
    failed: int = 0
    failed_in_a_row: int = 0
    last_started_at: datetime | None = None
    last_succeeded_at: datetime | None = None
    last_failed_at: datetime | None = None
    last_error_type: str | None = None


class HealthRecord:
    """A JobHealth that counts in memory, for health checks and metrics; safe across threads."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._jobs: dict[str, JobRecord] = {}

    def started(self, name: str, at: datetime) -> None:
        with self._lock:
            job = self._jobs.get(name, JobRecord())
            self._jobs[name] = replace(job, started=job.started + 1, last_started_at=at)

    def succeeded(self, name: str, at: datetime) -> None:
        with self._lock:
            job = self._jobs.get(name, JobRecord())
            self._jobs[name] = replace(job, succeeded=job.succeeded + 1, failed_in_a_row=0, last_succeeded_at=at)

    def failed(self, name: str, error_type: str, at: datetime) -> None:
        with self._lock:
            job = self._jobs.get(name, JobRecord())
            self._jobs[name] = replace(
                job,
                failed=job.failed + 1,
                failed_in_a_row=job.failed_in_a_row + 1,
                last_failed_at=at,
                last_error_type=error_type,
            )

    def of(self, name: str) -> JobRecord:
        """Return the job's record; an empty one before its first beat."""
        with self._lock:
            return self._jobs.get(name, JobRecord())

    def all(self) -> dict[str, JobRecord]:
        with self._lock:
            return dict(self._jobs)


def named_once(jobs: Iterable[Job]) -> tuple[Job, ...]:
    """Return the jobs. Raises ValueError where two share a name: an engine knows them by nothing else."""
    found = tuple(jobs)
    if len({job.name for job in found}) != len(found):
        raise ValueError("two jobs share a name: give each its own")
    return found


def beat(job: Job, clock: Callable[[], datetime], health: JobHealth) -> None:
    """Run one beat at the clock's instant. It never raises, not even where the clock does."""
    try:
        now = clock()
    except Exception as error:  # its message may hold anything
        log.error("job %s not run, no time from the clock: %s", job.name, type(error).__name__)
        with suppress(Exception):
            health.failed(job.name, type(error).__name__, datetime.now(UTC))
        return
    run_guarded(job, now, health)


def run_guarded(job: Job, now: datetime, health: JobHealth) -> bool:
    """Run one beat and return whether it succeeded. It never raises: the next beat tries again.

    Only the class of an error is logged: its message may hold a name, a number or a text.
    """
    _tell(job, lambda: health.started(job.name, now))
    try:
        job.run(now)
    except (Exception, SystemExit) as error:  # a job that asks to exit must not take the heartbeat with it
        error_type = type(error).__name__
        log.error("job %s failed: %s", job.name, error_type)
        _tell(job, lambda: health.failed(job.name, error_type, now))
        return False
    _tell(job, lambda: health.succeeded(job.name, now))
    return True


def _tell(job: Job, report: Callable[[], None]) -> None:
    """Report to health, and let nothing that goes wrong there stop the job."""
    try:
        report()
    except Exception as error:
        log.error("health of job %s not recorded: %s", job.name, type(error).__name__)
