"""Keep what somebody searched for under a token: reload, back and paging work, and no address holds the words."""

import secrets
from datetime import datetime, timedelta

from sqlalchemy import delete, select

from app.actions.line import Line
from app.db.finding import PatientSearch

KEPT_FOR = timedelta(hours=12)
MOST_KEPT = 50  # a person; older ones end first


def keep_search(line: Line, staff_id: int, query: str, now: datetime) -> str:
    """Return the token of this search. Only whoever searched can use it, and only for some hours."""
    token = secrets.token_urlsafe(16)
    with line.db.begin() as session:
        own = select(PatientSearch.id).where(PatientSearch.staff_id == staff_id)
        newest = own.order_by(PatientSearch.id.desc()).limit(MOST_KEPT - 1).subquery()
        session.execute(
            delete(PatientSearch).where(
                PatientSearch.staff_id == staff_id,
                (PatientSearch.expires_at <= now) | PatientSearch.id.not_in(select(newest.c.id)),
            )
        )
        session.add(PatientSearch(staff_id=staff_id, token=token, query=query, expires_at=now + KEPT_FOR))
    return token
