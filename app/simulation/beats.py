"""The heartbeat under a virtual clock: at each instant only the jobs for which something is due.

In truth every job beats every few seconds and finds nothing; here the minute is skipped in which it would.
"""

import logging
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta

from app.actions.line import Line
from app.actions.send_outbox import send_outbox
from app.actions.settle_unknown import ASK_AFTER
from app.channels.base import Channel
from app.jobs import NIGHTLY, jobs_for
from app.simulation.agenda import instant, minute_of
from app.simulation.parameters import Shard
from app.simulation.rows import Rows, read_instant
from scheduler.engine import HealthRecord, Job, run_guarded

# The jobs look a little after the whole minute at which people act. A microsecond sooner in each minute than in the
# one before: send_outbox dates what it records by the seconds it took, and a text to be repeated in whole minutes must
# fall due at the same beat whether it took none or some.
_SECONDS = timedelta(seconds=20)
_SOONER = timedelta(microseconds=1)
MISSED_AFTER = timedelta(minutes=60)
ASK_AGAIN = timedelta(minutes=5)  # while the provider is down every beat asks, in truth
NEVER = 10**9
_OF_ESCALATION = ("take_care_steps", "notice_missed_refills")


def _send(line: Line, channel: Channel, now: datetime) -> int:
    """One sender, and no seconds pass: a report must not hang on how busy the machine is."""
    return send_outbox(line, channel, now, senders=1, steady=lambda: 0.0)


class Beats:
    def __init__(self, line: Line, channel: Channel, rows: Rows, shard: Shard) -> None:
        self._rows = rows
        self._health = HealthRecord()
        self._jobs = {job.name: job for job in jobs_for(line, channel)}
        # one sender: two at once would meet the provider in an order that no seed decides
        one = Job("send_outbox", timedelta(seconds=1), lambda now: _send(line, channel, now))
        self._jobs["send_outbox"] = one
        off = set()
        if shard.off("escalation"):
            off |= set(_OF_ESCALATION)
        if shard.off("reminders"):
            off.add("queue_due_reminders")
        if shard.off("pages"):
            off.add("raise_pages")
        self._off = frozenset(off)
        self._ask_again = instant(0)

    def run(self, minute: int) -> None:
        """Do at this minute what is due, in the order of the real heartbeat."""
        for name, due in self._due().items():
            if due <= minute and name != "send_outbox":
                self._run(name, minute)
        if self._due()["send_outbox"] <= minute:  # what the others owe leaves at once
            self._run("send_outbox", minute)

    def next(self, minute: int) -> int:
        """Return the next minute at which something falls due."""
        return max(minute + 1, min(self._due().values()))

    def repair(self, minute: int) -> None:
        """Plan everything anew and seal the audit log: nothing that is due hangs on it. In truth it is done oftener."""
        for name in ("plan_new_pumps", *NIGHTLY, "seal_audit"):
            self._run(name, minute)

    def failures(self) -> Counter[str]:
        """Return how often each job threw."""
        return Counter({name: record.failed for name, record in self._health.all().items() if record.failed})

    def _run(self, name: str, minute: int) -> None:
        if name == "settle_unknown":
            self._ask_again = _beat(minute) + ASK_AGAIN
        run_guarded(self._jobs[name], _beat(minute), self._health)

    def _due(self) -> dict[str, int]:
        """Return, by job, the first minute whose beat finds something."""
        reminder, step, text, page, doubt, visit = (read_instant(at) if at else None for at in self._rows.due())
        named = {
            "notice_missed_refills": visit + MISSED_AFTER if visit else None,
            "queue_due_reminders": reminder,
            "take_care_steps": step,
            "raise_pages": page,
            "send_outbox": text,
            "settle_unknown": max(doubt + ASK_AFTER, self._ask_again) if doubt else None,
        }
        return {
            name: _first_beat_after(at) if at is not None else NEVER
            for name, at in named.items()
            if name not in self._off
        }


def _first_beat_after(at: datetime) -> int:
    """Return the first minute whose beat is at or after this instant."""
    minute = minute_of(at)
    return minute if at <= _beat(minute) else minute + 1


def _beat(minute: int) -> datetime:
    return instant(minute) + _SECONDS - minute * _SOONER


@contextmanager
def quiet_logs() -> Iterator[None]:
    """What jobs log is about rows of the simulation: failures are counted, and not printed."""
    loggers = [logging.getLogger(name) for name in ("app", "scheduler", "alembic")]
    levels = [logger.level for logger in loggers]
    for logger in loggers:
        logger.setLevel(logging.CRITICAL + 1)
    try:
        yield
    finally:
        for logger, level in zip(loggers, levels, strict=True):
            logger.setLevel(level)
