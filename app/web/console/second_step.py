"""After the password: a code of the authenticator, a recovery code, or a passkey."""

from flask import current_app, flash, g, redirect, render_template, request, session, url_for
from flask.typing import ResponseReturnValue

from app.actions.second_factor import prove_second_factor
from app.actions.sign_in import sign_out
from app.domain.permissions import Permission
from app.web import current
from app.web.console import bp
from app.web.console.browser import this_browser
from app.web.console.fresh import account
from app.web.console.gate import session_now, staff, staff_token
from app.web.console.permits import needs
from app.web.console.sign_in import own_page, remembered
from app.web.language import gettext as _
from app.web.language import ngettext
from app.web.passkey_host import offers_passkeys


@bp.get("/second-step")
@needs(Permission.OWN_ACCOUNT)
def second_step() -> ResponseReturnValue:
    if not account().pending:
        return redirect(url_for("console.today"))
    return _page(own_page(request.args.get("next", "")))


@bp.post("/second-step")
@needs(Permission.OWN_ACCOUNT)
def second_step_form() -> ResponseReturnValue:
    next_page = own_page(request.form.get("next", ""))
    if not account().pending:
        return redirect(next_page)
    code = request.form.get("code", "").replace("\0", "")[:40]
    found = prove_second_factor(current.line().db, staff_token(), code, this_browser(), session_now())
    if found is True:
        session.clear()
        return remembered(redirect(next_page), staff().id)
    if found is False:
        words = _("That code is not right, or was used already. Type the one that the app shows now.")
        return _page(next_page, words), 401
    g.pop("account")  # the door speaks the browser's language
    words = ngettext(
        "Too many codes. Wait %(num)d minute, then sign in again.",
        "Too many codes. Wait %(num)d minutes, then sign in again.",
        int(found.total_seconds()) // 60 + 1,
    )
    flash(words, "failed")
    return redirect(url_for("console.sign_in_page"))


@bp.post("/second-step/leave")
@needs(Permission.OWN_ACCOUNT)
def leave_second_step() -> ResponseReturnValue:
    sign_out(current.line().db, staff_token(), session_now())
    session.clear()
    return redirect(url_for("console.sign_in_page"))


def _page(next_page: str, error: str = "") -> str:
    return render_template(
        "second_step.html",
        clinic=staff().clinic,
        next_page=next_page,
        error=error,
        passkeys=offers_passkeys(current_app),
    )
