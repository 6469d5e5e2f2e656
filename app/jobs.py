"""The heartbeats: what is looked at, and how often. Each only looks at rows for what is owed."""

from collections.abc import Callable
from datetime import datetime, timedelta
from time import monotonic

from app.actions.catch_up import JOB, catch_up
from app.actions.check_line import JOB as CHECKS
from app.actions.check_line import check_line
from app.actions.dead_mans_ping import JOB as PINGS
from app.actions.dead_mans_ping import dead_mans_ping
from app.actions.deliver_simulated import deliver_simulated
from app.actions.forget_imports import forget_imports
from app.actions.forget_old import forget_old
from app.actions.hand_back import hand_back
from app.actions.index_names import index_names
from app.actions.line import Line
from app.actions.notice_missed_refills import notice_missed_refills
from app.actions.plan_care import plan_care, plan_new_pumps
from app.actions.plan_reminders import plan_reminders
from app.actions.queue_due_reminders import queue_due_reminders
from app.actions.raise_pages import raise_pages
from app.actions.replay_spool import replay_spool
from app.actions.seal_audit import seal_audit
from app.actions.send_outbox import release_claims, send_outbox
from app.actions.settle_silent import settle_silent
from app.actions.settle_unknown import settle_unknown
from app.actions.take_care_steps import take_care_steps
from app.actions.wake_threads import wake_threads
from app.channels.base import Channel
from app.channels.simulator import progress
from scheduler.engine import HealthRecord, Job, run_guarded

NIGHTLY = ("plan_reminders", "plan_care", "forget_old")  # repair; nothing that is due hangs on them


def jobs_for(
    line: Line,
    channel: Channel,
    steady: Callable[[], float] = monotonic,
    *,
    jitter: Callable[[], float] = lambda: 0.0,
    ping: Callable[[], None] | None = None,
) -> tuple[Job, ...]:
    """Return every periodic job of one installation, in the order in which one leads to the next.

    Those marked `here` belong to each machine that takes in texts; the others are done once, wherever.
    `steady` counts the seconds that a job takes; `jitter` keeps refused texts from coming back all at once.
    `ping` reaches the operator's dead man's switch, where there is one.
    """

    def send(now: datetime) -> int:
        return send_outbox(line, channel, now, steady=steady, jitter=jitter)

    jobs = [
        Job("replay_spool", timedelta(seconds=5), lambda now: replay_spool(line, now), here=True),
        Job("notice_missed_refills", timedelta(seconds=15), lambda now: notice_missed_refills(line, now)),
        Job("queue_due_reminders", timedelta(seconds=5), lambda now: queue_due_reminders(line, now)),
        Job("plan_new_pumps", timedelta(seconds=30), lambda now: plan_new_pumps(line, now)),
        Job("take_care_steps", timedelta(seconds=5), lambda now: take_care_steps(line, now)),
        Job("raise_pages", timedelta(seconds=5), lambda now: raise_pages(line, now)),
        Job("send_outbox", timedelta(seconds=1), send),
        Job("settle_unknown", timedelta(seconds=5), lambda now: settle_unknown(line, channel, now, jitter)),
        Job("settle_silent", timedelta(seconds=10), lambda now: settle_silent(line, channel, now)),
        Job("wake_threads", timedelta(seconds=15), lambda now: wake_threads(line, now)),
        Job("seal_audit", timedelta(seconds=5), lambda now: seal_audit(line, now)),
        Job("index_names", timedelta(seconds=30), lambda now: index_names(line, now)),
        Job("forget_imports", timedelta(hours=1), lambda now: forget_imports(line, now)),
        Job("forget_old", timedelta(hours=1), lambda now: forget_old(line, now)),
        Job("plan_reminders", timedelta(hours=6), lambda now: plan_reminders(line, now)),
        Job("plan_care", timedelta(hours=6), lambda now: plan_care(line, now)),
    ]
    if line.channel != "simulator":
        jobs.append(Job(JOB, timedelta(minutes=5), lambda now: catch_up(line, channel, now)))
    if line.second_sender:
        jobs.append(Job("hand_back", timedelta(seconds=15), lambda now: hand_back(line, channel, now)))
    if line.channel == "simulator":
        jobs.append(Job("deliver_simulated", timedelta(seconds=1), lambda now: deliver_simulated(line, progress, now)))
    if line.check_phone:
        jobs.append(Job(CHECKS, timedelta(minutes=1), lambda now: check_line(line, channel, now)))
    if ping is not None:
        sign_of_life = ping
        jobs.append(Job(PINGS, timedelta(minutes=1), lambda now: dead_mans_ping(line, sign_of_life, now)))
    return tuple(jobs)


def released_by(line: Line) -> Callable[[str, datetime], object]:
    """Return what frees the claims of a job whose worker died: nobody else will record what became of its texts."""

    def release(job: str, now: datetime) -> None:
        if job == "send_outbox":
            release_claims(line, now, timedelta(0))

    return release


def run_due(line: Line, channel: Channel) -> Callable[[datetime], None]:
    """Return what does, at one instant, all that the heartbeat would do then: for the simulator's clock."""
    jobs = [job for job in jobs_for(line, channel, steady=lambda: 0.0) if job.name not in (*NIGHTLY, JOB)]
    carrier = [job for job in jobs if job.name == "deliver_simulated"]
    health = HealthRecord()

    def run(now: datetime) -> None:
        for job in (*jobs, *carrier):  # the simulated carrier takes two steps: sent, delivered
            run_guarded(job, now, health)

    return run
