"""Open an account for somebody who works at a clinic."""

from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from app.actions.audit import audit
from app.actions.errors import Refused
from app.actions.passwords import good_password, hash_password
from app.actions.prepare import DEMO_SIGN_IN
from app.db.engine import Database
from app.db.people import Clinic, Role, Staff


def add_staff(
    db: Database,
    email: str,
    name: str,
    role: str,
    password: str,
    now: datetime,
    clinic_id: int | None = None,
    actor: str = "command",
) -> int:
    """Open an account, in the first clinic unless one is named; return its id. Raises Refused."""
    email, name = an_email(email), a_name(name)
    if role not in set(Role):
        raise Refused(f"no such role: choose {' or '.join(Role)}", "invalid")
    with db.read() as session:
        clinic = session.get(Clinic, clinic_id) if clinic_id else session.scalar(select(Clinic).order_by(Clinic.id))
        if clinic is None:
            raise Refused("there is no clinic yet: run `pumpline run` or `pumpline migrate` first", "missing")
        clinic_id, clinic_name = clinic.id, clinic.name
    is_demo = (email, password) == DEMO_SIGN_IN  # everybody knows it: it opens a simulator and nothing else
    hashed = hash_password(password) if is_demo else good_password(password, email, name, clinic_name)
    with db.begin() as session:
        return open_account(session, clinic_id, email, name, Role(role), hashed, now, actor)


def open_account(
    session: Session, clinic_id: int, email: str, name: str, role: Role, password_hash: str, now: datetime, actor: str
) -> int:
    """Write the account. Raises Refused where the e-mail has one."""
    if session.scalar(select(Staff.id).where(Staff.email == email)):
        raise Refused("there is an account with this e-mail already", "conflict")
    account = Staff(
        clinic_id=clinic_id,
        email=email,
        name=name,
        role=role,
        password_hash=password_hash,
        active=True,
        created_at=now,
    )
    session.add(account)
    session.flush()
    audit(session, now, actor, "account opened", f"staff:{account.id}", role=role)
    return account.id


def an_email(entered: str) -> str:
    """Return an e-mail address in the form in which it is kept. Raises Refused."""
    email = entered.strip().lower()
    if "@" not in email.strip("@") or any(c.isspace() or c == "\0" for c in email) or len(email) > 320:
        raise Refused("that is not an e-mail address: write it like ana@clinic.example", "invalid")
    return email


def a_name(entered: str) -> str:
    name = " ".join(entered.replace("\0", "").split())[:120]
    if not name:
        raise Refused("a name is missing: patients' records show who wrote", "invalid")
    return name
