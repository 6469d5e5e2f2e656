"""Which browser asks: its address, its name in words, and the mark by which accounts know it again."""

import secrets
from typing import Any

from flask import Response, current_app, request
from itsdangerous import BadSignature, URLSafeTimedSerializer

from app.actions.sign_in import Browser
from app.web import current
from app.web.language import N_
from app.web.language import gettext as _
from app.web.signing import signing_keys

KEPT_SECONDS = 180 * 24 * 3600
ACCOUNTS = 12  # on one shared machine of a ward
UNKNOWN = N_("A browser")
_SALT = "known-browser"
_NAMES = (("Edg/", "Edge"), ("OPR/", "Opera"), ("Firefox/", "Firefox"), ("Chrome/", "Chrome"), ("Safari/", "Safari"))
_SYSTEMS = (
    ("Windows", "Windows"),
    ("Android", "Android"),
    ("iPhone", "iPhone"),
    ("iPad", "iPad"),
    ("Mac OS X", "Mac"),
    ("CrOS", "ChromeOS"),
    ("Linux", "Linux"),
)


def this_browser() -> Browser:
    kept = _kept()
    return Browser(request.remote_addr or "", in_words(), kept["mark"], frozenset(kept["accounts"]))


def in_words() -> str:
    """Return "Firefox on Windows", to be kept; nothing else of what a browser says about itself is."""
    said = request.headers.get("User-Agent", "")
    name = next((name for sign, name in _NAMES if sign in said), UNKNOWN)
    system = next((name for sign, name in _SYSTEMS if sign in said), "")
    return f"{name} on {system}" if system else name


def browser_said(kept: str) -> str:
    """Return what was kept of a browser in the reader's language."""
    name, on, system = kept.partition(" on ")
    name = _(UNKNOWN) if name in ("", UNKNOWN) else name
    return _("%(browser)s on %(system)s", browser=name, system=system) if on else name


def remember(answer: Response, account: str) -> None:
    """Mark this browser as one on which an account (the keyed hash of its e-mail) signed in."""
    kept = _kept()
    accounts = [account, *(other for other in kept["accounts"] if other != account)][:ACCOUNTS]
    value = {"mark": kept["mark"] or secrets.token_urlsafe(16), "accounts": accounts}
    answer.set_cookie(
        cookie_name(),
        _signer().dumps(value),
        max_age=KEPT_SECONDS,
        secure=current_app.config["STAFF_COOKIE_SECURE"],
        httponly=True,
        samesite="Lax",
        path="/",
    )


def cookie_name() -> str:
    return str(current_app.config["STAFF_COOKIE"]).replace("staff", "browser")


def _signer() -> URLSafeTimedSerializer:
    return URLSafeTimedSerializer(signing_keys(current_app), salt=_SALT)


def _kept() -> dict[str, Any]:
    try:
        found = _signer().loads(request.cookies.get(cookie_name(), ""), max_age=KEPT_SECONDS)
    except BadSignature:
        found = {}
    return found if isinstance(found, dict) and "mark" in found else {"mark": "", "accounts": []}


def is_simulated() -> bool:
    return current.settings().channel == "simulator"
