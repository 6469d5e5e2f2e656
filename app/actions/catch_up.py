"""Take in the texts that the provider has and we never got: the service was down, or the webhook went elsewhere."""

import logging
from datetime import datetime, timedelta

from sqlalchemy import func, select

from app.actions.each import each
from app.actions.line import Line
from app.actions.line_check import is_check
from app.actions.receive_text import InboundText, Late, Media, receive_text
from app.channels.base import Came, Channel
from app.db.messages import InboundMessage
from app.db.people import Clinic
from app.db.work import JobHealth
from app.logs import following, request_of, tell

log = logging.getLogger(__name__)
LOOK_BACK = timedelta(hours=24)  # beyond it a person calls: an answer would no longer help
OVERLAP = timedelta(minutes=15)  # the provider's list may lag behind
GRACE = timedelta(minutes=2)  # until then a webhook may still be on its way
JOB = "catch_up"


def catch_up(line: Line, channel: Channel, now: datetime) -> int:
    """Return how many were taken in, oldest first; their answers say that they are late, urgent ones raise alerts.

    Raises ChannelError where the provider cannot be asked, SomeFailed where one could not be taken in: the job has
    failed then, and looks as far back again. Never before the clinic was there: an older text
    was somebody else's to answer.
    """
    since = _since(line, now)
    if since is None:
        return 0
    came = sorted(channel.came_since(since), key=lambda text: (text.at, text.provider_id))
    ripe = [text for text in came if text.at >= since and text.at <= now - GRACE and not is_check(line, text)]
    with line.db.read() as session:
        query = select(InboundMessage.provider_id).where(
            InboundMessage.provider_id.in_([text.provider_id for text in ripe])
        )
        known = set(session.scalars(query))
    missed = {text.provider_id: text for text in ripe if text.provider_id not in known}
    return each(missed, "missed text", lambda provider_id: _take_in(line, missed[provider_id], now))


def _since(line: Line, now: datetime) -> datetime | None:
    """Return from when on the provider is asked; None where there is no clinic yet."""
    with line.db.read() as session:
        made_at: datetime | None = session.scalar(select(func.min(Clinic.created_at)))
        ok_at: datetime | None = session.scalar(select(JobHealth.ok_at).where(JobHealth.name == JOB))
    if made_at is None:
        return None
    earliest = max(made_at, now - LOOK_BACK)
    return max(earliest, ok_at - OVERLAP) if ok_at else earliest


def _take_in(line: Line, text: Came, now: datetime) -> bool:
    inbound = InboundText(
        provider_id=text.provider_id,
        sender=text.sender,
        recipient=text.recipient,
        body=text.body,
        media=tuple(Media("", "") for _ in range(text.media)),
        channel=line.channel,
    )
    with following(request_of(text.provider_id)):
        received = receive_text(line, inbound, now, late=Late(text.at))
        tell(log, "text taken in that the provider had", **received.for_log())
    return True
