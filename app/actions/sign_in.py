"""Who may see the staff pages: accounts, sign-in with throttling, and sessions kept as rows.

A browser holds a random token, the database only its hash. Times here are real time, also when a simulator's
clock was pushed forward.
"""

import secrets
import threading
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cache
from hashlib import sha256

from argon2 import PasswordHasher
from argon2.exceptions import Argon2Error, InvalidHashError
from sqlalchemy import delete, func, select, update
from sqlalchemy.orm import Session

from app.actions.errors import Refused
from app.actions.prepare import DEMO_SIGN_IN
from app.db.engine import Database
from app.db.people import Clinic, Role, SignInAttempt, Staff, StaffSession

SHORTEST_PASSWORD = 12
LONGEST_PASSWORD = 1024  # hashing takes time by length
WINDOW = timedelta(minutes=15)
TRIES_PER_PAIR = 5  # of one e-mail from one address
TRIES_PER_ADDRESS = 30
IDLE = timedelta(minutes=30)
LONGEST = timedelta(hours=12)
SEEN_EVERY = timedelta(minutes=1)  # how exactly `seen_at` is kept; a write less for each page

DEMO_EMAIL, DEMO_PASSWORD = DEMO_SIGN_IN  # everybody knows them: they open a simulator and nothing else

_hasher = PasswordHasher()
_hashing = threading.BoundedSemaphore(4)  # each hash takes 64 MiB: a burst of sign-ins must not take the machine


@dataclass(frozen=True)
class SignedIn:
    token: str  # for the cookie; never stored
    staff_id: int


@dataclass(frozen=True)
class NotSignedIn:
    """`wait` is how long this address must wait; None when e-mail or password is wrong."""

    wait: timedelta | None = None


@dataclass(frozen=True)
class Account:
    """Whoever is behind a session."""

    staff_id: int
    clinic_id: int
    name: str
    role: Role


def add_staff(
    db: Database,
    email: str,
    name: str,
    role: str,
    password: str,
    now: datetime,
    clinic_id: int | None = None,
) -> int:
    """Open an account, in the first clinic unless one is named; return its id. Raises Refused."""
    email, name = email.strip().lower(), " ".join(name.split())
    if "@" not in email.strip("@") or any(c.isspace() for c in email):
        raise Refused("that is not an e-mail address: write it like ana@clinic.example", "invalid")
    if not name:
        raise Refused("a name is missing: patients' records show who wrote", "invalid")
    if role not in set(Role):
        raise Refused(f"no such role: choose {' or '.join(Role)}", "invalid")
    if not SHORTEST_PASSWORD <= len(password) <= LONGEST_PASSWORD:
        raise Refused(f"a password has at least {SHORTEST_PASSWORD} characters: take a few words", "invalid")
    password_hash = _hash(password)
    with db.begin() as session:
        clinic = session.get(Clinic, clinic_id) if clinic_id else session.scalar(select(Clinic).order_by(Clinic.id))
        if clinic is None:
            raise Refused("there is no clinic yet: run `pumpline run` or `pumpline migrate` first", "missing")
        if session.scalar(select(Staff.id).where(Staff.email == email)):
            raise Refused("there is an account with this e-mail already", "conflict")
        account = Staff(
            clinic_id=clinic.id,
            email=email,
            name=name,
            role=Role(role),
            password_hash=password_hash,
            active=True,
            created_at=now,
        )
        session.add(account)
        session.flush()
        return account.id


def has_demo_nurse(db: Database) -> bool:
    with db.read() as session:
        return session.scalar(select(Staff.id).where(Staff.email == DEMO_EMAIL, Staff.active)) is not None


def sign_in(
    db: Database,
    email: str,
    password: str,
    address: str,
    now: datetime,
    *,
    simulated: bool,
    old_token: str | None = None,
) -> SignedIn | NotSignedIn:
    """Check e-mail and password, with the same words and the same work whether the e-mail is known or not.

    A try is counted before the password is looked at, so that many at once do not get past the count.
    """
    known = check_password(db, email, password, address, now, simulated=simulated)
    if isinstance(known, NotSignedIn):
        return known
    token = secrets.token_urlsafe(32)
    with db.begin() as session:
        if old_token:
            _end(session, old_token, now)
        session.add(StaffSession(staff_id=known, token_hash=_token_hash(token), created_at=now, seen_at=now))
    return SignedIn(token, known)


def check_password(
    db: Database, email: str, password: str, address: str, now: datetime, *, simulated: bool
) -> int | NotSignedIn:
    """Return whose e-mail and password these are; tries are counted and bounded as of a sign-in."""
    email = email.strip().lower()
    pair = (db.hash_of(f"email:{email}"), db.hash_of(f"address:{address}"))
    with db.begin() as session:
        if wait := _wait(session, *pair, now):
            return NotSignedIn(wait)
        session.execute(delete(SignInAttempt).where(SignInAttempt.at < now - timedelta(days=1)))
        session.add(SignInAttempt(email_hash=pair[0], address_hash=pair[1], at=now))
        account = session.scalar(select(Staff).where(Staff.email == email, Staff.active))
        if email == DEMO_EMAIL and not simulated:
            account = None
        known = (account.id, account.password_hash) if account else None
    if not _verify(known[1] if known else _nobodys_hash(), password) or known is None:
        return NotSignedIn()
    fresh_hash = _hash(password) if _hasher.check_needs_rehash(known[1]) else None
    with db.begin() as session:
        session.execute(
            delete(SignInAttempt).where(SignInAttempt.email_hash == pair[0], SignInAttempt.address_hash == pair[1])
        )
        if fresh_hash:
            session.execute(update(Staff).where(Staff.id == known[0]).values(password_hash=fresh_hash))
    return known[0]


def account_behind(db: Database, token: str, now: datetime, *, active: bool, simulated: bool) -> Account | None:
    """Return who is signed in with this token, None when the session is over.

    `active` tells a person's act from a page that only refreshes itself: 30 minutes without an act end a session.
    """
    with db.read() as session:
        row = session.execute(
            select(StaffSession, Staff)
            .join(Staff, Staff.id == StaffSession.staff_id)
            .where(StaffSession.token_hash == _token_hash(token), StaffSession.ended_at.is_(None), Staff.active)
        ).first()
        if row is None:
            return None
        visit, staff = row
        if now - visit.created_at >= LONGEST or now - visit.seen_at >= IDLE:
            return None
        if staff.email == DEMO_EMAIL and not simulated:
            return None
        visit_id, stale = visit.id, now - visit.seen_at >= SEEN_EVERY
        account = Account(staff.id, staff.clinic_id, staff.name, staff.role)
    if active and stale:
        with db.begin() as session:
            session.execute(
                update(StaffSession).where(StaffSession.id == visit_id, StaffSession.seen_at < now).values(seen_at=now)
            )
    return account


def sign_out(db: Database, token: str, now: datetime) -> None:
    with db.begin() as session:
        _end(session, token, now)


def _end(session: Session, token: str, now: datetime) -> None:
    session.execute(
        update(StaffSession)
        .where(StaffSession.token_hash == _token_hash(token), StaffSession.ended_at.is_(None))
        .values(ended_at=now)
    )


def _wait(session: Session, email_hash: str, address_hash: str, now: datetime) -> timedelta | None:
    """Return how long to wait, if the pair or the address has used up its tries."""
    recent = select(SignInAttempt.at).where(SignInAttempt.address_hash == address_hash, SignInAttempt.at > now - WINDOW)
    ends: list[datetime] = []
    for tries, allowed in (
        (recent.where(SignInAttempt.email_hash == email_hash), TRIES_PER_PAIR),
        (recent, TRIES_PER_ADDRESS),
    ):
        if (session.scalar(select(func.count()).select_from(tries.subquery())) or 0) >= allowed:
            newest = tries.order_by(SignInAttempt.at.desc()).offset(allowed - 1).limit(1)
            ends.append(session.scalars(newest).one() + WINDOW)
    return max(ends) - now if ends else None


def _token_hash(token: str) -> str:
    return sha256(token.encode("utf-8", "surrogatepass")).hexdigest()


def _hash(password: str) -> str:
    with _hashing:
        return _hasher.hash(password.encode("utf-8", "surrogatepass"))


def _verify(password_hash: str, password: str) -> bool:
    if len(password) > LONGEST_PASSWORD:
        password = ""
    with _hashing:
        try:
            return _hasher.verify(password_hash, password.encode("utf-8", "surrogatepass"))
        except (Argon2Error, InvalidHashError):
            return False


@cache
def _nobodys_hash() -> str:
    """A hash no password opens, so that an unknown e-mail takes as long as a wrong password."""
    return _hash(secrets.token_urlsafe(32))
