"""Passkeys (WebAuthn level 3): one proof for password and second factor; the browser asks for finger, face or PIN."""

import json
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import webauthn
from sqlalchemy import delete, select
from sqlalchemy.orm import Session
from webauthn.helpers import base64url_to_bytes, bytes_to_base64url, options_to_json_dict
from webauthn.helpers.exceptions import WebAuthnException
from webauthn.helpers.structs import (
    AuthenticatorSelectionCriteria,
    PublicKeyCredentialDescriptor,
    ResidentKeyRequirement,
    UserVerificationRequirement,
)

from app.actions.audit import audit
from app.actions.errors import Refused
from app.actions.prepare import DEMO_SIGN_IN
from app.actions.sign_in import Browser, SignedIn, begin_session, end_session
from app.db.accounts import Passkey
from app.db.engine import Database
from app.db.people import Staff

MOST = 10
LONGEST_NAME = 60
_NOT_TAKEN = "the passkey was not taken: try again, or use another one"


@dataclass(frozen=True)
class Site:
    """Where passkeys count: the host's name, and the origin that browsers say."""

    host: str
    origin: str


def of_staff(session: Session, staff_id: int) -> tuple[Passkey, ...]:
    rows = session.scalars(select(Passkey).where(Passkey.staff_id == staff_id).order_by(Passkey.id)).all()
    session.expunge_all()
    return tuple(rows)


def begin_registration(db: Database, staff_id: int, site: Site) -> tuple[dict[str, Any], str]:
    """Return what the browser is asked for, and the challenge to keep until it answers."""
    with db.read() as session:
        staff = session.get_one(Staff, staff_id)
        known = [
            PublicKeyCredentialDescriptor(base64url_to_bytes(key.credential_id)) for key in of_staff(session, staff_id)
        ]
    options = webauthn.generate_registration_options(
        rp_id=site.host,
        rp_name="Pumpline",
        user_id=f"pumpline-staff-{staff_id}".encode(),
        user_name=staff.email,
        user_display_name=staff.name,
        exclude_credentials=known,
        authenticator_selection=AuthenticatorSelectionCriteria(
            resident_key=ResidentKeyRequirement.REQUIRED, user_verification=UserVerificationRequirement.REQUIRED
        ),
    )
    return options_to_json_dict(options), bytes_to_base64url(options.challenge)


def add_passkey(
    db: Database, staff_id: int, credential: str, challenge: str, name: str, site: Site, now: datetime
) -> None:
    """Keep the new passkey. Raises Refused."""
    try:
        found = webauthn.verify_registration_response(
            credential=json.loads(credential),
            expected_challenge=base64url_to_bytes(challenge),
            expected_rp_id=site.host,
            expected_origin=site.origin,
            require_user_verification=True,
        )
    except (WebAuthnException, ValueError, KeyError, TypeError, AttributeError):
        raise Refused(_NOT_TAKEN, "invalid") from None
    said = " ".join(name.replace("\0", "").split())[:LONGEST_NAME] or "Passkey"
    with db.begin() as session:
        session.get_one(Staff, staff_id, with_for_update=True)
        if len(of_staff(session, staff_id)) >= MOST:
            raise Refused(f"an account has at most {MOST} passkeys: remove one first", "invalid")
        credential_id = bytes_to_base64url(found.credential_id)
        if session.scalar(select(Passkey.id).where(Passkey.credential_id == credential_id)):
            raise Refused("this passkey is known already", "conflict")
        session.add(
            Passkey(
                staff_id=staff_id,
                credential_id=credential_id,
                public_key=found.credential_public_key,
                sign_count=found.sign_count,
                name=said,
                created_at=now,
            )
        )
        audit(session, now, f"staff:{staff_id}", "passkey added", f"staff:{staff_id}")


def remove_passkey(db: Database, staff_id: int, passkey_id: int, now: datetime) -> bool:
    with db.begin() as session:
        gone = session.scalars(
            delete(Passkey).where(Passkey.id == passkey_id, Passkey.staff_id == staff_id).returning(Passkey.id)
        ).all()
        if gone:
            audit(session, now, f"staff:{staff_id}", "passkey removed", f"staff:{staff_id}")
        return bool(gone)


def begin_sign_in(site: Site) -> tuple[dict[str, Any], str]:
    """Ask for any passkey of this site: the browser shows whose there are."""
    options = webauthn.generate_authentication_options(
        rp_id=site.host, user_verification=UserVerificationRequirement.REQUIRED
    )
    return options_to_json_dict(options), bytes_to_base64url(options.challenge)


def sign_in_with_passkey(
    db: Database,
    credential: str,
    challenge: str,
    site: Site,
    browser: Browser,
    now: datetime,
    *,
    simulated: bool,
    old_token: str = "",
) -> SignedIn:
    """Open a session. Raises Refused for whatever is not a passkey of an open account."""
    try:
        said = json.loads(credential)
        credential_id = str(said["id"])
    except (ValueError, KeyError, TypeError):
        raise Refused(_NOT_TAKEN, "invalid") from None
    with db.begin() as session:
        kept = session.scalar(
            select(Passkey)
            .join(Staff, Staff.id == Passkey.staff_id)
            .where(Passkey.credential_id == credential_id, Staff.active)
            .with_for_update(of=Passkey)
        )
        if kept is None:
            raise Refused("nobody here has this passkey: sign in with your password", "missing")
        if not simulated and session.get_one(Staff, kept.staff_id).email == DEMO_SIGN_IN[0]:
            raise Refused(_NOT_TAKEN, "invalid")
        try:
            found = webauthn.verify_authentication_response(
                credential=said,
                expected_challenge=base64url_to_bytes(challenge),
                expected_rp_id=site.host,
                expected_origin=site.origin,
                credential_public_key=kept.public_key,
                credential_current_sign_count=kept.sign_count,
                require_user_verification=True,
            )
        except (WebAuthnException, ValueError, KeyError, TypeError, AttributeError):
            raise Refused(_NOT_TAKEN, "invalid") from None
        kept.sign_count, kept.used_at = found.new_sign_count, now
        if old_token:
            end_session(session, old_token, now)
        return begin_session(session, kept.staff_id, browser, now, "passkey")
