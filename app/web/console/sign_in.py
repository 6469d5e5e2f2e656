"""The door: sign in, sign out."""

import math
from datetime import timedelta
from urllib.parse import urlsplit

from flask import current_app, flash, g, make_response, redirect, render_template, request, session, url_for
from flask.typing import ResponseReturnValue

from app.actions.sign_in import NotSignedIn, SignedIn, email_hash, sign_in, sign_out
from app.db.pages import first_clinic
from app.db.people import Staff
from app.domain.permissions import Permission
from app.web import current
from app.web.console import bp
from app.web.console.browser import is_simulated, remember, this_browser
from app.web.console.gate import session_now, staff_token
from app.web.console.permits import needs
from app.web.home import demo_sign_in
from app.web.language import COOKIE, LANGUAGES
from app.web.language import gettext as _
from app.web.passkey_host import offers_passkeys


@bp.get("/sign-in")
def sign_in_page() -> ResponseReturnValue:
    return _door(next_page=own_page(request.args.get("next", "")))


@bp.post("/language")
def choose_language() -> ResponseReturnValue:
    """Keep this browser's language, for whoever has not signed in yet."""
    answer = make_response(redirect(url_for("console.sign_in_page", next=own_page(request.form.get("next", "")))))
    code = request.form.get("language", "")
    if code in LANGUAGES:
        answer.set_cookie(
            COOKIE,
            code,
            max_age=timedelta(days=365),
            secure=current_app.config["STAFF_COOKIE_SECURE"],
            httponly=True,
            samesite="Lax",
        )
    return answer


@bp.post("/sign-in")
def sign_in_form() -> ResponseReturnValue:
    email = request.form.get("email", "").replace("\0", "")  # which PostgreSQL refuses
    password = request.form.get("password", "")
    next_page = own_page(request.form.get("next", ""))
    signed = sign_in(
        current.line().db,
        email[:320],
        password,
        this_browser(),
        session_now(),
        simulated=is_simulated(),
        old_token=staff_token(),
    )
    if isinstance(signed, NotSignedIn):
        if signed.wait:
            minutes = math.ceil(signed.wait.total_seconds() / 60)
            words = _("Too many tries from here. Wait %(minutes)d min, then try again.", minutes=minutes)
            return _door(next_page, email, words), 429
        return _door(next_page, email, _("E-mail or password is wrong.")), 401
    return signed_in(signed, next_page)


def signed_in(signed: SignedIn, next_page: str) -> ResponseReturnValue:
    """Give the browser its session, and go on: to the page that was asked for, or to the second step."""
    session.clear()  # a form token from before the sign-in is worth nothing after it
    to = url_for("console.second_step", next=next_page) if signed.pending else next_page
    answer = make_response(redirect(to))
    answer.set_cookie(
        current_app.config["STAFF_COOKIE"],
        signed.token,
        secure=current_app.config["STAFF_COOKIE_SECURE"],
        httponly=True,
        samesite="Lax",
        path="/",
    )
    return answer if signed.pending else remembered(answer, signed.staff_id)


def remembered(answer: ResponseReturnValue, staff_id: int) -> ResponseReturnValue:
    """Mark this browser as one that the account knows, now that everything was proved."""
    made, db = make_response(answer), current.line().db
    with db.read() as reading:
        account = email_hash(db, reading.get_one(Staff, staff_id).email)
    remember(made, account)
    return made


@bp.post("/sign-out")
@needs(Permission.OWN_ACCOUNT)
def sign_out_form() -> ResponseReturnValue:
    sign_out(current.line().db, staff_token(), session_now())
    session.clear()
    g.pop("account")  # the door speaks the browser's language
    flash(_("You are signed out."))
    answer = make_response(redirect(url_for("console.sign_in_page")))
    answer.delete_cookie(
        current_app.config["STAFF_COOKIE"], secure=current_app.config["STAFF_COOKIE_SECURE"], httponly=True, path="/"
    )
    return answer


def own_page(wanted: str) -> str:
    """Return a staff page of ours to go to; Today for anything else, above all another site's address."""
    parts = urlsplit(wanted) if wanted.isascii() and wanted.isprintable() and "\\" not in wanted else None
    if parts is None or parts.scheme or parts.netloc or not parts.path.startswith("/staff/") or "//" in wanted:
        return url_for("console.today")
    return wanted


def _door(next_page: str, email: str = "", error: str = "") -> str:
    with current.line().db.read() as reading:
        clinic = first_clinic(reading)
    return render_template(
        "sign_in.html",
        clinic=clinic,
        next_page=next_page,
        email=email,
        error=error,
        demo=demo_sign_in(),
        passkeys=offers_passkeys(current_app),
        single_sign_on=current.settings().oidc_name if current.settings().oidc_issuer else "",
    )
