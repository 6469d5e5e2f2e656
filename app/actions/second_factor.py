"""The second factor: an authenticator app (RFC 6238), recovery codes, and proving one of them after the password."""

import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import pyotp
from sqlalchemy import delete, func, select, update
from sqlalchemy.orm import Session

from app.actions.audit import audit
from app.actions.errors import Refused
from app.actions.sign_in import Browser, end_session, token_hash
from app.db.accounts import Authenticator, Passkey, RecoveryCode
from app.db.engine import Database
from app.db.people import Staff, StaffSession

STEP_SECONDS = 30
LATE_STEPS = (0, -1, 1)  # clocks of phones are wrong by half a minute
CODES = 10
_LETTERS = "abcdefghjkmnpqrstvwxyz23456789"  # none that is taken for another
CODE_LENGTH = 12  # 58 bits


@dataclass(frozen=True)
class Enrolment:
    """What the app on the phone is told: by a picture, or typed by hand."""

    secret: str
    uri: str


def begin_authenticator(db: Database, staff_id: int, now: datetime) -> Enrolment:
    """Return the secret to show; it counts for nothing until a code of it comes back. Asked again, it is the same."""
    with db.begin() as session:
        staff = session.get_one(Staff, staff_id)
        kept = session.get(Authenticator, staff_id, with_for_update=True)
        if kept is not None and kept.confirmed_at is not None:
            raise Refused("an authenticator is set up already: remove it first", "conflict")
        if kept is None or kept.secret is None or now - kept.created_at > timedelta(hours=1):
            if kept is not None:
                session.delete(kept)
                session.flush()
            secret = pyotp.random_base32()
            session.add(Authenticator(staff_id=staff_id, secret=secret, created_at=now, last_step=0))
        else:
            secret = kept.secret
        return Enrolment(secret, pyotp.TOTP(secret).provisioning_uri(name=staff.email, issuer_name="Pumpline"))


def confirm_authenticator(db: Database, staff_id: int, code: str, now: datetime) -> tuple[str, ...]:
    """Take the authenticator into use; return recovery codes, which are shown once. Raises Refused."""
    with db.begin() as session:
        kept = session.get(Authenticator, staff_id, with_for_update=True)
        if kept is None or kept.confirmed_at is not None:
            raise Refused("there is nothing to confirm: begin again", "missing")
        if not _is_code(kept, code, now):
            raise Refused("that code is not right: type the six digits that the app shows now", "invalid")
        kept.confirmed_at = now
        audit(session, now, f"staff:{staff_id}", "authenticator added", f"staff:{staff_id}")
        return write_recovery_codes(session, staff_id, db, now)


def new_recovery_codes(db: Database, staff_id: int, now: datetime) -> tuple[str, ...]:
    """Return ten new ones; the old ones are worth nothing from now on."""
    with db.begin() as session:
        return write_recovery_codes(session, staff_id, db, now)


def write_recovery_codes(session: Session, staff_id: int, db: Database, now: datetime) -> tuple[str, ...]:
    session.execute(delete(RecoveryCode).where(RecoveryCode.staff_id == staff_id))
    codes = ["".join(secrets.choice(_LETTERS) for _ in range(CODE_LENGTH)) for _ in range(CODES)]
    for code in codes:
        session.add(RecoveryCode(staff_id=staff_id, code_hash=_code_hash(db, staff_id, code), created_at=now))
    audit(session, now, f"staff:{staff_id}", "recovery codes made", f"staff:{staff_id}", count=CODES)
    return tuple(f"{code[:4]}-{code[4:8]}-{code[8:]}" for code in codes)


def remove_authenticator(db: Database, staff_id: int, now: datetime) -> None:
    with db.begin() as session:
        session.execute(delete(Authenticator).where(Authenticator.staff_id == staff_id))
        session.execute(delete(RecoveryCode).where(RecoveryCode.staff_id == staff_id))
        audit(session, now, f"staff:{staff_id}", "authenticator removed", f"staff:{staff_id}")


def reset_second_factor(db: Database, staff_id: int, now: datetime, actor: str) -> None:
    """For somebody who lost phone and codes: everything goes, and every session ends."""
    with db.begin() as session:
        for table in (Authenticator, RecoveryCode, Passkey):
            session.execute(delete(table).where(table.staff_id == staff_id))
        session.execute(
            update(StaffSession)
            .where(StaffSession.staff_id == staff_id, StaffSession.ended_at.is_(None))
            .values(ended_at=now)
        )
        audit(session, now, actor, "second factor reset", f"staff:{staff_id}")


def prove_second_factor(db: Database, token: str, code: str, browser: Browser, now: datetime) -> timedelta | bool:
    """Finish a pending session by a code of the authenticator, or by a recovery code.

    Return True when it is right, False when it is wrong, and how long to wait after too many.
    """
    with db.begin() as session:
        visit = session.scalar(
            select(StaffSession)
            .where(StaffSession.token_hash == token_hash(token), StaffSession.pending, StaffSession.ended_at.is_(None))
            .with_for_update()
        )
        if visit is None:
            return False
        found = _try_code(db, session, visit.staff_id, code, browser, now)
        if found is True:
            visit.pending, visit.strong, visit.proven_at = False, True, now
            audit(session, now, f"staff:{visit.staff_id}", "signed in", f"staff:{visit.staff_id}", way="second factor")
        elif found is not False:
            end_session(session, token, now)
        return found


def is_own_code(db: Database, staff_id: int, code: str, browser: Browser, now: datetime) -> timedelta | bool:
    """Whether this is a code of the account's authenticator, or one of its recovery codes, which is used up."""
    with db.begin() as session:
        return _try_code(db, session, staff_id, code, browser, now)


def codes_left(session: Session, staff_id: int) -> int:
    unused = select(func.count()).where(RecoveryCode.staff_id == staff_id, RecoveryCode.used_at.is_(None))
    return session.scalar(unused) or 0


def _try_code(
    db: Database, session: Session, staff_id: int, code: str, browser: Browser, now: datetime
) -> timedelta | bool:
    email = session.scalar(select(Staff.email).where(Staff.id == staff_id)) or ""
    tries = browser.tries(db, email, f"code:{staff_id}")
    if wait := tries.take(session, now):
        return wait
    kept = session.get(Authenticator, staff_id, with_for_update=True)
    right = kept is not None and kept.confirmed_at is not None and _is_code(kept, code, now)
    if right or _use_recovery_code(db, session, staff_id, code, now):
        tries.forget(session)
        return True
    audit(session, now, "visitor", "sign-in refused", f"staff:{staff_id}", step="second factor")
    return False


def _is_code(kept: Authenticator, code: str, now: datetime) -> bool:
    """Check six digits against now and half a minute around it; each counts once (RFC 6238, 5.2)."""
    said = "".join(code.split())
    if not (said.isascii() and said.isdecimal() and len(said) == 6):
        return False
    if kept.secret is None:  # damaged: a recovery code is left, and a colleague who resets it
        return False
    totp, step = pyotp.TOTP(kept.secret), int(now.timestamp()) // STEP_SECONDS
    for late in LATE_STEPS:
        at = datetime.fromtimestamp((step + late) * STEP_SECONDS, UTC)
        if step + late > kept.last_step and secrets.compare_digest(totp.at(at), said):
            kept.last_step = step + late
            return True
    return False


def _use_recovery_code(db: Database, session: Session, staff_id: int, code: str, now: datetime) -> bool:
    said = "".join(c for c in code.lower() if c.isascii() and c.isalnum())
    if len(said) != CODE_LENGTH:
        return False
    used = session.scalars(
        update(RecoveryCode)
        .where(
            RecoveryCode.staff_id == staff_id,
            RecoveryCode.code_hash == _code_hash(db, staff_id, said),
            RecoveryCode.used_at.is_(None),
        )
        .values(used_at=now)
        .returning(RecoveryCode.id)
    ).all()
    if used:
        audit(session, now, f"staff:{staff_id}", "recovery code used", f"staff:{staff_id}")
    return bool(used)


def _code_hash(db: Database, staff_id: int, code: str) -> str:
    return db.hash_of(f"recovery:{staff_id}:{code}")


def grouped(secret: str) -> Sequence[str]:
    """Return a secret in groups of four, for typing."""
    return [secret[at : at + 4] for at in range(0, len(secret), 4)]
