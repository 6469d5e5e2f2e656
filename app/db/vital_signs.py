"""How the line is, in a few numbers: what metrics show and a dead-man's ping asks. Every machine reads the same.

Each statement looks at a partial index or at one row, so that they cost the same whatever was ever texted; only what is
overdue is walked through.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Select, bindparam, func, or_, select, text
from sqlalchemy.orm import Session

from app.db.care import Reminder
from app.db.heartbeat import BACKUP, CHECK_BACK, SILENT_AFTER
from app.db.messages import WITHOUT_END, InboundMessage, OutboundMessage, Purpose
from app.db.provider_account import all_breakers
from app.db.supply import CareStep
from app.db.tally import PROVIDER_ERRORS, tallies
from app.db.types import Instant
from app.db.work import JobHealth, Task, TaskKind

NEVER = timedelta.max

# written as the partial indexes are
_QUEUED = text("outbound_message.state = 'queued'")
_PLANNED = text("state = 'planned'")
_UNRESOLVED = text("state != 'resolved'")
# as `failed_text.matters_at_once` has it: what a person must hear of where it does not go out
_IS_SAFETY = or_(OutboundMessage.urgent, OutboundMessage.purpose.in_((Purpose.MISSED, Purpose.CHECK_IN)))
_NOW = bindparam("now", type_=Instant())

_QUEUE = select(
    func.count(),
    func.min(OutboundMessage.due_at),
    func.min(OutboundMessage.due_at).filter(_IS_SAFETY),
).where(_QUEUED, OutboundMessage.due_at <= _NOW)
_OPEN = (
    select(
        OutboundMessage.state,
        func.count(),
        func.min(OutboundMessage.state_at),
        func.min(OutboundMessage.due_at).filter(_IS_SAFETY),
    )
    .where(WITHOUT_END)
    .group_by(OutboundMessage.state)
)
_NEWEST_IN = select(InboundMessage.id, InboundMessage.received_at).where(
    InboundMessage.id == select(func.max(InboundMessage.id)).scalar_subquery()
)
_TASKS = (
    select(Task.kind, Task.state, func.count(), func.min(Task.raised_at))
    .where(_UNRESOLVED)
    .group_by(Task.kind, Task.state)
)


def _overdue(column: Any, *which: Any) -> Select[Any]:
    return select(column).where(*which, column <= _NOW).order_by(column).limit(1)


_OVERDUE = {
    "reminder": _overdue(Reminder.due_at, _PLANNED),
    "care_step": _overdue(CareStep.due_at, _PLANNED),
    "page": _overdue(Task.next_page_at, Task.state == "open"),
}


@dataclass(frozen=True)
class JobSign:
    """`age`: since it last went well. `limit`: from when on that is a silence."""

    age: timedelta
    limit: timedelta
    failures: int


@dataclass(frozen=True)
class VitalSigns:
    """Ages are nothing where there is none of a kind, and NEVER where there should have been one."""

    texts_in: int
    texts_out: int
    last_text_in: timedelta
    queue_due: int
    queue_age: timedelta
    safety_age: timedelta
    sending: int
    unknown: int
    unknown_age: timedelta
    alerts: Mapping[str, int]
    alert_age: timedelta  # of the oldest that nobody has acknowledged
    tasks: int
    overdue: Mapping[str, timedelta]
    jobs: Mapping[str, JobSign]
    provider_errors: Mapping[str, int]
    backup_age: timedelta
    check_age: timedelta  # since an answer to a text of the line's own was seen back
    accounts: Mapping[str, timedelta]  # for how long each of ours at the provider has been failing


def vital_signs(session: Session, now: datetime) -> VitalSigns:
    """Read them all. `now` is the line's time."""

    def since(at: datetime | None, otherwise: timedelta = timedelta(0)) -> timedelta:
        return otherwise if at is None else max(now - at, timedelta(0))

    due, oldest, oldest_safety = session.execute(_QUEUE, {"now": now}).one()
    open_ones = {state.value: (count, at, safety) for state, count, at, safety in session.execute(_OPEN)}
    unknown, unknown_at, _ = open_ones.get("unknown", (0, None, None))
    safety = [at for at in (oldest_safety, *(one[2] for one in open_ones.values())) if at is not None]
    alerts, others, alert_at = {"open": 0, "acknowledged": 0}, 0, None
    for kind, state, count, at in session.execute(_TASKS):
        if kind is TaskKind.ALERT:
            alerts[state.value] = count
            alert_at = at if state.value == "open" else alert_at
        else:
            others += count
    rows = {row.name: row for row in session.scalars(select(JobHealth))}
    newest_out = session.scalar(select(func.max(OutboundMessage.id)))
    newest_in = session.execute(_NEWEST_IN).first()
    backup, check = rows.get(BACKUP), rows.get(CHECK_BACK)
    return VitalSigns(
        texts_in=newest_in.id if newest_in else 0,
        texts_out=newest_out or 0,
        last_text_in=since(newest_in.received_at if newest_in else None, NEVER),
        queue_due=due,
        queue_age=since(oldest),
        safety_age=since(min(safety, default=None)),
        sending=open_ones.get("sending", (0,))[0],
        unknown=unknown,
        unknown_age=since(unknown_at),
        alerts=alerts,
        alert_age=since(alert_at),
        tasks=others,
        overdue={what: since(session.scalar(query, {"now": now})) for what, query in _OVERDUE.items()},
        jobs={
            name: JobSign(since(row.ok_at if row else None, NEVER), limit, row.failures if row else 0)
            for name, limit, row in ((name, limit, rows.get(name)) for name, limit in SILENT_AFTER.items())
        },
        provider_errors=tallies(session, PROVIDER_ERRORS),
        backup_age=since(backup.ok_at if backup else None, NEVER),
        check_age=since(check.ok_at if check else None, NEVER),
        accounts={name: since(breaker.failing_since) for name, breaker in all_breakers(session).by_name().items()},
    )
