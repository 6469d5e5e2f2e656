"""Hold a decision about an unknown phone to the bounds of the line; say so where all together have reached theirs."""

import logging
from datetime import datetime, timedelta
from weakref import WeakKeyDictionary

from sqlalchemy.orm import Session

from app.actions.line import Line
from app.db.answers_given import answered_one, answered_this_hour, answered_today
from app.db.engine import Database
from app.domain.effects import Decision, Sender
from app.domain.strangers import bounded, is_bounded

log = logging.getLogger(__name__)
_SAY_AGAIN = timedelta(hours=1)
_said: WeakKeyDictionary[Database, datetime] = WeakKeyDictionary()


def within_bounds(
    line: Line, session: Session, decision: Decision, sender: Sender, number: str, phone_id: int | None, now: datetime
) -> Decision:
    if not decision.replies or not is_bounded(sender):
        return decision
    today = answered_today(session, phone_id, now) if phone_id is not None else 0
    this_hour = answered_this_hour(line.db, session, now)
    in_danger = sender.asked.still(now).last("urgent") is not None
    kept = bounded(decision, number, line.strangers, in_danger=in_danger, today=today, this_hour=this_hour)
    answered_one(line.db, len(kept.replies))
    if len(kept.replies) < len(decision.replies) and this_hour >= line.strangers.an_hour:
        _say(line.db, this_hour, now)
    return kept


def _say(db: Database, this_hour: int, now: datetime) -> None:
    """To the operator, once an hour: somebody may be pumping."""
    last = _said.get(db)
    if last is None or not timedelta(0) <= now - last < _SAY_AGAIN:
        _said[db] = now
        log.error("unknown phones got %s answers within an hour: no more for now; see docs/messaging.md", this_hour)
