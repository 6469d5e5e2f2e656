"""Planning and queueing reminders: Pumpline's rows and sweep beside one APScheduler job per reminder."""

import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from sqlalchemy import text

from app.actions.line import Line
from app.actions.plan_reminders import plan_reminders
from app.actions.queue_due_reminders import queue_due_reminders
from app.channels.simulator import SimulatorChannel
from app.jobs import run_due
from bench import jobstore
from bench.house import DUE_AT, PLANNED_AT, add_patients, folder, open_line
from bench.results import Measured, Results

DUE = 1_000
_LADDER = 4
SIZES = {"1k": 1_000, "10k": 10_000, "100k": 100_000}
_SWEEP_AT = DUE_AT + timedelta(seconds=30)


@dataclass(frozen=True)
class Effort:
    """`jobs`: how many are added to the job store in one slice; its cost a job is what is compared."""

    plans: int = 3
    jobs: int = 1_500
    idle_rounds: int = 9
    due_rounds: int = 3


QUICK = Effort(plans=1, jobs=200, idle_rounds=2, due_rounds=1)


def reminders(effort: Effort, full: bool, say: Callable[[str], None], sizes: dict[str, int] = SIZES) -> Results:
    sizes = sizes | ({"1m": 1_000_000} if full else {})
    with folder() as place:
        lines = {name: open_line(place / name) for name in sizes}
        try:
            results: Results = {}
            for name, size in sizes.items():
                say(f"{size:,} reminders: setting up and planning")
                add_patients(lines[name], DUE + (size - DUE) // _LADDER, soon=DUE)
                results |= _planning(lines[name], place / name, name, size, effort)
            say("sweeping with nothing due")
            results |= _idle(lines, effort)
            say("queueing 1,000 due")
            return results | _queueing(lines, place, sizes, effort)
        finally:
            for line in lines.values():
                line.db.close()


def _planning(line: Line, place: Path, name: str, size: int, effort: Effort) -> Results:
    """Time planning everything anew, each time beside a slice of jobs added to a store."""
    store = jobstore.scheduler(place)
    store.start(paused=True)
    ratios, rates, job_rates = [], [], []
    far = datetime.now(UTC) + jobstore.FAR
    for n in range(effort.plans):
        _sql(line, "DELETE FROM reminder")
        began = time.perf_counter()
        added = plan_reminders(line, PLANNED_AT).added
        ours = (time.perf_counter() - began) / added
        if added != size:
            raise RuntimeError(f"{added} reminders planned, not {size}")
        began = time.perf_counter()
        jobstore.add(store, place, n * effort.jobs, effort.jobs, far)
        theirs = (time.perf_counter() - began) / effort.jobs
        ratios.append(theirs / ours)
        rates.append(1 / ours)
        job_rates.append(1 / theirs)
    store.remove_all_jobs()
    store.shutdown()
    ratio_name = "plan_bulk_vs_jobs" if name == "100k" else f"plan_{name}_vs_jobs"
    return {
        ratio_name: Measured.of(ratios, "times faster"),
        f"plan_{name}_per_s": Measured.of(rates, "reminders/s"),
        f"jobs_added_{name}_per_s": Measured.of(job_rates, "jobs/s"),
    }


def _idle(lines: dict[str, Line], effort: Effort) -> Results:
    """Time whole beats (every job of the heartbeat) in which nothing is due, a slice a size, round-robin."""
    beats = {name: run_due(line, SimulatorChannel()) for name, line in lines.items()}
    seconds: dict[str, list[float]] = {name: [] for name in lines}
    for _ in range(effort.idle_rounds):
        for name, beat in beats.items():
            beat(PLANNED_AT)
            took = []
            for _ in range(15):
                began = time.perf_counter()
                beat(PLANNED_AT)
                took.append(time.perf_counter() - began)
            seconds[name].append(sorted(took)[len(took) // 2])
    results = {f"sweep_idle_{name}_ms": Measured.of([1e3 * s for s in took], "ms") for name, took in seconds.items()}
    return results | _growth("sweep_idle", seconds)


def _queueing(lines: dict[str, Line], place: Path, sizes: dict[str, int], effort: Effort) -> Results:
    ours: dict[str, list[float]] = {name: [] for name in lines}
    theirs: dict[str, list[float]] = {name: [] for name in lines if name in SIZES}
    for n in range(effort.due_rounds):
        for name, line in lines.items():
            _undo_queueing(line)
            began = time.perf_counter()
            queued = queue_due_reminders(line, _SWEEP_AT)
            ours[name].append(time.perf_counter() - began)
            if queued != DUE:
                raise RuntimeError(f"{queued} reminders queued, not {DUE}")
            if name in theirs and (n == 0 or name == "100k"):
                theirs[name].append(_fire(place / name, sizes[name]))
    results = {f"queue_due_{name}_ms": Measured.of([1e3 * s for s in took], "ms") for name, took in ours.items()}
    for name, took in theirs.items():
        ratios = [their / our for their, our in zip(took, ours[name], strict=False)]
        results["queue_due_vs_jobs" if name == "100k" else f"queue_due_{name}_vs_jobs"] = Measured.of(
            ratios, "times faster"
        )
        results[f"jobs_fired_{name}_ms"] = Measured.of([1e3 * s for s in took], "ms")
    return results | _growth("queue_due", ours)


def _fire(place: Path, size: int) -> float:
    """Return how long a store of `size` jobs takes to fire 1,000 that are due."""
    for name in ("jobs.db", "sent.db"):
        (place / name).unlink(missing_ok=True)
    jobstore._engine.cache_clear()
    jobstore._engine(str(place))
    jobstore.fill(place, size, due=DUE, at=datetime.now(UTC) - timedelta(seconds=1))
    running = jobstore.scheduler(place)
    began = time.perf_counter()
    running.start()
    jobstore.until(lambda: jobstore.sent(place).total() >= DUE, 120)
    took = time.perf_counter() - began
    running.shutdown()
    return took


def _growth(what: str, seconds: dict[str, list[float]]) -> Results:
    if "1k" not in seconds:
        return {}
    return {
        f"{what}_{name}_vs_1k": Measured.of([a / b for a, b in zip(seconds[name], seconds["1k"], strict=True)], "ratio")
        for name in ("100k", "1m")
        if name in seconds
    }


def _undo_queueing(line: Line) -> None:
    _sql(line, "DELETE FROM outbound_message")
    _sql(line, "UPDATE phone SET asked = NULL WHERE asked IS NOT NULL")
    _sql(line, "UPDATE reminder SET state = 'planned', settled_at = NULL, reason = NULL WHERE state != 'planned'")


def _sql(line: Line, statement: str) -> None:
    with line.db.begin() as session:
        session.execute(text(statement))
