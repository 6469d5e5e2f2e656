"""Give a member of staff another role. It counts from the next page that is asked for."""

from datetime import datetime

from sqlalchemy import select

from app.actions.audit import audit
from app.actions.errors import Refused
from app.db.engine import Database
from app.db.people import Role, Staff


def change_role(db: Database, email: str, role: str, now: datetime, actor: str) -> int:
    """Return the account's id. Raises Refused for an unknown account or role."""
    if role not in set(Role):
        raise Refused(f"no such role: choose {' or '.join(Role)}", "invalid")
    with db.begin() as session:
        account = session.scalar(select(Staff).where(Staff.email == email.strip().lower()))
        if account is None:
            raise Refused("no account has that e-mail: see `pumpline staff list`", "missing")
        before, account.role = account.role, Role(role)
        if before is not account.role:
            audit(session, now, actor, "role changed", f"staff:{account.id}", role=account.role, before=before)
        return account.id
