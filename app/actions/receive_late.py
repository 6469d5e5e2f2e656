"""Take in a text after its webhook was answered, or missed: as any other, and where that cannot be, barely."""

import logging
from datetime import datetime

from sqlalchemy import text
from sqlalchemy.exc import SQLAlchemyError

from app.actions.errors import Refused
from app.actions.line import Line
from app.actions.receive_text import InboundText, Late, Received, receive_text
from app.actions.take_in_barely import take_in_barely

log = logging.getLogger(__name__)
TRIES = 2  # a database that is busy just now is no reason


def receive_late(line: Line, inbound: InboundText, now: datetime, late: Late) -> Received:
    """Take in a text after its webhook was answered, or missed. Raises what went wrong while the database is at
    fault."""
    for attempt in range(TRIES):
        try:
            return receive_text(line, inbound, now, late=late)
        except Refused:  # there is no clinic yet
            raise
        except Exception as error:
            if not database_works(line):
                raise
            if attempt + 1 == TRIES:
                log.error("a text is taken in barely: %s", type(error).__name__)
    return take_in_barely(line, inbound, now, late)


def database_works(line: Line) -> bool:
    """Whether something can be written, to tell a database that is down from a text that nobody can take in."""
    try:
        with line.db.begin() as session:
            session.execute(text("UPDATE installation SET id = id"))
    except SQLAlchemyError:
        return False
    return True
