"""Twilio's two webhooks: a text came in; something happened to one that went out."""

import logging
import re
from collections.abc import Iterable
from urllib.parse import quote
from xml.sax.saxutils import escape, quoteattr

from flask import Blueprint, Response, g, request
from flask.typing import ResponseReturnValue

from app.actions.receive_text import InboundText, receive_text
from app.actions.record_status import record_status
from app.actions.webhook_forms import OUR_TOKEN, Missing, inbound_text, status_report
from app.db.heartbeat import WEBHOOK
from app.domain.delivery import state_named
from app.logs import following, request_named_by, request_of, tell
from app.web import metrics
from app.web.current import heard, holding, line, now
from app.web.signature import Form, signed_by_twilio

log = logging.getLogger(__name__)
bp = Blueprint("twilio", __name__, url_prefix="/twilio")
bp.before_request(metrics.begin)
bp.after_request(metrics.end)

# XML 1.0 knows no way to write these, escaped or not: https://www.w3.org/TR/xml/#charsets
_NOT_XML = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


@bp.post("/sms")
@signed_by_twilio
def sms(form: Form) -> ResponseReturnValue:
    """A text came. Answered only once it is written down: in the database, else sealed on disk for later."""
    ours = line()
    try:
        inbound = inbound_text(ours, form)
    except Missing as missing:
        return _missing(str(missing))
    with following(request_of(inbound.provider_id)):
        try:
            received = receive_text(ours, inbound, now())
        except Exception as error:
            return _held(form, inbound, error)
        tell(log, "text received", **received.for_log())
    holding().learn(now())
    _heard()
    answered = ((reply.body, reply.token) for reply in received.replies)
    return Response(twiml(answered, ours.public_url), content_type="text/xml; charset=utf-8")


@bp.post("/status")
@signed_by_twilio
def status(form: Form) -> ResponseReturnValue:
    token = request.args.get(OUR_TOKEN, "")
    try:
        report = status_report(form, token)
    except Missing as missing:
        return _missing(str(missing))
    with following(request_named_by(report.token or report.provider_id or "")):
        try:
            if record_status(line(), report, now()):
                _heard()
        except Exception as error:
            log.error("a status report waits for the database: %s", type(error).__name__)
            _spool("status", {**form, OUR_TOKEN: token})
        tell(log, "status reported", state=state_named(report.status) or "other", code=report.error_code)
    return Response(status=204)


def _heard() -> None:
    """Note, once a minute, that Twilio reaches us: only what is true of a text of ours proves it."""
    try:
        heard().succeeded(WEBHOOK, now())
    except Exception as error:
        log.error("that a webhook came is not noted: %s", type(error).__name__)


def _held(form: Form, inbound: InboundText, error: Exception) -> Response:
    """Keep what cannot be written down now, and say what is true without the database.

    Where not even the disk takes it, the texter is told whom to call all the same: the provider still has the text,
    and it is asked for later.
    """
    log.error("a text waits for the database: %s", type(error).__name__)
    _spool("sms", form)
    said = ((words.body, "") for words in holding().words_for(inbound, now()))
    return Response(twiml(said, line().public_url), content_type="text/xml; charset=utf-8")


def _spool(kind: str, form: Form) -> None:
    spool = line().spool
    g.kept_on_disk = True
    try:
        if spool:
            spool.keep(kind, form, now())
    except OSError as error:
        log.critical("a webhook could be kept nowhere: %s", type(error).__name__)


def twiml(replies: Iterable[tuple[str, str]], public_url: str) -> str:
    """Return the replies, each with its token, as TwiML; the same replies give the same bytes.

    Each asks for its status twice, by statusCallback and by action: one user saw only action work (M57), the
    documentation lists both (M56), and a report that comes twice changes nothing. One without a token asks for none.
    """
    messages = []
    for said, token in replies:
        body = escape(_NOT_XML.sub("", said), {"\r": "&#13;"})
        where = quoteattr(f"{public_url.rstrip('/')}/twilio/status?{OUR_TOKEN}={quote(token, safe='')}")
        asks = f' action={where} method="POST" statusCallback={where}' if token else ""
        messages.append(f"<Message{asks}>{body}</Message>")
    return f'<?xml version="1.0" encoding="UTF-8"?>\n<Response>{"".join(messages)}</Response>'


def _missing(name: str) -> Response:
    return Response(f"{name} is missing", 400, content_type="text/plain; charset=utf-8")
