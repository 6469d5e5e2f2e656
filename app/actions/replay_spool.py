"""Take in what came while the database could not be written, in the order in which it came."""

import logging
from datetime import datetime

from sqlalchemy import text
from sqlalchemy.exc import SQLAlchemyError

from app.actions.line import Line
from app.actions.receive_text import Late, receive_text
from app.actions.record_status import record_status
from app.actions.webhook_forms import OUR_TOKEN, Missing, inbound_text, status_report
from app.db.spool import Spooled, Unreadable
from app.logs import following, request_named_by, request_of, tell

log = logging.getLogger(__name__)


def replay_spool(line: Line, now: datetime) -> int:
    """Return how many were taken in. It stops at the first while the database does not work, and tries again.

    One that fails although the database works is set aside and those behind it go on: `pumpline doctor` tells of it.
    A text that was taken in already, by a repeated webhook or before a crash, is answered once.
    """
    spool, taken = line.spool, 0
    if spool is None:
        return 0
    spool.forget_halves(now)
    for path in spool.waiting():
        try:
            spooled = spool.read(path)
            if spooled is not None:
                _take_in(line, spooled, now)
                taken += 1
        except (Missing, Unreadable) as error:
            log.error("a spooled webhook is set aside: %s", error)
            spool.set_aside(path)
        except Exception as error:
            if not _database_works(line):
                return taken
            log.error("a spooled webhook is set aside: %s", type(error).__name__)
            spool.set_aside(path)
        else:
            spool.drop(path)
    return taken


def _take_in(line: Line, spooled: Spooled, now: datetime) -> None:
    if spooled.kind == "status":
        report = status_report(spooled.form, spooled.form.get(OUR_TOKEN, ""))
        with following(request_named_by(report.token or report.provider_id or "")):
            record_status(line, report, now)
    else:
        inbound = inbound_text(line, spooled.form)
        with following(request_of(inbound.provider_id)):
            received = receive_text(line, inbound, now, late=Late(spooled.came_at))
            tell(log, "text taken in from the spool", **received.for_log())


def _database_works(line: Line) -> bool:
    """Whether something can be written, to tell a database that is down from a text that nobody can take in."""
    try:
        with line.db.begin() as session:
            session.execute(text("UPDATE installation SET id = id"))
    except SQLAlchemyError:
        return False
    return True
