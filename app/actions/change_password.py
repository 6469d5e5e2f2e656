"""A new password of one's own: the old one is asked for, and every other session ends."""

from datetime import datetime

from sqlalchemy import select

from app.actions.audit import audit
from app.actions.passwords import good_password
from app.actions.sessions import end_all
from app.db.engine import Database
from app.db.people import Clinic, Staff


def change_password(
    db: Database, staff_id: int, password: str, now: datetime, actor: str, *, keep_session: int | None = None
) -> None:
    """Set it. Raises Refused for one that is too easy. Who asks has proved the old one before."""
    with db.read() as session:
        staff = session.get_one(Staff, staff_id)
        about = (staff.email, staff.name, session.scalar(select(Clinic.name).where(Clinic.id == staff.clinic_id)) or "")
    hashed = good_password(password, *about)
    with db.begin() as session:
        session.get_one(Staff, staff_id, with_for_update=True).password_hash = hashed
        end_all(session, staff_id, now, but=keep_session)
        audit(session, now, actor, "password changed", f"staff:{staff_id}")
