"""Tell the operator's dead man's switch that the line works, but only once all of it has shown that it does."""

import logging
from collections.abc import Callable
from datetime import datetime, timedelta

from sqlalchemy import select
from sqlalchemy.orm import Session

from app.actions.job_health import StoredHealth
from app.actions.line import Line
from app.db.heartbeat import MUST_BEAT, PING, WEBHOOK
from app.db.vital_signs import vital_signs
from app.db.work import JobHealth
from app.domain.proof import Shown, unproven

log = logging.getLogger(__name__)
JOB = "dead_mans_ping"
AT_MOST_EVERY = timedelta(minutes=5)
AT_FIRST = timedelta(minutes=20)  # what counts before the first one
SAY_AFTER = timedelta(minutes=20)  # without one, why not is said in the log


def dead_mans_ping(line: Line, ping: Callable[[], None], now: datetime) -> bool:
    """Return whether a sign of life was sent. Raises what `ping` raises: the job has failed then, and tries again."""
    with line.db.read() as session:
        last = sent_at(session)
        if last is not None and timedelta(0) <= now - last < AT_MOST_EVERY:
            return False
        lacking = lacking_since(session, last, now)
    if lacking:
        if last is not None and now - last >= SAY_AFTER:
            log.warning("no sign of life sent: %s", "; ".join(lacking))
        return False
    ping()
    StoredHealth(line.db).succeeded(PING, now)
    return True


def sent_at(session: Session) -> datetime | None:
    """Return when the last sign of life was taken."""
    at: datetime | None = session.scalar(select(JobHealth.ok_at).where(JobHealth.name == PING))
    return at


def lacking_since(session: Session, last: datetime | None, now: datetime) -> tuple[str, ...]:
    """Return what has not proven itself since the last sign of life."""
    well = {row.name: row.ok_at for row in session.scalars(select(JobHealth))}
    signs = vital_signs(session, now)
    shown = Shown(
        webhook_at=well.get(WEBHOOK),
        jobs={name: well.get(name) for name in MUST_BEAT},
        safety_age=signs.safety_age,
        queue_age=signs.queue_age,
        unknown_age=signs.unknown_age,
        overdue=signs.overdue,
    )
    # a clock that was set back must not leave a last time that lies ahead and is never passed
    return unproven(shown, last if last is not None and last <= now else now - AT_FIRST)
