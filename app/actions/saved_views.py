"""What the verbs about saved views share: finding one's own, and what its name may be."""

from sqlalchemy.orm import Session

from app.actions.errors import Refused
from app.db.finding import SavedView

LONGEST_NAME = 60
MOST = 30  # a person


def view_name(typed: str) -> str:
    name = " ".join(typed.replace("\0", "").split())
    if not name:
        raise Refused("give the view a name")
    if len(name) > LONGEST_NAME:
        raise Refused(f"a view's name has at most {LONGEST_NAME} characters")
    return name


def own_view(session: Session, view_id: int, staff_id: int, version: int | None) -> SavedView:
    """Return a view for a change. Raises Refused where it is gone, is another's, or changed since `version`."""
    view = session.get(SavedView, view_id, with_for_update=True)
    if view is None or view.staff_id != staff_id:
        raise Refused("this view is not yours, or was removed meanwhile", "missing")
    if version is not None and view.version != version:
        raise Refused("this view was changed meanwhile, in another window: nothing was changed now", "conflict")
    return view
