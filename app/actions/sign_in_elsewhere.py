"""Single sign-on: whom the hospital vouches for by e-mail gets a session, if they have an account or an invitation."""

from datetime import datetime

from sqlalchemy import select

from app.actions.audit import audit
from app.actions.errors import Refused
from app.actions.invitations import take_invitation
from app.actions.passwords import NO_PASSWORD
from app.actions.sign_in import Browser, SignedIn, begin_session, end_session
from app.db.accounts import Invitation
from app.db.engine import Database
from app.db.people import Staff


def sign_in_elsewhere(db: Database, email: str, browser: Browser, now: datetime, *, old_token: str = "") -> SignedIn:
    """Open a session; the hospital asked for its own second factor. Raises Refused for whoever is not expected."""
    with db.begin() as session:
        account = session.scalar(select(Staff).where(Staff.email == email))
        if account is None:
            invitation = session.scalar(
                select(Invitation.id)
                .where(
                    Invitation.email == email,
                    Invitation.used_at.is_(None),
                    Invitation.revoked_at.is_(None),
                    Invitation.expires_at > now,
                )
                .order_by(Invitation.id.desc())
            )
            if invitation is None:
                raise Refused(
                    "no account here has your e-mail address: ask an administrator for an invitation", "missing"
                )
            staff_id = take_invitation(session, invitation, email.partition("@")[0], NO_PASSWORD, now)
        elif not account.active:
            audit(session, now, "visitor", "sign-in refused", f"staff:{account.id}", step="single sign-on")
            staff_id = 0
        else:
            staff_id = account.id
        if staff_id:
            if old_token:
                end_session(session, old_token, now)
            return begin_session(session, staff_id, browser, now, "single sign-on")
    raise Refused("this account is closed: ask an administrator", "invalid")
