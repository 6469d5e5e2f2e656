"""Who may call our webhooks: Twilio, proved by its signature over our own public address.

The library's RequestValidator is the oracle in the tests. Ours differs in three ways: it works on the bytes as they
came, so that no decoding can change what was signed; it compares in constant time; and no header chooses anything.
"""

import base64
import hmac
import logging
from collections.abc import Callable, Iterable, Mapping
from functools import lru_cache, wraps
from urllib.parse import unquote_to_bytes, urlsplit

from flask import Response, abort, request
from flask.typing import ResponseReturnValue

from app.web.current import settings

log = logging.getLogger(__name__)

MAX_FORM_BYTES = 256 * 1024
_DEFAULT_PORTS = {"https": 443, "http": 80}

Form = Mapping[str, str]


def expected_signature(auth_token: str, url: str, form: Iterable[tuple[bytes, bytes]]) -> bytes:
    """Return the X-Twilio-Signature of a form posted to `url`: HMAC-SHA1, whatever any header says.

    Names and values sorted, a repeated pair once. Source: M28 in faq/sources.yaml.
    """
    signed = url.encode("latin-1", "replace") + b"".join(name + value for name, value in sorted(set(form)))
    return base64.b64encode(hmac.digest(auth_token.encode(), signed, "sha1"))


def parse_form(body: bytes) -> list[tuple[bytes, bytes]]:
    """Return names and values of a urlencoded form, empty ones too, as the bytes that were sent."""
    pairs = (part.partition(b"=") for part in body.replace(b"+", b" ").split(b"&") if part)
    return [(unquote_to_bytes(name), unquote_to_bytes(value)) for name, _, value in pairs]


@lru_cache(maxsize=8)
def spellings(public_url: str) -> tuple[str, ...]:
    """Return the public URL as set, without its port, and with it: Twilio signs now one, now the other."""
    url = urlsplit(public_url.rstrip("/"))
    host = f"[{url.hostname}]" if ":" in (url.hostname or "") else url.hostname or ""
    port = url.port or _DEFAULT_PORTS.get(url.scheme, 443)
    return tuple(dict.fromkeys(url._replace(netloc=place).geturl() for place in (url.netloc, host, f"{host}:{port}")))


def signed_by_twilio(view: Callable[[Form], ResponseReturnValue]) -> Callable[[], ResponseReturnValue]:
    """Give the view its form, one value a name, once it is proved to be Twilio's. Else 403 and nothing happens.

    404 where the channel is not Twilio. 413 above MAX_FORM_BYTES. Bytes that are no UTF-8 become U+FFFD.
    """

    @wraps(view)
    def checked() -> ResponseReturnValue:
        chosen = settings()
        accounts = list(chosen.twilio_accounts.values())
        if not accounts:
            abort(404)
        request.max_content_length = MAX_FORM_BYTES
        form = parse_form(request.get_data())
        values: dict[str, str] = {}
        for name, value in form:
            values.setdefault(name.decode(errors="replace"), value.decode(errors="replace"))
        named = values.get("AccountSid")  # by which token it must be signed then; it proves nothing by itself
        account = next((one for one in accounts if one.sid == named), accounts[0])
        if not _is_signed(account.token.get_secret_value(), chosen.public_url, form):
            return _refused("bad signature")
        if named != account.sid:
            return _refused("not our account")
        return view(values)

    return checked


def _is_signed(token: str, public_url: str, form: list[tuple[bytes, bytes]]) -> bool:
    given = request.headers.get("X-Twilio-Signature", "").encode("utf-8", "replace")
    path = _path_as_received()
    addresses = (url + path for url in spellings(public_url))
    return any(hmac.compare_digest(expected_signature(token, address, form), given) for address in addresses)


def _path_as_received() -> str:
    """Return path and query exactly as they stood in the request line: decoding loses what was signed."""
    raw = request.environ.get("RAW_URI") or request.environ.get("REQUEST_URI") or ""
    if isinstance(raw, str) and raw.startswith("/"):  # a request line may also name a host: never ours to believe
        return raw
    query = request.query_string.decode("latin-1")
    return request.path + ("?" + query if query else "")


def _refused(reason: str) -> Response:
    log.warning("webhook refused: %s", reason)  # to be counted; never what was in it
    return Response(reason, 403, content_type="text/plain; charset=utf-8")
