"""Prove again who you are, before an export or a change of who may do what; what was typed is kept meanwhile."""

from collections.abc import Callable
from datetime import timedelta
from functools import wraps
from typing import Any, TypeVar

from flask import g, make_response, render_template, request
from flask.typing import ResponseReturnValue

from app.actions.second_factor import is_own_code
from app.actions.sessions import proved_again
from app.actions.sign_in import Account, NotSignedIn, check_password
from app.db.people import Staff
from app.web import current
from app.web.console.browser import is_simulated, this_browser
from app.web.console.gate import session_now, staff
from app.web.language import gettext as _
from app.web.language import ngettext

FRESH = timedelta(minutes=5)
PROOF = "proof_of_person"
View = TypeVar("View", bound=Callable[..., Any])


def fresh(view: View) -> View:
    """Ask for the password, or a code of the authenticator, where nobody proved anything for five minutes."""

    @wraps(view)
    def asked(*args: Any, **named: Any) -> ResponseReturnValue:
        proof = request.form.get(PROOF, "")
        wrong = _prove(proof) if proof else ""
        if wrong or not _is_fresh():
            return _ask(wrong)
        answer: ResponseReturnValue = view(*args, **named)
        return answer

    return asked  # type: ignore[return-value]


def account() -> Account:
    found: Account = g.account
    return found


def _is_fresh() -> bool:
    proven = account().proven_at
    return proven is not None and session_now() - proven < FRESH


def _prove(proof: str) -> str:
    """Return what to say instead of going on; empty where the proof is right."""
    db, now = current.line().db, session_now()
    browser = this_browser()
    found: Any = False
    if account().has_second_factor and len("".join(proof.split())) <= len("abcd-efgh-ijkl"):
        found = is_own_code(db, staff().id, proof, browser, now)
    if found is False:
        with db.read() as session:
            email = session.get_one(Staff, staff().id).email
        signed = check_password(db, email, proof, browser, now, simulated=is_simulated())
        found = signed.wait or False if isinstance(signed, NotSignedIn) else signed == staff().id
    if found is True:
        proved_again(db, account().session_id, now)
        g.account = Account(**{**vars(account()), "proven_at": now})
        return ""
    if found is False:
        return _("That is not right. Type your password, or a code of your authenticator.")
    return ngettext(
        "Too many tries. Wait %(num)d minute, then try again.",
        "Too many tries. Wait %(num)d minutes, then try again.",
        int(found.total_seconds()) // 60 + 1,
    )


def _ask(wrong: str) -> ResponseReturnValue:
    kept = [(name, value) for name, value in request.form.items(multi=True) if name not in (PROOF, "csrf_token")]
    page = render_template(
        "console/prove.html",
        kept=kept,
        wrong=wrong,
        to=request.full_path.rstrip("?"),
        proof=PROOF,
        poll_url="/staff/account",
    )
    return make_response(page, 401 if wrong else 200)
