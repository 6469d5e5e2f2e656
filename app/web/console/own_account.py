"""One's own account: password, second factor, sessions."""

import segno
from flask import Response, abort, current_app, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from sqlalchemy import select

from app.actions.change_password import change_password
from app.actions.change_preferences import change_preferences
from app.actions.errors import Refused
from app.actions.passkeys import of_staff
from app.actions.second_factor import (
    begin_authenticator,
    codes_left,
    confirm_authenticator,
    grouped,
    new_recovery_codes,
    remove_authenticator,
)
from app.actions.sessions import end_sessions, open_sessions
from app.actions.sign_in import NotSignedIn, check_password
from app.db.accounts import Authenticator
from app.db.people import Staff
from app.domain.password_rules import SHORTEST_PASSWORD
from app.domain.permissions import ROLE_WORDS, Permission
from app.web import current
from app.web.console import bp, must_have_second_factor, time_outs
from app.web.console.browser import browser_said, is_simulated, this_browser
from app.web.console.fresh import account, fresh
from app.web.console.gate import session_now, staff
from app.web.console.permits import needs
from app.web.language import gettext as _
from app.web.language import tr
from app.web.passkey_host import offers_passkeys

_NO_STORE = {"Cache-Control": "no-store"}


@bp.get("/account")
@needs(Permission.OWN_ACCOUNT)
def own_account() -> ResponseReturnValue:
    return _page()


@bp.post("/account/password")
@needs(Permission.OWN_ACCOUNT)
def change_own_password() -> ResponseReturnValue:
    signed, now, db = staff(), session_now(), current.line().db
    with db.read() as session:
        email = session.get_one(Staff, signed.id).email
    found = check_password(db, email, request.form.get("old", ""), this_browser(), now, simulated=is_simulated())
    if isinstance(found, NotSignedIn):
        if not found.wait:
            return _page(errors={"old": _("this is not your password")}), 422
        minutes = int(found.wait.total_seconds()) // 60 + 1
        return _page(errors={"old": _("too many tries: wait %(minutes)d min", minutes=minutes)}), 429
    try:
        keep = account().session_id
        change_password(db, signed.id, request.form.get("new", ""), now, signed.actor, keep_session=keep)
    except Refused as refusal:
        return _page(errors={"new": tr(refusal)}), 422
    flash(_("Your password is changed. Every other session of yours has ended."))
    return redirect(url_for("console.own_account"))


@bp.post("/account/preferences")
@needs(Permission.OWN_ACCOUNT)
def change_own_preferences() -> ResponseReturnValue:
    try:
        change_preferences(
            current.line().db,
            staff().id,
            request.form.get("language", ""),
            twelve_hours=request.form.get("hours") == "12",
        )
    except Refused as refusal:
        flash(tr(refusal), "failed")
    else:
        flash(_("Saved: every page of yours follows it."))
    return redirect(url_for("console.own_account", _anchor="preferences"))


@bp.post("/account/sessions/end")
@needs(Permission.OWN_ACCOUNT)
def end_own_sessions() -> ResponseReturnValue:
    """End one session, or every other one."""
    which = request.form.get("session", "")
    only = int(which) if which.isascii() and which.isdecimal() and len(which) < 16 else None
    mine = account().session_id
    if only == mine:
        flash(_("That is this session: sign out instead."), "failed")
    else:
        but = mine if only is None else None
        ended = end_sessions(current.line().db, staff().id, session_now(), staff().actor, only=only, but=but)
        flash(_("Ended.") if ended else _("Nothing was open there any more."))
    return redirect(url_for("console.own_account", _anchor="sessions"))


@bp.get("/account/authenticator")
@needs(Permission.OWN_ACCOUNT)
def authenticator() -> ResponseReturnValue:
    return _enrol()


@bp.get("/account/authenticator.svg")
@needs(Permission.OWN_ACCOUNT)
def authenticator_picture() -> ResponseReturnValue:
    """The secret as a picture for the app's camera. It is never kept by a browser."""
    try:
        enrolment = begin_authenticator(current.line().db, staff().id, session_now())
    except Refused:
        abort(404)
    picture = segno.make(enrolment.uri, error="m").svg_inline(scale=5, border=3, light="#fff", omitsize=True)
    wrapped = picture.replace("<svg", '<svg xmlns="http://www.w3.org/2000/svg"', 1)
    return Response(wrapped, mimetype="image/svg+xml", headers=_NO_STORE)


@bp.post("/account/authenticator")
@needs(Permission.OWN_ACCOUNT)
def confirm_own_authenticator() -> ResponseReturnValue:
    try:
        codes = confirm_authenticator(current.line().db, staff().id, request.form.get("code", "")[:40], session_now())
    except Refused as refusal:
        return _enrol(tr(refusal))
    return _codes(codes)


@bp.post("/account/recovery-codes")
@needs(Permission.OWN_ACCOUNT)
@fresh
def renew_recovery_codes() -> ResponseReturnValue:
    if not _has_authenticator():
        abort(404)
    return _codes(new_recovery_codes(current.line().db, staff().id, session_now()))


@bp.post("/account/authenticator/remove")
@needs(Permission.OWN_ACCOUNT)
@fresh
def remove_own_authenticator() -> ResponseReturnValue:
    remove_authenticator(current.line().db, staff().id, session_now())
    flash(_("The authenticator and its recovery codes are removed."))
    return redirect(url_for("console.own_account"))


def _has_authenticator() -> bool:
    with current.line().db.read() as session:
        return (
            session.scalar(select(Authenticator.confirmed_at).where(Authenticator.staff_id == staff().id)) is not None
        )


def _enrol(error: str = "") -> ResponseReturnValue:
    try:
        enrolment = begin_authenticator(current.line().db, staff().id, session_now())
    except Refused:
        return redirect(url_for("console.own_account"))
    page = render_template(
        "console/authenticator.html", groups=grouped(enrolment.secret), error=error, must=must_have_second_factor()
    )
    return Response(page, 422 if error else 200, headers=_NO_STORE)


def _codes(codes: tuple[str, ...]) -> ResponseReturnValue:
    return Response(render_template("console/recovery_codes.html", codes=codes), headers=_NO_STORE)


def _page(errors: dict[str, str] | None = None) -> str:
    now, signed = session_now(), staff()
    with current.line().db.read() as session:
        email = session.get_one(Staff, signed.id).email
        sessions = open_sessions(session, signed.id, now, time_outs())
        kept = session.get(Authenticator, signed.id)
        since = kept.confirmed_at if kept else None
        left, passkeys = codes_left(session, signed.id), of_staff(session, signed.id)
    return render_template(
        "console/account.html",
        email=email,
        role_words=ROLE_WORDS[signed.role],
        sessions=sessions,
        browser_said=browser_said,
        this_session=account().session_id,
        authenticator_since=since,
        codes_left=left,
        passkeys=passkeys,
        passkeys_offered=offers_passkeys(current_app),
        must=signed.role in current.settings().asks_second_factor_of,
        errors=errors or {},
        shortest=SHORTEST_PASSWORD,
        real_now=now,
        mine=account(),
    )
