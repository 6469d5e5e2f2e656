"""Saved views as the list of patients offers them."""

from dataclasses import dataclass

from sqlalchemy import or_, select
from sqlalchemy.orm import Session

from app.db.finding import SavedView
from app.db.people import Staff


@dataclass(frozen=True)
class View:
    """`owner` is None for one's own; of a colleague's, who shares it."""

    id: int
    name: str
    filters: str
    shared: bool
    version: int
    owner: str | None


def views_for(session: Session, clinic_id: int, staff_id: int) -> tuple[View, ...]:
    """Return one's own views, then those that colleagues share."""
    rows = session.execute(
        select(SavedView, Staff.name)
        .join(Staff, Staff.id == SavedView.staff_id)
        .where(SavedView.clinic_id == clinic_id, or_(SavedView.staff_id == staff_id, SavedView.shared.is_(True)))
        .order_by(SavedView.staff_id != staff_id, SavedView.id)
        .limit(100)
    )
    return tuple(
        View(
            view.id,
            view.name,
            view.filters,
            view.shared,
            view.version,
            None if view.staff_id == staff_id else owner,
        )
        for view, owner in rows
    )
