"""Keep the filters of the list of patients under a name."""

from datetime import datetime

from sqlalchemy import func, select

from app.actions.audit import audit
from app.actions.errors import Refused
from app.actions.line import Line
from app.actions.saved_views import MOST, view_name
from app.db.finding import SavedView


def save_view(
    line: Line, clinic_id: int, staff_id: int, name: str, filters: str, now: datetime, *, shared: bool = False
) -> int:
    """Return the view's id. The same filters saved again get the new name. Raises Refused."""
    said = view_name(name)
    with line.db.begin() as session:
        same = session.scalars(
            select(SavedView).where(SavedView.staff_id == staff_id, SavedView.filters == filters)
        ).first()
        if same is not None:
            same.name, same.shared, same.version = said, shared, same.version + 1
            audit(session, now, f"staff:{staff_id}", "view saved", f"saved_view:{same.id}", shared=shared)
            return same.id
        held = session.scalar(select(func.count()).select_from(SavedView).where(SavedView.staff_id == staff_id)) or 0
        if held >= MOST:
            raise Refused(f"you have {MOST} views: remove one first", "conflict")
        view = SavedView(
            clinic_id=clinic_id, staff_id=staff_id, name=said, filters=filters, shared=shared, created_at=now
        )
        session.add(view)
        session.flush()
        audit(session, now, f"staff:{staff_id}", "view saved", f"saved_view:{view.id}", shared=shared)
        return view.id
