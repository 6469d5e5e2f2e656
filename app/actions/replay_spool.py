"""Take in what came while the database could not be written, in the order in which it came."""

import logging
from datetime import datetime

from app.actions.line import Line
from app.actions.receive_late import database_works, receive_late
from app.actions.receive_text import Late
from app.actions.record_status import record_status
from app.actions.webhook_forms import OUR_TOKEN, Missing, inbound_text, status_report
from app.db.spool import Spooled, Unreadable
from app.logs import following, request_named_by, request_of, tell

log = logging.getLogger(__name__)


def replay_spool(line: Line, now: datetime) -> int:
    """Return how many were taken in. It stops at the first while the database does not work, and tries again.

    A text that fails although the database works is taken in barely. What fails even so is set aside and those behind
    it go on: `pumpline doctor` tells of it.
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
            if not database_works(line):
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
            received = receive_late(line, inbound, now, Late(spooled.came_at))
            tell(log, "text taken in from the spool", **received.for_log())
