"""What is lost or sent twice: killed half-way, started late, and with two processes on one database."""

import http.client
import json
import signal
import subprocess
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

from app.actions.plan_reminders import plan_reminders
from app.actions.queue_due_reminders import queue_due_reminders
from bench import jobstore
from bench.house import DUE_AT, PLANNED_AT, add_patients, end, folder, open_line, process
from bench.results import Measured, Results

_NOW = DUE_AT + timedelta(seconds=30)


def losses(
    runs: int, say: Callable[[str], None], *, killed: int = 1_000, late: int = 200, shared: int = 500
) -> Results:
    """Count, `runs` times each; a figure of ours counts texts at the provider, not rows."""
    counts: dict[str, list[float]] = {}
    for _ in range(runs):
        for name, count in (
            *_killed(killed).items(),
            *_killed_jobs(killed).items(),
            *_late(late).items(),
            *_two(shared).items(),
            *_two_jobs(shared).items(),
        ):
            counts.setdefault(name, []).append(count)
        say(", ".join(f"{name} {took[-1]:g}" for name, took in counts.items()))
    return {name: Measured.of(took, "reminders") for name, took in counts.items()}


@contextmanager
def provider(answers_after_ms: float, *, ahead: timedelta = timedelta(0)) -> Iterator[int]:
    """Run a stand-in for Twilio's API; yield its port."""
    arguments = (str(answers_after_ms), str(ahead.total_seconds()))
    with process("bench.provider", *arguments, stdout=subprocess.PIPE) as running:
        if running.stdout is None:
            raise RuntimeError("the provider has no pipe")
        yield int(running.stdout.readline())


def accepted(port: int) -> Counter[str]:
    """Return how many texts each phone got."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
    connection.request("GET", "/accepted")
    found: Counter[str] = Counter(json.loads(connection.getresponse().read()))
    connection.close()
    return found


def _killed(due: int) -> dict[str, float]:
    """Kill the process when half the texts have reached the provider, start another, and count."""
    with _clinic(due) as (place, port):
        arguments = ("bench.beat", str(place), f"http://127.0.0.1:{port}", _NOW.isoformat())
        with process(*arguments) as first:
            _wait(lambda: accepted(port).total() >= due // 2 or first.poll() is not None)
            end(first, signal.SIGKILL)
        with process(*arguments) as second:
            second.wait(300)
        return _lost_and_doubled("after_kill", due, accepted(port))


def _two(due: int) -> dict[str, float]:
    with _clinic(due) as (place, port):
        arguments = ("bench.beat", str(place), f"http://127.0.0.1:{port}", _NOW.isoformat())
        with process(*arguments) as one, process(*arguments) as other:
            one.wait(300)
            other.wait(300)
        found = _lost_and_doubled("with_two", due, accepted(port))
        return {"double_with_two": found["double_with_two"], "lost_with_two": found["lost_with_two"]}


def _late(due: int) -> dict[str, float]:
    """Three hours down: how many due reminders are dropped; and of as many jobs, with the library's defaults."""
    with _clinic(due) as (place, _):
        line = open_line(place)
        lost = due - queue_due_reminders(line, DUE_AT + timedelta(hours=3))
        with line.db.read() as session:
            unsent = session.connection().exec_driver_sql("SELECT count(*) FROM reminder WHERE state != 'queued'")
            lost = max(lost, unsent.scalar_one())
        line.db.close()
        at = datetime.now(UTC) - timedelta(hours=3)
        jobstore.fill(place, due, due=due, at=at, keep_late=False)
        jobstore._engine(str(place))
        running = jobstore.scheduler(place, keep_late=False)
        running.start()
        jobstore.until(lambda: jobstore.waiting(place, at) == 0, 30)
        running.shutdown(wait=True)
        return {"lost_when_late": lost, "jobs_lost_when_late": due - jobstore.sent(place).total()}


def _killed_jobs(due: int) -> dict[str, float]:
    with folder() as place:
        jobstore.fill(place, due, due=due, at=datetime.now(UTC))
        jobstore._engine(str(place))
        with process("bench.jobstore", str(place)) as first:
            _wait(lambda: jobstore.sent(place).total() >= due // 2 or first.poll() is not None)
            end(first, signal.SIGKILL)
        with process("bench.jobstore", str(place)) as second:
            second.wait(120)
        return {"jobs_lost_after_kill": due - len(jobstore.sent(place))}


def _two_jobs(due: int) -> dict[str, float]:
    with folder() as place:
        jobstore.fill(place, due, due=due, at=datetime.now(UTC))
        jobstore._engine(str(place))
        with (
            process("bench.jobstore", str(place), stderr=subprocess.DEVNULL) as one,
            process("bench.jobstore", str(place), stderr=subprocess.DEVNULL) as other,
        ):
            one.wait(120)
            other.wait(120)
        found = jobstore.sent(place)
        return {"jobs_double_with_two": found.total() - len(found), "jobs_lost_with_two": due - len(found)}


@contextmanager
def _clinic(due: int) -> Iterator[tuple[Path, int]]:
    """A clinic with `due` reminders planned, and a provider whose clock agrees with ours."""
    with folder() as place, provider(5, ahead=_NOW - datetime.now(UTC)) as port:
        line = open_line(place)
        add_patients(line, due, soon=due)
        plan_reminders(line, PLANNED_AT)
        line.db.close()
        yield place, port


def _lost_and_doubled(name: str, due: int, found: Counter[str]) -> dict[str, float]:
    return {f"lost_{name}": due - len(found), f"double_{name}": found.total() - len(found)}


def _wait(done: Callable[[], bool], seconds: float = 120) -> None:
    until = time.monotonic() + seconds
    while not done():
        if time.monotonic() > until:
            raise RuntimeError("half-way was never reached")
        time.sleep(0.01)
