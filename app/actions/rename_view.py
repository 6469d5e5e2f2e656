"""Give a saved view another name, or share it with the clinic, or no longer."""

from datetime import datetime

from app.actions.audit import audit
from app.actions.line import Line
from app.actions.saved_views import own_view, view_name


def rename_view(
    line: Line, view_id: int, staff_id: int, name: str, now: datetime, *, shared: bool, version: int | None = None
) -> None:
    """Raises Refused for a view of somebody else, an empty name or a stale version."""
    said = view_name(name)
    with line.db.begin() as session:
        view = own_view(session, view_id, staff_id, version)
        view.name, view.shared, view.version = said, shared, view.version + 1
        audit(session, now, f"staff:{staff_id}", "view renamed", f"saved_view:{view_id}", shared=shared)
