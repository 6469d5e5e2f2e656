"""Remove a saved view."""

from datetime import datetime

from app.actions.audit import audit
from app.actions.line import Line
from app.actions.saved_views import own_view


def remove_view(line: Line, view_id: int, staff_id: int, now: datetime, version: int | None = None) -> None:
    """Raises Refused for a view of somebody else or a stale version."""
    with line.db.begin() as session:
        session.delete(own_view(session, view_id, staff_id, version))
        audit(session, now, f"staff:{staff_id}", "view removed", f"saved_view:{view_id}")
