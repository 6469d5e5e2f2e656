"""Log lines to stderr: ids, states and durations. What looks like a phone number or an e-mail address is taken out."""

import logging
import re
import sys
import traceback
from collections.abc import Mapping
from typing import Any

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


def configure_logging(level: str = "info", *, as_json: bool | None = None) -> None:
    """Send all logging to stderr: lines for people on a terminal, one JSON object a line anywhere else."""
    if as_json is None:
        as_json = not sys.stderr.isatty()
    shared: list[Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_log_level,
        structlog.stdlib.add_logger_name,
        structlog.stdlib.PositionalArgumentsFormatter(),
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
    handler = logging.StreamHandler()
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
