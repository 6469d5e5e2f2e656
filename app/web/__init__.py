"""The web rooms: Twilio's webhooks, the simulator phone, the staff pages. `install` hangs them into an application."""

import hashlib
import logging
import secrets
from datetime import timedelta
from functools import cache
from pathlib import Path
from urllib.parse import urlsplit

from flask import Flask, Request, Response, render_template, request, url_for
from flask.sessions import SecureCookieSession, SecureCookieSessionInterface
from flask.typing import ResponseReturnValue
from flask_compress import Compress
from flask_wtf.csrf import CSRFError, CSRFProtect
from werkzeug.exceptions import HTTPException

from app.logs import follow, new_request
from app.settings import Settings
from app.web import console, home, metrics, simulator, twilio
from app.web.headers import install_headers
from app.web.language import N_, install_languages, tr
from app.web.signing import signing_keys
from app.web.uploads import TOO_LARGE, InMemory, let_in_files, read_to_the_end
from app.web.wording import FILTERS

log = logging.getLogger(__name__)
STATIC = Path(__file__).parent.parent / "static"
LARGEST_FORM = 256 * 1024


def install(app: Flask, settings: Settings) -> None:
    """Set up templates, headers, CSRF and every page. The application needs its secret key before this.

    The simulator's routes exist only on the simulator channel.
    """
    secure = urlsplit(settings.public_url).scheme == "https"
    app.config.update(
        SESSION_COOKIE_NAME="__Host-pumpline-form" if secure else "pumpline-form",  # CSRF and notices, nothing else
        SESSION_COOKIE_SECURE=secure,
        SESSION_COOKIE_HTTPONLY=True,
        SESSION_COOKIE_SAMESITE="Lax",
        WTF_CSRF_TIME_LIMIT=int(timedelta(hours=12).total_seconds()),
        WTF_CSRF_SECRET_KEY=signing_keys(app),
        WTF_CSRF_SSL_STRICT=False,  # it wants a Referer, and our pages send none
        MAX_CONTENT_LENGTH=LARGEST_FORM,
        MAX_FORM_MEMORY_SIZE=LARGEST_FORM,
        STAFF_COOKIE="__Host-pumpline-staff" if secure else "pumpline-staff",
        STAFF_COOKIE_SECURE=secure,
        COMPRESS_ALGORITHM=["br", "gzip"],
        COMPRESS_MIMETYPES=[
            "text/html",
            "text/css",
            "text/javascript",
            "application/json",
            "image/svg+xml",
            "text/csv",
        ],
    )
    app.jinja_env.filters.update(FILTERS)
    app.jinja_env.trim_blocks = app.jinja_env.lstrip_blocks = True
    app.jinja_env.globals.update(asset=asset, form_id=_form_id)
    install_languages(app)
    install_headers(app, settings.public_url)
    app.request_class = InMemory
    app.session_interface = _ForBrowsers()
    app.before_request(lambda: follow(new_request()))  # a text's own id takes its place in the webhook
    app.teardown_request(lambda _: follow(None))
    app.before_request(let_in_files)  # before the form is read for its token
    Compress(app)  # never the live stream: its type is not among these
    csrf = CSRFProtect(app)
    csrf.exempt(twilio.bp)
    app.extensions["webhook_times"] = metrics.WebhookTimes()
    app.register_blueprint(twilio.bp)
    app.register_blueprint(home.bp)
    app.register_blueprint(metrics.bp)
    app.register_blueprint(console.bp)
    if settings.channel == "simulator":
        app.register_blueprint(simulator.bp)
    app.register_error_handler(CSRFError, _stale_form)
    app.register_error_handler(HTTPException, _error_page)


class _ForBrowsers(SecureCookieSessionInterface):
    """Sessions in cookies, but for the webhooks: Twilio has no browser, and making one took a part of every text."""

    def open_session(self, app: Flask, request: Request) -> SecureCookieSession | None:
        if request.path.startswith("/twilio/"):
            return self.make_null_session(app)
        return super().open_session(app, request)


def asset(name: str) -> str:
    """Return a static file's address with its fingerprint, so that a browser never mixes two versions."""
    return url_for("static", filename=name, v=_fingerprint(name))


def _form_id() -> str:
    """Return what makes one filled form one text, however often it is sent."""
    return secrets.token_hex(8)


@cache
def _fingerprint(name: str) -> str:
    return hashlib.sha256((STATIC / name).read_bytes()).hexdigest()[:12]


_ERRORS = {
    400: (N_("That did not arrive whole"), N_("Go back, reload the page and try again. Nothing was changed.")),
    403: (N_("Not yours to do"), N_("Your role in this clinic does not let you do this. Nothing was changed.")),
    404: (N_("There is nothing here"), N_("It may have been removed, or it belongs to another clinic.")),
    405: (N_("That cannot be opened like this"), N_("Go back and use the button again.")),
    413: (N_("That is too long"), N_("Send less text at once. Nothing was changed.")),
    500: (
        N_("Something went wrong here"),
        N_("It was written to the log. Try again; if it stays, call whoever runs Pumpline."),
    ),
}


def _stale_form(_: CSRFError) -> ResponseReturnValue:
    words = (N_("This page was open too long"), N_("Go back, reload it and try again. Nothing was changed."))
    return _page(400, *words)


def _error_page(error: HTTPException) -> ResponseReturnValue:
    if error.code is None or error.code < 400 or request.path.startswith("/twilio/"):
        return error
    if error.code == 413 and request.endpoint in TOO_LARGE:
        read_to_the_end()
        return _page(413, *TOO_LARGE[request.endpoint])
    title, words = _ERRORS.get(error.code, _ERRORS[500] if error.code >= 500 else _ERRORS[400])
    return _page(error.code, title, words)


def _page(code: int, title: str, words: str) -> ResponseReturnValue:
    try:
        return render_template("error.html", title=tr(title), words=tr(words)), code
    except Exception as error:  # around it stands what the database says, and the database may be what is wrong
        log.error("the page of an error could not be made: %s", type(error).__name__)
        return Response(f"{title}. {words}", code, content_type="text/plain; charset=utf-8")
