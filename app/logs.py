"""Log lines to stderr: ids, states and durations. What looks like a phone number or an e-mail address is taken out.

Every line about one text carries the same `request_id`, from its webhook to the last status callback of its answers,
whichever process or machine says it: it follows from the provider's id of the text, and stands in front of the token
that names each answer.
"""

import json
import logging
import re
import secrets
import sys
import traceback
from collections.abc import Mapping
from contextlib import AbstractContextManager, nullcontext
from datetime import UTC, datetime
from hashlib import blake2b
from typing import Any, TextIO

import structlog
from structlog.types import EventDict, Processor

REDACTED = "[redacted]"
_QUIET = ("twilio", "twilio.http_client", "werkzeug", "apscheduler", "urllib3", "alembic", "procrastinate")

_PHONE_OR_MAIL = re.compile(
    r"""
    [\w.%+-]+@[\w-]+(?:\.[\w-]+)+                          # an e-mail address
    | (?<![\w.])\+\d(?:[\s().-]{0,2}\d){6,14}(?!\w)        # +1 (614) 555-0100
    | (?<![\w.-])\(?\d{3}\)?[\s.-]{1,2}\d{3}[\s.-]\d{4}(?![\w-])  # 614-555-0100
    | (?<![\w.-])\d{10,15}(?![\w.])                        # 16145550100
    """,
    re.VERBOSE,
)
_LONG_NUMBERS = range(10**9, 10**15)
# what a line may say beside its words; whatever else a library hangs on a record stays out
FIELDS = (
    "inbound_id",
    "outbound_id",
    "task_id",
    "kind",
    "purpose",
    "state",
    "replies",
    "repeated",
    "late",
    "code",
    "account",
    "ms",
)

_REQUEST = "request_id"
_REQUEST_BYTES = 8
_IS_REQUEST = re.compile(rf"[0-9a-f]{{{2 * _REQUEST_BYTES}}}")


def new_request() -> str:
    """Return the id of a request that no text's id names."""
    return secrets.token_hex(_REQUEST_BYTES)


def request_of(provider_id: str) -> str:
    """Return the request id of a text that came in: the same however often, late and wherever it is taken in."""
    return blake2b(provider_id.encode("utf-8", "replace"), digest_size=_REQUEST_BYTES).hexdigest()


def request_named_by(token: str) -> str:
    """Return the request id in front of a message's token; one made from it for a token of before."""
    first = token.partition("-")[0]
    return first if _IS_REQUEST.fullmatch(first) else request_of(token)


def current_request() -> str | None:
    """Return the request id that lines of this thread carry now."""
    return structlog.contextvars.get_contextvars().get(_REQUEST)


def following(request_id: str) -> AbstractContextManager[None]:
    """Have every line within carry this request id."""
    return structlog.contextvars.bound_contextvars(**{_REQUEST: request_id})


def follow(request_id: str | None) -> None:
    """Have every line of this thread carry it from now on; none does after None."""
    structlog.contextvars.unbind_contextvars(_REQUEST)
    if request_id:
        structlog.contextvars.bind_contextvars(**{_REQUEST: request_id})


def redacted(value: Any) -> Any:
    """Return the value without phone numbers and e-mail addresses, however deep they sit."""
    match value:
        case bool() | None:
            return value
        case str():
            return _PHONE_OR_MAIL.sub(REDACTED, value)
        case int():
            return REDACTED if abs(value) in _LONG_NUMBERS else value
        case Mapping():
            return {redacted(key): redacted(item) for key, item in value.items()}
        case list() | tuple() | set() | frozenset():
            return [redacted(item) for item in value]
        case float():
            return value
        case _:
            return _PHONE_OR_MAIL.sub(REDACTED, str(value))


def redact(_: Any, __: str, event: EventDict) -> EventDict:
    """The processor: redacts every value of a log line."""
    return {key: item if key.startswith("_") else redacted(item) for key, item in event.items()}


def name_exception(_: Any, __: str, event: EventDict) -> EventDict:
    """Replace an exception by its class and where it was raised: its message may hold a name, a number or a text."""
    error = event.pop("exc_info", None)
    if not error:
        return event
    if isinstance(error, BaseException):
        raised: BaseException | None = error
    else:
        raised = error[1] if isinstance(error, tuple) else sys.exc_info()[1]
    if raised is not None:
        frames = traceback.extract_tb(raised.__traceback__)
        event["error"] = type(raised).__name__
        event["raised_at"] = [f"{frame.filename}:{frame.lineno} {frame.name}" for frame in frames[-8:]]
    return event


class OurHandler(logging.StreamHandler[TextIO]):
    """The one that `configure_logging` sets."""

    def __init__(self, *, as_json: bool) -> None:
        super().__init__()
        self.as_json = as_json

    def write_line(self, line: str) -> None:
        with self.lock or nullcontext():
            self.stream.write(line)
            self.flush()


def tell(logger: logging.Logger, event: str, **fields: int | str | None) -> None:
    """Log what went well with one text: the line that `logger.info` would write, at a fifth of what that costs.

    `event` and `fields`, of FIELDS, hold ids and states of ours alone: nothing is redacted here.
    """
    if not logger.isEnabledFor(logging.INFO):
        return
    handlers = logging.root.handlers
    if len(handlers) != 1 or not isinstance(only := handlers[0], OurHandler) or not only.as_json:
        logger.info(event, extra=fields)
        return
    line = {"event": event, "level": "info", "logger": logger.name} | structlog.contextvars.get_contextvars() | fields
    line["timestamp"] = datetime.now(UTC).isoformat().replace("+00:00", "Z")
    only.write_line(json.dumps(line) + "\n")


def configure_logging(level: str = "info", *, as_json: bool | None = None) -> None:
    """Send all logging to stderr: lines for people on a terminal, one JSON object a line anywhere else."""
    if as_json is None:
        as_json = not sys.stderr.isatty()
    shared: list[Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_log_level,
        structlog.stdlib.add_logger_name,
        structlog.stdlib.PositionalArgumentsFormatter(),
        structlog.stdlib.ExtraAdder(FIELDS),
        name_exception,
        redact,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
    ]
    renderer: Processor = structlog.processors.JSONRenderer() if as_json else structlog.dev.ConsoleRenderer()
    structlog.configure(
        processors=[*shared, structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.stdlib.BoundLogger,
        cache_logger_on_first_use=True,
    )
    handler = OurHandler(as_json=as_json)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=shared,
            processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, renderer],
        )
    )
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(level.upper())
    # gunicorn's own lines take the same way: they quote errors, and an error may hold anything
    server = logging.getLogger("gunicorn.error")
    server.handlers.clear()
    server.propagate = True
    for name in _QUIET:
        logging.getLogger(name).setLevel(logging.WARNING)
