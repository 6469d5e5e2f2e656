"""Twilio's two webhooks: a text came in; something happened to one that went out."""

import re
from collections.abc import Iterable
from urllib.parse import quote
from xml.sax.saxutils import escape, quoteattr

from flask import Blueprint, Response, request
from flask.typing import ResponseReturnValue

from app.actions.receive_text import Handed, InboundText, Media, receive_text
from app.actions.record_status import StatusReport, record_status
from app.web.current import line, now
from app.web.signature import Form, signed_by_twilio

bp = Blueprint("twilio", __name__, url_prefix="/twilio")

_MOST_MEDIA = 10  # Twilio's own limit for one message
_LONGEST_NAME = 64  # a SID has 34
# XML 1.0 knows no way to write these, escaped or not: https://www.w3.org/TR/xml/#charsets
_NOT_XML = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


@bp.post("/sms")
@signed_by_twilio
def sms(form: Form) -> ResponseReturnValue:
    provider_id = _name(form, "MessageSid", "SmsMessageSid", "SmsSid")
    sender = _name(form, "From")
    if not provider_id or not sender:
        return _missing("From" if provider_id else "MessageSid")
    inbound = InboundText(
        provider_id=provider_id,
        sender=sender,
        recipient=_name(form, "To"),
        body=form.get("Body", ""),
        media=_media(form),
        opt_out_type=_name(form, "OptOutType").upper() or None,
        channel="twilio",
    )
    ours = line()
    received = receive_text(ours, inbound, now())
    return Response(twiml(received.replies, ours.public_url), content_type="text/xml; charset=utf-8")


@bp.post("/status")
@signed_by_twilio
def status(form: Form) -> ResponseReturnValue:
    reported = _name(form, "MessageStatus", "SmsStatus")
    if not reported:
        return _missing("MessageStatus")
    code = _name(form, "ErrorCode")
    report = StatusReport(
        status=reported,
        token=request.args.get("m", "").replace("\0", "")[:_LONGEST_NAME] or None,
        provider_id=_name(form, "MessageSid", "SmsSid") or None,
        error_code=int(code) if code.isascii() and code.isdecimal() and len(code) < 8 else None,
    )
    record_status(line(), report, now())
    return Response(status=204)


def twiml(replies: Iterable[Handed], public_url: str) -> str:
    """Return the replies as TwiML; the same replies give the same bytes.

    Each asks for its status twice, by statusCallback and by action: one user saw only action work (M57), the
    documentation lists both (M56), and a report that comes twice changes nothing.
    """
    messages = []
    for reply in replies:
        where = quoteattr(f"{public_url.rstrip('/')}/twilio/status?m={quote(reply.token, safe='')}")
        body = escape(_NOT_XML.sub("", reply.body), {"\r": "&#13;"})
        messages.append(f'<Message action={where} method="POST" statusCallback={where}>{body}</Message>')
    return f'<?xml version="1.0" encoding="UTF-8"?>\n<Response>{"".join(messages)}</Response>'


def _name(form: Form, *keys: str) -> str:
    """Return the first that is given: an id, a number, a status word. NUL, which PostgreSQL refuses, left out."""
    return next((value for key in keys if (value := form.get(key, "").replace("\0", "").strip()[:_LONGEST_NAME])), "")


def _media(form: Form) -> tuple[Media, ...]:
    """Return what came along, as references; nothing here is ever fetched. An address that is not https is dropped."""
    told = form.get("NumMedia", "")
    count = min(int(told), _MOST_MEDIA) if told.isascii() and told.isdecimal() and len(told) < 8 else 0
    urls = [form.get(f"MediaUrl{n}", "") for n in range(_MOST_MEDIA)]
    count = max(count, sum(1 for url in urls if url))
    return tuple(
        Media(url if url.lower().startswith("https://") else "", form.get(f"MediaContentType{n}", ""))
        for n, url in enumerate(urls[:count])
    )


def _missing(name: str) -> Response:
    return Response(f"{name} is missing", 400, content_type="text/plain; charset=utf-8")
