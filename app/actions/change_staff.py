"""Another role for a colleague, or none: the account is closed and opened again, never deleted."""

from datetime import datetime

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from app.actions.audit import audit
from app.actions.errors import Refused
from app.actions.sessions import end_all
from app.db.engine import Database
from app.db.people import Role, Staff


def change_staff(
    db: Database, staff_id: int, now: datetime, actor: str, *, version: int, role: str = "", active: bool | None = None
) -> bool:
    """Return whether anything changed. It counts from the next page that is asked for. Raises Refused."""
    if role and role not in set(Role):
        raise Refused(f"no such role: choose {' or '.join(Role)}", "invalid")
    with db.begin() as session:
        account = session.get_one(Staff, staff_id, with_for_update=True)
        if account.version != version:
            raise Refused("somebody changed this account meanwhile; nothing of yours was saved", "conflict")
        before = (account.role, account.active)
        wanted = (Role(role) if role else account.role, account.active if active is None else active)
        if before == wanted:
            return False
        if actor == f"staff:{staff_id}":
            raise Refused("one's own role is changed by a colleague, so that nobody shuts themselves out", "invalid")
        if before == (Role.ADMINISTRATOR, True) and _administrators(session, account.clinic_id) == 1:
            raise Refused("this is the only administrator: make another one first", "invalid")
        account.role, account.active = wanted
        account.version += 1
        if not account.active:
            end_all(session, staff_id, now)
        verb = "role changed" if before[1] == wanted[1] else "account opened again" if wanted[1] else "account closed"
        audit(session, now, actor, verb, f"staff:{staff_id}", role=wanted[0], before=before[0])
        return True


def _administrators(session: Session, clinic_id: int) -> int:
    working = select(func.count()).where(Staff.clinic_id == clinic_id, Staff.role == Role.ADMINISTRATOR, Staff.active)
    return session.scalar(working) or 0
