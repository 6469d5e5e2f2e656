import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta, tzinfo
from queue import Queue
from threading import Event, Thread, active_count

import pytest

from scheduler.embedded import ClockWatch, EmbeddedEngine
from scheduler.engine import Engine, HealthRecord, Job

NOW = datetime(2026, 6, 15, 15, tzinfo=UTC)
SOON = 10.0  # seconds a test waits for a thread before it calls it lost
HOURLY = timedelta(hours=1)
OFTEN = timedelta(milliseconds=10)


@contextmanager
def started(*jobs: Job, health: HealthRecord | None = None) -> Iterator[EmbeddedEngine]:
    engine = EmbeddedEngine(jobs, clock=lambda: NOW, health=health or HealthRecord())
    engine.start()
    try:
        yield engine
    finally:
        engine.stop()


def test_every_job_beats_at_once_with_the_clocks_instant() -> None:
    beats: Queue[tuple[str, datetime]] = Queue()
    send = Job("send", HOURLY, lambda now: beats.put(("send", now)))
    plan = Job("plan", HOURLY, lambda now: beats.put(("plan", now)))
    with started(send, plan):
        assert {beats.get(timeout=SOON), beats.get(timeout=SOON)} == {("send", NOW), ("plan", NOW)}


def test_a_job_beats_again_and_again() -> None:
    beats: Queue[datetime] = Queue()
    with started(Job("send", OFTEN, beats.put)):
        assert [beats.get(timeout=SOON) for _ in range(3)] == [NOW] * 3


def test_a_job_that_throws_beats_again(caplog: pytest.LogCaptureFixture) -> None:
    beats: Queue[datetime] = Queue()

    def run(now: datetime) -> None:
        beats.put(now)
        raise ValueError("Maria +15550100")

    health = HealthRecord()
    with started(Job("send", OFTEN, run), health=health):
        for _ in range(3):
            beats.get(timeout=SOON)
    assert health.of("send").failed >= 3
    assert "Maria" not in caplog.text


def test_a_slow_job_never_runs_beside_itself_and_holds_up_no_other() -> None:
    entered: Queue[datetime] = Queue()
    release = Event()
    others: Queue[datetime] = Queue()

    def slow(now: datetime) -> None:
        entered.put(now)
        release.wait(timeout=SOON)

    with started(Job("slow", OFTEN, slow), Job("page", OFTEN, others.put)):
        entered.get(timeout=SOON)
        for _ in range(20):  # twenty beats of the other, at the same pace
            others.get(timeout=SOON)
        assert entered.empty()
        release.set()
        entered.get(timeout=SOON)  # and once free it beats on


def test_stopping_waits_for_the_running_job() -> None:
    entered, release, stopped = Event(), Event(), Event()
    ended: Queue[str] = Queue()

    def run(now: datetime) -> None:
        entered.set()
        release.wait(timeout=SOON)
        ended.put("job")

    engine = EmbeddedEngine([Job("send", HOURLY, run)], clock=lambda: NOW, health=HealthRecord())

    def stop() -> None:
        engine.stop()
        ended.put("engine")
        stopped.set()

    engine.start()
    assert entered.wait(timeout=SOON)
    Thread(target=stop).start()
    assert not stopped.wait(timeout=0.2)  # the job still runs, and so must the engine
    assert engine.running
    release.set()
    assert [ended.get(timeout=SOON), ended.get(timeout=SOON)] == ["job", "engine"]
    assert not engine.running


def test_starting_and_stopping_twice_is_harmless() -> None:
    beats: Queue[datetime] = Queue()
    engine: Engine = EmbeddedEngine([Job("send", HOURLY, beats.put)], clock=lambda: NOW, health=HealthRecord())
    assert not engine.running
    engine.stop()
    engine.start()
    threads = active_count()
    engine.start()
    assert active_count() <= threads + 1  # at most the job's own thread came since
    assert engine.running
    beats.get(timeout=SOON)
    engine.stop()
    engine.stop()
    assert not engine.running
    assert beats.empty()


def test_a_stopped_engine_starts_again() -> None:
    beats: Queue[datetime] = Queue()
    engine = EmbeddedEngine([Job("send", HOURLY, beats.put)], clock=lambda: NOW, health=HealthRecord())
    for _ in range(2):
        engine.start()
        beats.get(timeout=SOON)
        engine.stop()
    assert beats.empty()


def test_stopping_in_a_storm_of_beats_logs_no_error(caplog: pytest.LogCaptureFixture) -> None:
    for _ in range(20):
        beats: Queue[datetime] = Queue()
        with started(*(Job(f"job {n}", timedelta(milliseconds=1), beats.put) for n in range(4))):
            beats.get(timeout=SOON)
    assert [record for record in caplog.records if record.levelname == "ERROR"] == []


def test_a_clock_that_fails_is_counted_and_says_nothing_private(caplog: pytest.LogCaptureFixture) -> None:
    asked: Queue[None] = Queue()

    def clock() -> datetime:
        asked.put(None)
        raise OSError("Maria")

    health = HealthRecord()
    engine = EmbeddedEngine([Job("send", OFTEN, lambda now: None)], clock=clock, health=health)
    engine.start()
    asked.get(timeout=SOON)
    asked.get(timeout=SOON)
    engine.stop()
    assert health.of("send").last_error_type == "OSError"
    assert "Maria" not in caplog.text


@pytest.mark.parametrize(
    ("steady", "wall", "told"),
    [
        (103, 1_003, False),
        (103, 999, False),  # four seconds back: within what a machine may correct by itself
        (103, 997, True),
        (103, -2_597, True),  # an hour back
        (103, 4_603, False),  # an hour ahead: what is due then is due
        (3_700, 4_600, False),  # looked late, because the machine was busy
    ],
)
def test_a_clock_set_back_is_told_by_one_that_cannot_be(steady: float, wall: float, told: bool) -> None:
    assert ClockWatch(100, 1_000).set_back(steady, wall) is told


def test_a_clock_set_back_is_told_once_and_again_the_next_time() -> None:
    watch = ClockWatch(100, 1_000)
    assert [watch.set_back(103, 503), watch.set_back(106, 506), watch.set_back(109, 9)] == [True, False, True]


def test_a_clock_set_back_stops_no_job() -> None:
    beats: Queue[datetime] = Queue()
    behind = Event()
    engine = EmbeddedEngine(
        [Job("send", HOURLY, beats.put)],
        clock=lambda: NOW,
        health=HealthRecord(),
        wall=lambda: time.time() - (3_600 if behind.is_set() else 0),
        look_every_seconds=0.01,
    )
    engine.start()
    try:
        beats.get(timeout=SOON)
        behind.set()
        beats.get(timeout=SOON)  # not in an hour
    finally:
        engine.stop()
    assert beats.empty()


def test_a_clock_set_back_and_forward_between_two_looks_stops_no_job(monkeypatch: pytest.MonkeyPatch) -> None:
    """The library works out its wait while the clock is an hour behind; when we look, it is right again."""
    beats: Queue[datetime] = Queue()
    behind, waits = Event(), Event()

    class LibrarysClock(datetime):
        @classmethod
        def now(cls, tz: tzinfo | None = None) -> datetime:
            if not behind.is_set():
                return datetime.now(tz)
            waits.set()
            return datetime.now(tz) - HOURLY

    monkeypatch.setattr("apscheduler.schedulers.base.datetime", LibrarysClock)
    engine = EmbeddedEngine(
        [Job("send", OFTEN, beats.put)], clock=lambda: NOW, health=HealthRecord(), look_every_seconds=0.01
    )
    engine.start()
    try:
        beats.get(timeout=SOON)
        behind.set()
        assert waits.wait(SOON)
        while not beats.empty():
            beats.get()
        behind.clear()
        beats.get(timeout=SOON)
        beats.get(timeout=SOON)  # not in an hour
    finally:
        engine.stop()


def test_two_jobs_of_one_name_are_refused() -> None:
    job = Job("send", HOURLY, lambda now: None)
    with pytest.raises(ValueError, match="share a name"):
        EmbeddedEngine([job, job], clock=lambda: NOW, health=HealthRecord())
