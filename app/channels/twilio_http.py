"""The official Twilio client as we use it. Importing it costs 200 ms and 27 MB: only twilio_sms does, when it sends."""

import logging
import threading
from datetime import timedelta
from email.utils import parsedate_to_datetime
from typing import Any
from urllib.parse import urlsplit

import requests
from requests.adapters import HTTPAdapter
from twilio.base.exceptions import TwilioRestException, TwilioServiceException  # type: ignore[import-untyped]
from twilio.http.http_client import TwilioHttpClient  # type: ignore[import-untyped]
from twilio.http.response import Response  # type: ignore[import-untyped]
from twilio.rest import Client  # type: ignore[import-untyped]
from urllib3.exceptions import ConnectTimeoutError, NewConnectionError, ProxyError

from app.domain.delivery import Failure, Next, failure

_CONNECT_SECONDS = 5.0
_POOL = 32  # threads that may send at once without opening a new connection each
_NO_CONNECTION = Failure(Next.REPEAT, "no connection to Twilio", of_account=True)
_NO_CLEAR_ANSWER = Failure(Next.ASK, "Twilio gave no clear answer", of_account=True)
_LEAST_CODE = 10_000  # Twilio's own codes have five digits; the library puts the HTTP status where there is none


class Transport(TwilioHttpClient):  # type: ignore[misc]
    """Sends to another scheme and host when told to; logs nothing; shares nothing between threads.

    The library's own `request` keeps the last answer on the client and returns it from there, so that two threads
    can get each other's.
    """

    def __init__(self, api_url: str | None, timeout_seconds: float) -> None:
        super().__init__(timeout=timeout_seconds)
        self._base = urlsplit(api_url) if api_url else None
        self._session = requests.Session()
        for scheme in ("https://", "http://"):
            self._session.mount(scheme, HTTPAdapter(pool_maxsize=_POOL))  # no retries: a repeat is ours to decide

    def request(
        self,
        method: str,
        url: str,
        params: dict[str, Any] | None = None,
        data: dict[str, Any] | None = None,
        headers: dict[str, str] | None = None,
        auth: tuple[str, str] | None = None,
        timeout: float | None = None,
        allow_redirects: bool = False,
    ) -> Response:
        if self._base:
            url = urlsplit(url)._replace(scheme=self._base.scheme, netloc=self._base.netloc).geturl()
        seconds = timeout or self.timeout
        _said.wait = None
        answer = self._session.request(
            method,
            url,
            params=params,
            data=data,
            headers=headers,
            auth=auth,
            timeout=(min(seconds, _CONNECT_SECONDS), seconds),
            allow_redirects=allow_redirects,
        )
        _said.wait = wait_told(answer.headers.get("Retry-After"), answer.headers.get("Date"))
        return Response(answer.status_code, answer.text, answer.headers)

    def log_request(self, kwargs: dict[str, Any]) -> None:
        """Say nothing: the library writes addresses and headers, and an address may hold a number."""

    def log_response(self, status_code: int, response: Any) -> None:
        """Say nothing."""


_said = threading.local()  # what the answer to this thread's last request said beside its body: the library drops it


def wait_told(retry_after: str | None, date: str | None) -> timedelta | None:
    """Return how long Twilio wants to be left alone: seconds, or until a date by its own clock (RFC 9110, 10.2.3)."""
    words = (retry_after or "").strip()
    if words.isascii() and words.isdecimal() and len(words) < 9:
        return timedelta(seconds=int(words))
    try:
        return max(timedelta(0), parsedate_to_datetime(words) - parsedate_to_datetime(date or ""))
    except (ValueError, TypeError):  # neither, or no date
        return None


def wait_last_told() -> timedelta | None:
    """Return what the last answer in this thread said of it."""
    told: timedelta | None = getattr(_said, "wait", None)
    return told


class _WithoutTwilio(logging.Filter):
    """Drops what the HTTP library writes about our requests: a look-up has the recipient's number in its address."""

    def filter(self, record: logging.LogRecord) -> bool:
        return "/2010-04-01/Accounts/" not in record.getMessage()


_WITHOUT_TWILIO = _WithoutTwilio()


def client(account_sid: str, auth_token: str, api_url: str | None, timeout_seconds: float) -> Client:
    """Return a client that any number of threads may share."""
    for name in ("urllib3.connectionpool", "urllib3.util.retry"):
        logging.getLogger(name).addFilter(_WITHOUT_TWILIO)  # once, however often
    return Client(account_sid, auth_token, http_client=Transport(api_url, timeout_seconds))


def failure_after(error: Exception) -> tuple[Failure, int | None]:
    """Say what may be done after `error`, raised while Twilio was asked, and Twilio's code where it gave one.

    Whatever is not certainly a refusal, or certainly before the first byte was sent, is unknown.
    """
    if isinstance(error, TwilioRestException | TwilioServiceException):
        return _refusal(error.status, error.code)
    if isinstance(error, requests.ConnectionError) and _never_connected(error):
        return _NO_CONNECTION, None
    return _NO_CLEAR_ANSWER, None


def _refusal(status: Any, code: Any) -> tuple[Failure, int | None]:
    if isinstance(code, int) and code >= _LEAST_CODE:
        return failure(status, code), code
    if status in (401, 403, 429):
        return failure(status, None), None
    return _NO_CLEAR_ANSWER, None  # a proxy's page, a redirect, a 5xx: not Twilio's word that it refused


def _never_connected(error: requests.ConnectionError) -> bool:
    cause = getattr(error.args[0], "reason", None) if error.args else None
    if isinstance(cause, ProxyError):
        cause = cause.original_error
    return isinstance(cause, NewConnectionError | ConnectTimeoutError)
