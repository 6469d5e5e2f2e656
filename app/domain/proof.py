"""Whether the line has shown that it works since it last said so. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

SAFETY_WITHIN = timedelta(minutes=2)  # as the alert rules have it: deploy/monitoring/alerts.yaml
QUEUE_WITHIN = timedelta(minutes=10)
UNKNOWN_WITHIN = timedelta(minutes=15)
OVERDUE_WITHIN = timedelta(minutes=15)


@dataclass(frozen=True)
class Shown:
    """What is known: when a webhook of Twilio's was last taken in, when each job last went well, and what waits."""

    webhook_at: datetime | None
    jobs: Mapping[str, datetime | None]
    safety_age: timedelta
    queue_age: timedelta
    unknown_age: timedelta
    overdue: Mapping[str, timedelta]


def unproven(shown: Shown, since: datetime) -> tuple[str, ...]:
    """Return what has not proven itself since then, a sentence each, without names; nothing where all has."""
    lacking = []
    if shown.webhook_at is None or shown.webhook_at <= since:
        lacking.append("no webhook came in")
    silent = sorted(name for name, at in shown.jobs.items() if at is None or at <= since)
    if silent:
        lacking.append(f"not run well: {', '.join(silent)}")
    for what, age, limit in (
        ("a safety text", shown.safety_age, SAFETY_WITHIN),
        ("a text", shown.queue_age, QUEUE_WITHIN),
        ("a text of unknown fate", shown.unknown_age, UNKNOWN_WITHIN),
        *((what.replace("_", " "), age, OVERDUE_WITHIN) for what, age in shown.overdue.items()),
    ):
        if age > limit:
            lacking.append(f"{what} has waited for {int(age.total_seconds() // 60)} minutes")
    return tuple(lacking)
