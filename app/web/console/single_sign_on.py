"""Sign in with the hospital's account: off to its page, and back."""

import json
import secrets
from datetime import timedelta

from flask import abort, flash, redirect, request, session, url_for
from flask.typing import ResponseReturnValue

from app.actions.errors import Refused
from app.actions.sign_in_elsewhere import sign_in_elsewhere
from app.channels.oidc import Begun, OidcError, Provider, begin, finish
from app.web import current
from app.web.console import bp
from app.web.console.browser import this_browser
from app.web.console.gate import session_now, staff_token
from app.web.console.sign_in import own_page, signed_in
from app.web.language import N_, tr
from app.web.language import gettext as _

_KEPT = "single-sign-on"
_WITHIN = timedelta(minutes=10)
_TOO_LATE = N_("that took too long, or was another browser: try again")
_NOT_CONFIRMED = N_("your hospital's sign-in did not confirm it: try again")


@bp.get("/sso")
def single_sign_on() -> ResponseReturnValue:
    next_page = own_page(request.args.get("next", ""))
    try:
        begun = begin(_provider(), _back())
    except OidcError as error:
        return _refused(str(error), next_page)
    kept = [begun.state, begun.nonce, begun.verifier, next_page, session_now().timestamp()]
    session[_KEPT] = json.dumps(kept)
    return redirect(begun.address)


@bp.get("/sso/back")
def single_sign_on_back() -> ResponseReturnValue:
    provider = _provider()
    try:
        state, nonce, verifier, next_page, at = json.loads(session.pop(_KEPT, "[]"))
    except ValueError:
        return _refused(_TOO_LATE, url_for("console.today"))
    said = request.args.get("state", "")
    in_time = session_now().timestamp() - at < _WITHIN.total_seconds()
    if not in_time or not secrets.compare_digest(said.encode(), state.encode()):
        return _refused(_TOO_LATE, own_page(next_page))
    if "error" in request.args or not request.args.get("code"):
        return _refused(_NOT_CONFIRMED, own_page(next_page))
    try:
        known = finish(provider, _back(), Begun("", state, nonce, verifier), request.args["code"][:4000], session_now())
        signed = sign_in_elsewhere(
            current.line().db, known.email, this_browser(), session_now(), old_token=staff_token()
        )
    except (OidcError, Refused) as refusal:
        return _refused(str(refusal), own_page(next_page))
    return signed_in(signed, own_page(next_page))


def _provider() -> Provider:
    settings = current.settings()
    if not (settings.oidc_issuer and settings.oidc_client_id and settings.oidc_client_secret):
        abort(404)
    return Provider(settings.oidc_issuer, settings.oidc_client_id, settings.oidc_client_secret.get_secret_value())


def _back() -> str:
    return f"{current.settings().public_url}{url_for('console.single_sign_on_back')}"


def _refused(words: str, next_page: str) -> ResponseReturnValue:
    flash(_("Not signed in: %(why)s.", why=tr(words)), "failed")
    return redirect(url_for("console.sign_in_page", next=next_page))
