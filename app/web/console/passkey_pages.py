"""Passkeys: register, remove, sign in. The browser does the work; these answer its two questions."""

import json
from datetime import timedelta

from flask import abort, flash, jsonify, redirect, request, session, url_for
from flask.typing import ResponseReturnValue

from app.actions.errors import Refused
from app.actions.passkeys import (
    Site,
    add_passkey,
    begin_registration,
    begin_sign_in,
    remove_passkey,
    sign_in_with_passkey,
)
from app.domain.permissions import Permission
from app.web import current
from app.web.console import bp
from app.web.console.browser import is_simulated, this_browser
from app.web.console.fresh import account, fresh
from app.web.console.gate import session_now, staff, staff_token
from app.web.console.permits import needs
from app.web.console.sign_in import own_page, signed_in
from app.web.language import gettext as _
from app.web.language import tr
from app.web.passkey_host import passkey_host

_CHALLENGE = "passkey-challenge"
_ANSWER_WITHIN = timedelta(minutes=5)
LARGEST = 20_000


@bp.post("/account/passkeys/begin")
@needs(Permission.OWN_ACCOUNT)
@fresh
def begin_passkey() -> ResponseReturnValue:
    options, challenge = begin_registration(current.line().db, staff().id, _site())
    _keep(challenge)
    return jsonify(options)


@bp.post("/account/passkeys")
@needs(Permission.OWN_ACCOUNT)
def register_passkey() -> ResponseReturnValue:
    if account().proven_at is None:
        abort(403)
    try:
        name, said = request.form.get("name", "").strip() or _("Passkey"), request.form.get("credential", "")[:LARGEST]
        add_passkey(current.line().db, staff().id, said, _kept(), name, _site(), session_now())
        flash(_("The passkey is added. It signs you in by itself."))
    except Refused as refusal:
        flash(_("Not added: %(why)s", why=tr(refusal)), "failed")
    return redirect(url_for("console.own_account", _anchor="passkeys"))


@bp.post("/account/passkeys/<int:passkey_id>/remove")
@needs(Permission.OWN_ACCOUNT)
@fresh
def remove_own_passkey(passkey_id: int) -> ResponseReturnValue:
    if passkey_id > 2**62 or not remove_passkey(current.line().db, staff().id, passkey_id, session_now()):
        abort(404)
    flash(_("The passkey is removed."))
    return redirect(url_for("console.own_account", _anchor="passkeys"))


@bp.post("/passkey/begin")
def begin_passkey_sign_in() -> ResponseReturnValue:
    """Anybody may ask: the question names nobody."""
    options, challenge = begin_sign_in(_site())
    _keep(challenge)
    return jsonify(options)


@bp.post("/passkey")
def passkey_sign_in() -> ResponseReturnValue:
    next_page = own_page(request.form.get("next", ""))
    try:
        signed = sign_in_with_passkey(
            current.line().db,
            request.form.get("credential", "")[:LARGEST],
            _kept(),
            _site(),
            this_browser(),
            session_now(),
            simulated=is_simulated(),
            old_token=staff_token(),
        )
    except Refused as refusal:
        flash(_("Not signed in: %(why)s", why=tr(refusal)), "failed")
        return redirect(url_for("console.sign_in_page", next=next_page))
    return signed_in(signed, next_page)


def _site() -> Site:
    public_url = current.settings().public_url
    host = passkey_host(public_url)
    if not host:
        abort(404)
    return Site(host, public_url)


def _keep(challenge: str) -> None:
    """In the signed cookie of this browser, for five minutes and one answer."""
    session[_CHALLENGE] = json.dumps([challenge, session_now().timestamp()])


def _kept() -> str:
    try:
        challenge, at = json.loads(session.pop(_CHALLENGE, "[]"))
        fresh_enough = session_now().timestamp() - float(at) < _ANSWER_WITHIN.total_seconds()
    except (ValueError, TypeError):
        return ""
    return str(challenge) if fresh_enough else ""
