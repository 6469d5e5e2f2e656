"""What a provider's form says: a text that came in, or what became of one that went out. Pure."""

from collections.abc import Mapping

from app.actions.line import Line
from app.actions.receive_text import InboundText, Media
from app.actions.record_status import StatusReport
from app.domain.breaker import Via

Form = Mapping[str, str]
OUR_TOKEN = "m"  # in the address of a status callback  # noqa: S105

_MOST_MEDIA = 10  # Twilio's own limit for one message
_LONGEST_NAME = 64  # a SID has 34


class Missing(Exception):
    """A form lacks what nothing can be done without; str(error) is the field's name."""


def inbound_text(line: Line, form: Form) -> InboundText:
    """Return the text that came. Raises Missing."""
    provider_id = _name(form, "MessageSid", "SmsMessageSid", "SmsSid")
    sender = _name(form, "From")
    if not provider_id or not sender:
        raise Missing("From" if provider_id else "MessageSid")
    return InboundText(
        provider_id=provider_id,
        sender=sender,
        recipient=_name(form, "To"),
        body=form.get("Body", ""),
        media=_media(form),
        opt_out_type=_name(form, "OptOutType").upper() or None,
        channel="twilio",
        via=_via(line, form),
    )


def status_report(form: Form, token: str) -> StatusReport:
    """Return what became of a text; `token` stood in the callback's address. Raises Missing."""
    reported = _name(form, "MessageStatus", "SmsStatus")
    if not reported:
        raise Missing("MessageStatus")
    code = _name(form, "ErrorCode")
    return StatusReport(
        status=reported,
        token=token.replace("\0", "")[:_LONGEST_NAME] or None,
        provider_id=_name(form, "MessageSid", "SmsSid") or None,
        error_code=int(code) if code.isascii() and code.isdecimal() and len(code) < 8 else None,
    )


def _via(line: Line, form: Form) -> Via:
    """Return by which account it came: where both senders are one account's, by what was texted."""
    if line.second_account:
        return Via.SECOND if form.get("AccountSid") == line.second_account else Via.FIRST
    texted = (_name(form, "To"), _name(form, "MessagingServiceSid"))
    return Via.SECOND if line.second_sender and line.second_sender in texted else Via.FIRST


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
