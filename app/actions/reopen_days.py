"""Take a closure away: its days have places again."""

from datetime import datetime

from app.actions.audit import audit
from app.actions.errors import Refused
from app.actions.line import Line
from app.db.visit_hours import Closure


def reopen_days(line: Line, closure_id: int, now: datetime, actor: str, version: int | None = None) -> None:
    """Remove one closure. Raises Refused where it is gone, or was changed since `version`."""
    with line.db.begin() as session:
        found = session.get(Closure, closure_id, with_for_update=True)
        if found is None or (version is not None and found.version != version):
            raise Refused("someone changed this closure meanwhile: look at it again, nothing was changed", "conflict")
        session.delete(found)
        audit(session, now, actor, "days opened", f"closure:{closure_id}", first=found.first_on.isoformat())
