"""A process with Pumpline's heartbeat, for the proofs of loss: `python -m bench.beat FOLDER PROVIDER NOW`.

It beats at NOW and, once that is done, at the minutes after it, until nothing is owed any more.
"""

import sys
from datetime import datetime, timedelta
from pathlib import Path

from sqlalchemy import func, select

from app.actions.line import Line
from app.db.care import Reminder, ReminderState
from app.db.messages import OutboundMessage
from app.domain.delivery import DeliveryState
from app.jobs import run_due
from app.wiring import channel_for
from bench.house import open_line, settings_in

_OPEN = (DeliveryState.QUEUED, DeliveryState.SENDING, DeliveryState.UNKNOWN)
_MOST_MINUTES = 30


def main() -> None:
    folder, provider, now = Path(sys.argv[1]), sys.argv[2], datetime.fromisoformat(sys.argv[3])
    line = open_line(folder, provider)
    beat = run_due(line, channel_for(settings_in(folder, provider)))
    for minute in range(_MOST_MINUTES):
        beat(now + timedelta(minutes=minute))
        if not owed(line, now):
            return


def owed(line: Line, now: datetime) -> int:
    """Return how many reminders are due and texts are not yet settled."""
    with line.db.read() as session:
        due = select(func.count()).where(Reminder.state == ReminderState.PLANNED, Reminder.due_at <= now)
        texts = select(func.count()).where(OutboundMessage.state.in_(_OPEN))
        return session.execute(due).scalar_one() + session.execute(texts).scalar_one()


if __name__ == "__main__":
    main()
