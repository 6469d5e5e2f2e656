"""Who works here: for administrators. Roles, closed accounts, lost second factors, invitations."""

from dataclasses import dataclass
from datetime import datetime

from flask import flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from sqlalchemy import func, select

from app.actions.change_staff import change_staff
from app.actions.errors import Refused
from app.actions.invitations import accept_invitation, invite, invited_by, open_invitations, revoke_invitation
from app.actions.second_factor import reset_second_factor
from app.actions.sessions import end_sessions
from app.actions.sign_in import has_second_factor
from app.db.people import Role, Staff, StaffSession
from app.domain.password_rules import SHORTEST_PASSWORD
from app.domain.permissions import ROLE_WORDS, Permission
from app.web import current
from app.web.console import bp
from app.web.console.entry import version_of
from app.web.console.fresh import fresh
from app.web.console.gate import access_invitation, access_staff, session_now, staff
from app.web.console.permits import needs
from app.web.language import gettext as _
from app.web.language import tr


@dataclass(frozen=True)
class Colleague:
    id: int
    name: str
    email: str
    role: Role
    active: bool
    version: int
    second_factor: bool
    seen_at: datetime | None


def colleagues(clinic_id: int) -> tuple[Colleague, ...]:
    """Return everybody who has an account at a clinic, in one statement."""
    seen = select(func.max(StaffSession.seen_at)).where(StaffSession.staff_id == Staff.id).scalar_subquery()
    with current.line().db.read() as session:
        rows = session.execute(
            select(Staff, has_second_factor(Staff.id), seen)
            .where(Staff.clinic_id == clinic_id)
            .order_by(Staff.active.desc(), Staff.name, Staff.id)
        )
        return tuple(
            Colleague(who.id, who.name, who.email, who.role, who.active, who.version, bool(second), at)
            for who, second, at in rows
        )


@bp.get("/accounts")
@needs(Permission.MANAGE_STAFF)
def accounts() -> ResponseReturnValue:
    return _page()


@bp.post("/accounts/invite")
@needs(Permission.MANAGE_STAFF)
@fresh
def invite_colleague() -> ResponseReturnValue:
    email, role = request.form.get("email", ""), request.form.get("role", "")
    signed = staff()
    try:
        token = invite(current.line().db, signed.clinic.id, email, role, session_now(), signed.id, signed.actor)
    except Refused as refusal:
        return _page(errors={"email": tr(refusal)}, typed={"email": email[:320], "role": role}), 422
    link = f"{current.settings().public_url}{url_for('console.invitation', _anchor=None)}#{token}"
    return _page(link=link, invited=email.strip().lower())


@bp.post("/accounts/invitations/<int:invitation_id>/revoke")
@needs(Permission.MANAGE_STAFF)
def revoke(invitation_id: int) -> ResponseReturnValue:
    access_invitation(staff(), invitation_id)
    try:
        revoke_invitation(current.line().db, invitation_id, session_now(), staff().actor)
        flash(_("The invitation is worth nothing any more."))
    except Refused as refusal:
        flash(_("Not changed: %(why)s", why=tr(refusal)), "failed")
    return redirect(url_for("console.accounts", _anchor="invitations"))


@bp.post("/accounts/<int:colleague_id>/role")
@needs(Permission.MANAGE_STAFF)
@fresh
def change_colleague(colleague_id: int) -> ResponseReturnValue:
    access_staff(staff(), colleague_id)
    role, act = request.form.get("role", ""), request.form.get("act", "")
    active = {"close": False, "open": True}.get(act)
    try:
        changed = change_staff(
            current.line().db,
            colleague_id,
            session_now(),
            staff().actor,
            version=version_of(request.form),
            role="" if active is not None else role,
            active=active,
        )
        flash(_("Saved. It counts from the next page they open.") if changed else _("Nothing was changed."))
    except Refused as refusal:
        flash(_("Not changed: %(why)s", why=tr(refusal)), "failed")
    return redirect(url_for("console.accounts"))


@bp.post("/accounts/<int:colleague_id>/second-factor/reset")
@needs(Permission.MANAGE_STAFF)
@fresh
def reset_colleague(colleague_id: int) -> ResponseReturnValue:
    access_staff(staff(), colleague_id)
    reset_second_factor(current.line().db, colleague_id, session_now(), staff().actor)
    flash(_("Second factor and passkeys are removed, and every session has ended."))
    return redirect(url_for("console.accounts"))


@bp.post("/accounts/<int:colleague_id>/sessions/end")
@needs(Permission.MANAGE_STAFF)
def end_colleagues_sessions(colleague_id: int) -> ResponseReturnValue:
    access_staff(staff(), colleague_id)
    ended = end_sessions(current.line().db, colleague_id, session_now(), staff().actor)
    flash(_("Every session has ended.") if ended else _("No session was open."))
    return redirect(url_for("console.accounts"))


@bp.get("/invitation")
def invitation() -> ResponseReturnValue:
    """The link's secret stands behind #, which no server log sees; it is typed or pasted where there is no script."""
    return render_template("invitation.html", typed={}, errors={}, shortest=SHORTEST_PASSWORD)


@bp.post("/invitation")
def take_up_invitation() -> ResponseReturnValue:
    token = request.form.get("token", "").strip().rpartition("#")[2][:200]
    name, password = request.form.get("name", ""), request.form.get("password", "")
    db, now = current.line().db, session_now()
    with db.read() as session:
        known = invited_by(session, token, now)
    try:
        accept_invitation(db, token, name, password, now)
    except Refused as refusal:
        which = "token" if known is None else "name" if "name is missing" in str(refusal) else "password"
        typed = {"token": token, "name": name[:120]}
        errors = {which: tr(refusal)}
        return render_template("invitation.html", typed=typed, errors=errors, shortest=SHORTEST_PASSWORD), 422
    flash(_("Your account is open. Sign in with your e-mail and password."))
    return redirect(url_for("console.sign_in_page"))


def _page(
    *, errors: dict[str, str] | None = None, typed: dict[str, str] | None = None, link: str = "", invited: str = ""
) -> str:
    clinic_id, now = staff().clinic.id, session_now()
    with current.line().db.read() as session:
        waiting = open_invitations(session, clinic_id, now)
    return render_template(
        "console/accounts.html",
        colleagues=colleagues(clinic_id),
        invitations=waiting,
        roles=ROLE_WORDS,
        required=current.settings().asks_second_factor_of,
        errors=errors or {},
        typed=typed or {},
        link=link,
        invited=invited,
        real_now=now,
    )
