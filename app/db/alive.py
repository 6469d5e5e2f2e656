"""Whether a pooled connection to PostgreSQL still stands, asked only where there is a reason to ask.

Asking each time costs every text a way there and back. A server that ends or restarts says so on the socket: whatever
is to be read on a connection at rest is a reason, and so is a long rest.
"""

import select
from time import monotonic
from typing import Any

from sqlalchemy import Engine, event
from sqlalchemy.exc import InvalidatePoolError
from sqlalchemy.pool import ConnectionPoolEntry

_RESTED_SINCE = "pumpline.rested_since"
LONG_REST_SECONDS = 30.0


def ask_if_alive(engine: Engine) -> None:
    """Replace connections that do not stand any more before anybody gets them."""

    @event.listens_for(engine, "checkin")
    def came_back(_: Any, record: ConnectionPoolEntry) -> None:
        record.info[_RESTED_SINCE] = monotonic()

    @event.listens_for(engine, "checkout")
    def goes_out(driver: Any, record: ConnectionPoolEntry, _: Any) -> None:
        since = record.info.get(_RESTED_SINCE)  # None: just opened
        if since is None or not (monotonic() - since > LONG_REST_SECONDS or has_spoken(driver)):
            return
        try:
            engine.dialect.do_ping(driver)
        except engine.dialect.loaded_dbapi.Error as error:
            raise InvalidatePoolError from error  # the others were opened to the same server


def has_spoken(driver: Any) -> bool:
    """Whether something can be read on a connection at rest, if only that it ended."""
    if driver.closed:
        return True
    poll = select.poll()
    poll.register(driver.fileno(), select.POLLIN)
    return bool(poll.poll(0))
