"""A patient says whether an answer helped."""

from datetime import datetime

from sqlalchemy import insert
from sqlalchemy.orm import Session

from app.actions.audit import audit
from app.db.learning import Feedback


def record_helped(
    session: Session,
    now: datetime,
    clinic_id: int,
    phone_id: int,
    topic: str,
    language: str,
    version: int,
    helped: bool,
) -> None:
    """Record one reply to "Did that help?" in the caller's transaction. `version` is that of the answer sent.

    Whether it may be asked now (not after an urgent text, once a day) is decided before it is asked.
    """
    values = {"clinic_id": clinic_id, "phone_id": phone_id, "topic": topic, "language": language, "version": version}
    session.execute(insert(Feedback).values(**values, helped=helped, answered_at=now))
    audit(session, now, f"phone:{phone_id}", "said whether it helped", f"phone:{phone_id}", topic=topic, helped=helped)
