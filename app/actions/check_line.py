"""Text the line from its own test phone every quarter of an hour, and say so when the answer is not seen back."""

import logging
from datetime import datetime, timedelta

from sqlalchemy import or_, update

from app.actions.line import Line
from app.actions.line_check import BACK, EVERY, SENT, first_time, slot_of, words_of
from app.actions.receive_text import InboundText, receive_text
from app.actions.record_status import StatusReport, record_status
from app.channels.base import Channel, ChannelError, Outgoing
from app.db.heartbeat import note, well_at
from app.db.work import JobHealth

log = logging.getLogger(__name__)
JOB = "check_line"
LATE = EVERY + timedelta(minutes=10)  # one was due since, and had ten minutes
_VALID_SECONDS = 600


class NotSeenBack(Exception):
    """A text of our own was not answered in time."""


def check_line(line: Line, channel: Channel, now: datetime) -> bool:
    """Return whether a text was sent. Raises NotSeenBack for as long as no answer has been seen back for too long."""
    sent = False
    if _claimed(line, now):
        sent = _sent(line, channel, now)
    with line.db.read() as session:
        back = well_at(session, BACK)
    if back is not None and now - back > LATE:
        raise NotSeenBack
    return sent


def _claimed(line: Line, now: datetime) -> bool:
    """Whether this quarter of an hour is ours to see to: one process does, of however many."""
    with line.db.begin() as session:
        note(session, SENT, None, only_new=True)
        first_time(session, now)
        claimed = session.execute(
            update(JobHealth)
            .where(JobHealth.name == SENT, or_(JobHealth.ok_at.is_(None), JobHealth.ok_at < slot_of(now)))
            .values(ok_at=now)
            .returning(JobHealth.name)
        )
        return claimed.first() is not None


def _sent(line: Line, channel: Channel, now: datetime) -> bool:
    assert line.check_phone
    words = words_of(line, now)
    try:
        channel.send(Outgoing(line.check_number, words, None, line.check_phone, _VALID_SECONDS))
    except ChannelError as error:
        log.warning("a text of our own was not sent: %s", error.failure.next)
        return False
    if line.channel == "simulator":  # whose carrier carries only what goes out
        came = receive_text(line, InboundText(f"CHECK{words}", line.check_phone, line.check_number, words), now)
        for reply in came.replies:
            record_status(line, StatusReport("delivered", reply.token), now)
    return True
