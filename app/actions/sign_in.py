"""Who may see the staff pages: sign-in with throttling, and sessions kept as rows.

A browser holds a random token, the database only its hash. Times here are real time, also when a simulator's
clock was pushed forward.
"""

import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta
from hashlib import sha256
from typing import Any

from sqlalchemy import ColumnElement, exists, or_, select, update
from sqlalchemy.orm import Session

from app.actions.audit import audit
from app.actions.passwords import hash_password, is_outdated, is_password, nobodys_hash
from app.actions.prepare import DEMO_SIGN_IN
from app.actions.throttle import Tries
from app.db.accounts import Authenticator, Passkey
from app.db.engine import Database
from app.db.pages import ClinicFacts, facts_of
from app.db.people import Clinic, Role, Staff, StaffSession

IDLE = timedelta(minutes=30)
LONGEST = timedelta(hours=12)
PENDING = timedelta(minutes=10)  # between password and second factor
STRONG = ("passkey", "single sign-on")  # ways that prove a second factor by themselves
SEEN_EVERY = timedelta(minutes=1)  # how exactly `seen_at` is kept; a write less for each page

DEMO_EMAIL, DEMO_PASSWORD = DEMO_SIGN_IN  # everybody knows them: they open a simulator and nothing else


@dataclass(frozen=True)
class Browser:
    """Where somebody sits: address, browser in words, its own mark, and which accounts signed in on it before."""

    address: str = ""
    name: str = ""
    mark: str = ""
    accounts: frozenset[str] = frozenset()  # keyed hashes of e-mails

    def tries(self, db: Database, email: str, what: str) -> Tries:
        """Return whose tries are counted when this account is tried here."""
        known = self.mark and email_hash(db, email) in self.accounts
        device = db.hash_of(f"device:{self.mark}") if known else ""
        return Tries(db.hash_of(what), db.hash_of(f"address:{self.address}"), device)


def email_hash(db: Database, email: str) -> str:
    return db.hash_of(f"email:{email}")


@dataclass(frozen=True)
class SignedIn:
    token: str  # for the cookie; never stored
    staff_id: int
    pending: bool = False  # a second factor is still asked for


@dataclass(frozen=True)
class NotSignedIn:
    """`wait` is how long this browser must wait; None when e-mail or password is wrong."""

    wait: timedelta | None = None


@dataclass(frozen=True)
class Account:
    """Whoever is behind a session."""

    staff_id: int
    clinic_id: int
    name: str
    role: Role
    session_id: int = 0
    pending: bool = False
    proven_at: datetime | None = None
    has_second_factor: bool = False
    strong: bool = False  # this session proved one
    clinic: ClinicFacts | None = None
    language: str = ""  # chosen for the console; empty: as the browser asks
    twelve_hours: bool = False


@dataclass(frozen=True)
class TimeOuts:
    """How long a session lasts without an act, and at most."""

    idle: timedelta = IDLE
    longest: timedelta = LONGEST


def sign_in(
    db: Database,
    email: str,
    password: str,
    browser: Browser,
    now: datetime,
    *,
    simulated: bool,
    old_token: str | None = None,
) -> SignedIn | NotSignedIn:
    """Check e-mail and password, with the same words and the same work whether the e-mail is known or not.

    A try is counted before the password is looked at, so that many at once do not get past the count. An account with a
    second factor is signed in pending: its session opens nothing but the second step.
    """
    known = check_password(db, email, password, browser, now, simulated=simulated)
    if isinstance(known, NotSignedIn):
        return known
    with db.begin() as session:
        if old_token:
            end_session(session, old_token, now)
        pending = session.scalar(select(has_second_factor(known))) or False
        return begin_session(session, known, browser, now, "password", pending=pending)


def begin_session(
    session: Session, staff_id: int, browser: Browser, now: datetime, way: str, *, pending: bool = False
) -> SignedIn:
    """Open a session for somebody who proved to be this account."""
    token = secrets.token_urlsafe(32)
    session.add(
        StaffSession(
            staff_id=staff_id,
            token_hash=token_hash(token),
            created_at=now,
            seen_at=now,
            proven_at=now,
            pending=pending,
            strong=way in STRONG,
            browser=browser.name,
        )
    )
    if not pending:
        audit(session, now, f"staff:{staff_id}", "signed in", f"staff:{staff_id}", way=way)
    return SignedIn(token, staff_id, pending)


def has_second_factor(staff_id: Any) -> ColumnElement[bool]:
    """A condition: whether an account has an authenticator that works, or a passkey."""
    return or_(
        exists().where(Authenticator.staff_id == staff_id, Authenticator.confirmed_at.is_not(None)),
        exists().where(Passkey.staff_id == staff_id),
    )


def check_password(
    db: Database, email: str, password: str, browser: Browser, now: datetime, *, simulated: bool
) -> int | NotSignedIn:
    """Return whose e-mail and password these are; tries are counted and bounded as of a sign-in."""
    email = email.strip().lower()
    tries = browser.tries(db, email, f"email:{email}")
    with db.begin() as session:
        if wait := tries.take(session, now):
            return NotSignedIn(wait)
        account = session.scalar(select(Staff).where(Staff.email == email, Staff.active))
        if email == DEMO_EMAIL and not simulated:
            account = None
        known = (account.id, account.password_hash) if account else None
    if not is_password(known[1] if known else nobodys_hash(), password) or known is None:
        if known:
            with db.begin() as session:
                audit(session, now, "visitor", "sign-in refused", f"staff:{known[0]}", known_browser=bool(tries.device))
        return NotSignedIn()
    fresh_hash = hash_password(password) if is_outdated(known[1]) else None
    with db.begin() as session:
        tries.forget(session)
        if fresh_hash:
            session.execute(update(Staff).where(Staff.id == known[0]).values(password_hash=fresh_hash))
    return known[0]


def account_behind(
    db: Database, token: str, now: datetime, *, active: bool, simulated: bool, last: TimeOuts | None = None
) -> Account | None:
    """Return who is signed in with this token, None when the session is over.

    `active` tells a person's act from a page that only refreshes itself: 30 minutes without an act end a session.
    """
    last = last or TimeOuts()
    with db.read() as session:
        row = session.execute(
            select(StaffSession, Staff, Clinic, has_second_factor(Staff.id))
            .join(Staff, Staff.id == StaffSession.staff_id)
            .join(Clinic, Clinic.id == Staff.clinic_id)
            .where(StaffSession.token_hash == token_hash(token), StaffSession.ended_at.is_(None), Staff.active)
        ).first()
        if row is None:
            return None
        visit, staff, clinic, second = row
        if now - visit.created_at >= last.longest or now - visit.seen_at >= last.idle:
            return None
        if visit.pending and now - visit.created_at >= PENDING:
            return None
        if staff.email == DEMO_EMAIL and not simulated:
            return None
        visit_id, stale = visit.id, now - visit.seen_at >= SEEN_EVERY
        account = Account(
            staff.id,
            staff.clinic_id,
            staff.name,
            staff.role,
            visit.id,
            visit.pending,
            visit.proven_at,
            bool(second),
            visit.strong,
            facts_of(clinic),
            staff.language,
            staff.twelve_hours,
        )
    if active and stale:
        with db.begin() as session:
            session.execute(
                update(StaffSession).where(StaffSession.id == visit_id, StaffSession.seen_at < now).values(seen_at=now)
            )
    return account


def has_demo_nurse(db: Database) -> bool:
    with db.read() as session:
        return session.scalar(select(Staff.id).where(Staff.email == DEMO_EMAIL, Staff.active)) is not None


def sign_out(db: Database, token: str, now: datetime) -> None:
    with db.begin() as session:
        staff_id = end_session(session, token, now)
        if staff_id:
            audit(session, now, f"staff:{staff_id}", "signed out", f"staff:{staff_id}")


def end_session(session: Session, token: str, now: datetime) -> int | None:
    """End the session of a token; return whose it was."""
    return session.scalar(
        update(StaffSession)
        .where(StaffSession.token_hash == token_hash(token), StaffSession.ended_at.is_(None))
        .values(ended_at=now)
        .returning(StaffSession.staff_id)
    )


def token_hash(token: str) -> str:
    return sha256(token.encode("utf-8", "surrogatepass")).hexdigest()
