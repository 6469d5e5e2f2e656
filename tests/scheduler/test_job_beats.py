import logging
from datetime import UTC, datetime, timedelta

import pytest

from scheduler.engine import HealthRecord, Job, JobRecord, run_guarded

NOW = datetime(2026, 6, 15, 15, tzinfo=UTC)


def test_a_beat_gives_the_job_its_instant_and_is_counted() -> None:
    seen: list[datetime] = []
    health = HealthRecord()
    assert run_guarded(Job("send", timedelta(seconds=5), seen.append), NOW, health)
    assert seen == [NOW]
    assert health.of("send") == JobRecord(started=1, succeeded=1, last_started_at=NOW, last_succeeded_at=NOW)


@pytest.mark.parametrize("error", [ValueError("Maria +15550100"), SystemExit("Maria +15550100")])
def test_a_job_that_throws_is_logged_by_class_only_and_counted(
    error: BaseException, caplog: pytest.LogCaptureFixture
) -> None:
    def run(now: datetime) -> None:
        raise error

    health = HealthRecord()
    with caplog.at_level(logging.DEBUG):
        assert not run_guarded(Job("send", timedelta(seconds=5), run), NOW, health)
    assert caplog.messages == [f"job send failed: {type(error).__name__}"]
    assert "Maria" not in caplog.text
    record = health.of("send")
    assert (record.failed, record.failed_in_a_row, record.last_error_type) == (1, 1, type(error).__name__)


def test_a_job_that_threw_is_tried_again_and_forgiven() -> None:
    answers = iter([ValueError("first"), ValueError("second"), None])

    def run(now: datetime) -> None:
        if error := next(answers):
            raise error

    health = HealthRecord()
    job = Job("plan", timedelta(days=1), run)
    assert [run_guarded(job, NOW + timedelta(days=day), health) for day in range(3)] == [False, False, True]
    record = health.of("plan")
    assert (record.started, record.failed, record.succeeded, record.failed_in_a_row) == (3, 2, 1, 0)
    assert record.last_failed_at == NOW + timedelta(days=1)
    assert record.last_succeeded_at == NOW + timedelta(days=2)


def test_a_broken_health_record_stops_no_job(caplog: pytest.LogCaptureFixture) -> None:
    class Broken:
        def started(self, name: str, at: datetime) -> None:
            raise OSError("Maria")

        def succeeded(self, name: str, at: datetime) -> None:
            raise OSError("Maria")

        def failed(self, name: str, error_type: str, at: datetime) -> None:
            raise OSError("Maria")

    ran: list[datetime] = []
    assert run_guarded(Job("send", timedelta(seconds=5), ran.append), NOW, Broken())
    assert ran == [NOW]
    assert "OSError" in caplog.text
    assert "Maria" not in caplog.text


def test_an_interrupt_from_the_keyboard_still_ends_the_process() -> None:
    def run(now: datetime) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        run_guarded(Job("send", timedelta(seconds=5), run), NOW, HealthRecord())


def test_a_job_not_yet_run_has_an_empty_record() -> None:
    health = HealthRecord()
    assert health.of("send") == JobRecord()
    assert health.all() == {}


@pytest.mark.parametrize(
    ("name", "every", "says"),
    [("", timedelta(seconds=5), "needs a name"), ("send", timedelta(0), "longer than nothing")],
)
def test_a_job_without_a_name_or_an_interval_is_refused(name: str, every: timedelta, says: str) -> None:
    with pytest.raises(ValueError, match=says):
        Job(name, every, lambda now: None)
