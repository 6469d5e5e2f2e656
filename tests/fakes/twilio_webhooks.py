"""Twilio's side of a webhook: a form, signed by the library's own code, posted to a test client or over HTTP."""

import xml.etree.ElementTree as ET
from dataclasses import dataclass
from typing import Any
from urllib.error import HTTPError
from urllib.parse import urlencode
from urllib.request import Request, urlopen

from twilio.request_validator import RequestValidator

_READ_TIMEOUT_SECONDS = 15  # Twilio's own: messaging-rules, M26


@dataclass(frozen=True)
class Reply:
    """One <Message> of an answer."""

    body: str
    status_callback: str | None
    action: str | None


@dataclass(frozen=True)
class Answer:
    """What Pumpline answered to one webhook."""

    status: int
    body: bytes
    content_type: str

    @property
    def replies(self) -> tuple[Reply, ...]:
        """Read as Twilio would; raises ParseError for anything that is no XML."""
        if "xml" not in self.content_type:
            return ()
        messages = ET.fromstring(self.body).iter("Message")
        return tuple(Reply(one.text or "", one.get("statusCallback"), one.get("action")) for one in messages)

    @property
    def texts(self) -> list[str]:
        return [reply.body for reply in self.replies]


def post_form(app: Any, public_url: str, path: str, form: dict[str, str], auth_token: str) -> Answer:
    """Post a form to `path` of a Flask test client, or of the server at the URL `app`, signed for `public_url`."""
    signature = RequestValidator(auth_token).compute_signature(public_url + path, form)
    return post_bytes(app, path, urlencode(form).encode(), signature)


def post_bytes(app: Any, path: str, body: bytes, signature: str | None) -> Answer:
    """Post any bytes as a form; no signature header without one."""
    headers = {"Content-Type": "application/x-www-form-urlencoded; charset=utf-8", "User-Agent": "TwilioProxy/1.1"}
    headers |= {"X-Twilio-Signature": signature} if signature is not None else {}
    if isinstance(app, str):
        return _over_http(Request(app.rstrip("/") + path, body, headers))
    response = app.post(path, data=body, headers=headers)
    return Answer(response.status_code, response.data, response.content_type or "")


def _over_http(request: Request) -> Answer:
    try:
        with urlopen(request, timeout=_READ_TIMEOUT_SECONDS) as response:
            return Answer(response.status, response.read(), response.headers.get("Content-Type", ""))
    except HTTPError as error:
        with error:
            return Answer(error.code, error.read(), error.headers.get("Content-Type", ""))
