"""After a restore: owe again what fell due between the backup and now, as doubtful texts.

The line that was lost may have sent them. Each is written down as it was then, at its own instant and so in the same
words; the provider is asked about it, and only what it does not know is sent.
"""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import update

from app.actions.advance_clock import next_due
from app.actions.audit import audit
from app.actions.each import SomeFailed
from app.actions.line import Line
from app.actions.queue_due_reminders import queue_due_reminders
from app.actions.restore import IN_DOUBT
from app.actions.take_care_steps import take_care_steps
from app.db.messages import OutboundMessage
from app.domain.delivery import DeliveryState

STEPS = 50_000  # instants at which something was due: months of a large clinic


@dataclass(frozen=True)
class Replayed:
    steps: int  # reminders and steps that were settled
    in_doubt: int  # texts that came of them


def replay_lost_time(line: Line, point: datetime, now: datetime, actor: str) -> Replayed:
    """Settle every reminder and step that fell due since `point`, each at its instant; nothing is sent.

    Visits are not looked at: who came since the backup is not known here, and must be said by a person first.
    """
    settled, at = 0, point
    for _ in range(STEPS):
        settled += _settle(line, at)
        due = next_due(line, at)
        if due is None or due > now:
            break
        at = due
    with line.db.begin() as session:
        marked = session.execute(
            update(OutboundMessage)
            .where(OutboundMessage.state == DeliveryState.QUEUED, OutboundMessage.due_at <= now)
            .values(state=DeliveryState.UNKNOWN, state_at=now, reason=IN_DOUBT)
            .returning(OutboundMessage.id)
            .execution_options(synchronize_session=False)
        ).all()
        audit(session, now, actor, "backup restored", "installation:1", until=point.isoformat(timespec="seconds"))
    return Replayed(settled, len(marked))


def _settle(line: Line, at: datetime) -> int:
    """One bad record stops nothing: `pumpline run` tries it again, and asks a nurse to call."""
    settled = 0
    for job in (queue_due_reminders, take_care_steps):
        try:
            settled += job(line, at)
        except SomeFailed:
            continue
    return settled
