"""Take in the texts that the provider has and we never got: the service was down, or the webhook went elsewhere."""

import logging
from datetime import datetime, timedelta

from sqlalchemy import func, select

from app.actions.each import each
from app.actions.line import Line
from app.actions.line_check import is_check
from app.actions.receive_late import receive_late
from app.actions.receive_text import InboundText, Late, Media
from app.channels.base import Came, Channel, ChannelError
from app.channels.two_accounts import account_of, accounts_of
from app.db.messages import InboundMessage
from app.db.people import Clinic
from app.db.work import JobHealth
from app.domain.breaker import Via
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
    came, problem = _came(line, channel, since)
    ripe = [one for one in came if since <= one[1].at <= now - GRACE and not is_check(line, one[1])]
    with line.db.read() as session:
        query = select(InboundMessage.provider_id).where(
            InboundMessage.provider_id.in_([text.provider_id for _, text in ripe])
        )
        known = set(session.scalars(query))
    missed = {text.provider_id: (via, text) for via, text in ripe if text.provider_id not in known}
    taken = each(missed, "missed text", lambda provider_id: _take_in(line, *missed[provider_id], now))
    if problem:
        raise problem
    return taken


def _came(line: Line, channel: Channel, since: datetime) -> tuple[list[tuple[Via, Came]], ChannelError | None]:
    """Return what came in by each account, oldest first, and what was wrong where one could not be asked."""
    came: list[tuple[Via, Came]] = []
    problem = None
    # one account with two senders lists the texts to both
    accounts = accounts_of(channel) if line.second_account else {Via.FIRST: account_of(channel, Via.FIRST)}
    for via, account in accounts.items():
        try:
            came += [(via, text) for text in account.came_since(since)]
        except ChannelError as error:
            problem = error
    if line.second_sender and not line.second_account:
        came = [(Via.SECOND if text.recipient == line.second_sender else Via.FIRST, text) for _, text in came]
    return sorted(came, key=lambda one: (one[1].at, one[1].provider_id)), problem


def _since(line: Line, now: datetime) -> datetime | None:
    """Return from when on the provider is asked; None where there is no clinic yet."""
    with line.db.read() as session:
        made_at: datetime | None = session.scalar(select(func.min(Clinic.created_at)))
        ok_at: datetime | None = session.scalar(select(JobHealth.ok_at).where(JobHealth.name == JOB))
    if made_at is None:
        return None
    earliest = max(made_at, now - LOOK_BACK)
    return max(earliest, ok_at - OVERLAP) if ok_at else earliest


def _take_in(line: Line, via: Via, text: Came, now: datetime) -> bool:
    inbound = InboundText(
        provider_id=text.provider_id,
        sender=text.sender,
        recipient=text.recipient,
        body=text.body,
        media=tuple(Media("", "") for _ in range(text.media)),
        channel=line.channel,
        via=via,
    )
    with following(request_of(text.provider_id)):
        received = receive_late(line, inbound, now, Late(text.at))
        tell(log, "text taken in that the provider had", **received.for_log())
    return True
