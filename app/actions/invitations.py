"""Invitations: a link that opens one account, once, within three days. We send no e-mail: who invites passes it on."""

import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import Select, select
from sqlalchemy.orm import Session

from app.actions.add_staff import a_name, an_email, open_account
from app.actions.audit import audit
from app.actions.errors import Refused
from app.actions.passwords import good_password
from app.actions.sign_in import token_hash
from app.db.accounts import Invitation
from app.db.engine import Database
from app.db.people import Clinic, Role, Staff

VALID = timedelta(hours=72)


@dataclass(frozen=True)
class Invited:
    """An invitation that still opens an account."""

    id: int
    email: str
    role: Role
    clinic: str
    expires_at: datetime


def invite(db: Database, clinic_id: int, email: str, role: str, now: datetime, by: int, actor: str) -> str:
    """Return the token of the link; nothing keeps it. An older invitation of that address is worth nothing then."""
    email = an_email(email)
    if role not in set(Role):
        raise Refused(f"no such role: choose {' or '.join(Role)}", "invalid")
    token = secrets.token_urlsafe(32)
    with db.begin() as session:
        if session.scalar(select(Staff.id).where(Staff.email == email)):
            raise Refused("there is an account with this e-mail already", "conflict")
        for older in session.scalars(_open(now).where(Invitation.email == email)):
            older.revoked_at = now
        row = Invitation(
            clinic_id=clinic_id,
            email=email,
            role=Role(role),
            token_hash=token_hash(token),
            created_by=by,
            created_at=now,
            expires_at=now + VALID,
        )
        session.add(row)
        session.flush()
        audit(session, now, actor, "invited", f"invitation:{row.id}", role=role)
    return token


def invited_by(session: Session, token: str, now: datetime) -> Invited | None:
    """Return what a link opens; None for one that is used, revoked, too old or none of ours."""
    row = session.execute(
        _open(now).add_columns(Clinic.name).join(Clinic).where(Invitation.token_hash == token_hash(token))
    ).first()
    return Invited(row[0].id, row[0].email, row[0].role, row[1], row[0].expires_at) if row else None


def open_invitations(session: Session, clinic_id: int, now: datetime) -> tuple[Invited, ...]:
    rows = session.execute(
        _open(now)
        .add_columns(Clinic.name)
        .join(Clinic)
        .where(Invitation.clinic_id == clinic_id)
        .order_by(Invitation.id.desc())
    )
    return tuple(Invited(row.id, row.email, row.role, clinic, row.expires_at) for row, clinic in rows)


def accept_invitation(db: Database, token: str, name: str, password: str, now: datetime) -> int:
    """Open the account; return its id. Raises Refused."""
    with db.read() as session:
        found = invited_by(session, token, now)
    if found is None:
        raise Refused("this invitation is used or too old: ask for a new one", "missing")
    name = a_name(name)
    hashed = good_password(password, found.email, name, found.clinic)
    with db.begin() as session:
        return take_invitation(session, found.id, name, hashed, now)


def take_invitation(session: Session, invitation_id: int, name: str, password_hash: str, now: datetime) -> int:
    row = session.scalar(_open(now).where(Invitation.id == invitation_id).with_for_update())
    if row is None:
        raise Refused("this invitation is used or too old: ask for a new one", "missing")
    row.used_at = now
    return open_account(session, row.clinic_id, row.email, name, row.role, password_hash, now, f"invitation:{row.id}")


def revoke_invitation(db: Database, invitation_id: int, now: datetime, actor: str) -> None:
    with db.begin() as session:
        row = session.scalar(_open(now).where(Invitation.id == invitation_id).with_for_update())
        if row is None:
            raise Refused("it is used, revoked or too old already", "conflict")
        row.revoked_at = now
        audit(session, now, actor, "invitation revoked", f"invitation:{invitation_id}")


def _open(now: datetime) -> Select[Invitation]:
    return select(Invitation).where(
        Invitation.used_at.is_(None), Invitation.revoked_at.is_(None), Invitation.expires_at > now
    )
