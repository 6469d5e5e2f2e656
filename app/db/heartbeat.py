"""Whether the heartbeat still beats, as the jobs' own rows tell it: a process that ended says nothing any more."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from app.db.inserts import insert_once
from app.db.work import Installation, JobHealth

FAILURES_THAT_COUNT = 3
NEW_FOR = timedelta(minutes=10)  # an installation this young may not have been started yet

_FEW = timedelta(minutes=5)  # jobs that beat every few seconds say so once a minute
SILENT_AFTER = {
    "notice_missed_refills": _FEW,
    "queue_due_reminders": _FEW,
    "plan_new_pumps": _FEW,
    "take_care_steps": _FEW,
    "raise_pages": _FEW,
    "send_outbox": _FEW,
    "settle_unknown": _FEW,
    "settle_silent": _FEW,
    "wake_threads": _FEW,
    "seal_audit": _FEW,
    "index_names": _FEW,
    "replay_spool": _FEW,
    "catch_up": timedelta(minutes=20),  # asks every five minutes, and a long list takes a while
    "forget_imports": timedelta(hours=13),
    "forget_old": timedelta(hours=13),
    "plan_reminders": timedelta(hours=13),  # beats every six hours: two beats missed
    "plan_care": timedelta(hours=13),
}

BACKUP = "backup"  # a command's, not a job's: `doctor` asks for it, and a failing one is told as a failing job is

# rows among the jobs' that no job writes
WEBHOOK = "webhook"  # a webhook of Twilio's was taken in
CHECK_BACK = "check_back"  # the answer to a text of the line's own was seen back
PING = "ping"  # the operator's dead man's switch took a sign of life

SENDS_NOTHING = {"seal_audit", "index_names"}  # where it alone is silent, pages and reminders still go out

MUST_BEAT = tuple(name for name, limit in SILENT_AFTER.items() if limit == _FEW and name not in SENDS_NOTHING)


@dataclass(frozen=True)
class FailingJob:
    name: str
    failures: int  # in a row
    error: str | None


@dataclass(frozen=True)
class Heartbeat:
    """`failing` jobs are tried and throw, `silent` ones are not run, or hang. No job is both."""

    failing: tuple[FailingJob, ...]
    silent: tuple[str, ...]
    yet_to_start: bool  # nothing beat so far, and the installation is new

    @property
    def stopped(self) -> bool:
        """Whether what goes out every few seconds no longer does."""
        return any(name in MUST_BEAT for name in self.silent)


def note(session: Session, name: str, at: datetime | None, *, only_new: bool = False) -> None:
    """Keep an instant among the jobs' health; `only_new`: where there is none."""
    insert_once(session, JobHealth, ("name",), name=name, failures=0, ok_at=at)
    if not only_new:
        session.execute(update(JobHealth).where(JobHealth.name == name).values(ok_at=at))


def well_at(session: Session, name: str) -> datetime | None:
    at: datetime | None = session.scalar(select(JobHealth.ok_at).where(JobHealth.name == name))
    return at


def heartbeat(session: Session, now: datetime) -> Heartbeat:
    """Read it. `now` is the line's time; where that can be pushed ahead, a silence means little."""
    rows = {row.name: row for row in session.scalars(select(JobHealth))}
    failing = tuple(
        FailingJob(row.name, row.failures, row.error) for row in rows.values() if row.failures >= FAILURES_THAT_COUNT
    )
    ok_at = {name: row.ok_at for name, row in rows.items() if row.ok_at is not None}
    told = {job.name for job in failing}
    # a time that lies ahead is no sign of life either: the machine's clock was set back since
    late = [name for name, limit in SILENT_AFTER.items() if name in ok_at and abs(now - ok_at[name]) > limit]
    missing = [name for name in SILENT_AFTER if name not in ok_at]
    made_at = session.scalar(select(Installation.created_at)) if missing else None
    is_new = made_at is not None and now - made_at < NEW_FOR
    silent = late if is_new else [*late, *missing]
    return Heartbeat(
        failing, tuple(name for name in silent if name not in told), is_new and not rows.keys() - {WEBHOOK, PING}
    )
