"""Ask an account that fails how it is; once it answers, a routine text tries it, and texts leave by it again."""

from datetime import datetime

from app.actions.line import Line
from app.actions.ways import note_success
from app.channels.base import Channel, ChannelError
from app.channels.two_accounts import accounts_of
from app.db.provider_account import all_breakers, change_breaker, sender_of
from app.domain.breaker import Via, after_asking


def hand_back(line: Line, channel: Channel, now: datetime) -> int:
    """Return how many of the accounts that fail answered. No patient's text is risked to find out.

    A clinic's own sender cannot be asked: when its time has come, a routine text tries it.
    """
    with line.db.read() as session:
        known = all_breakers(session)
    asked = [via for via, breaker in known.accounts.items() if breaker.is_asked(now)]
    own = [clinic_id for clinic_id, breaker in known.own.items() if breaker.is_asked(now)]
    for clinic_id in own:
        with line.db.begin() as session:
            change_breaker(session, sender_of(clinic_id), lambda breaker: after_asking(breaker, now, answered=True))
    accounts = accounts_of(channel)
    return sum(_ask(line, via, accounts[via], now) for via in asked if via in accounts)


def _ask(line: Line, via: Via, account: Channel, now: datetime) -> bool:
    try:
        account.check_credentials()
        answered = True
    except ChannelError:
        answered = False
    with line.db.begin() as session:
        change_breaker(session, via, lambda breaker: after_asking(breaker, now, answered=answered))
        if answered and via is Via.SECOND:  # no text need try it: none leaves by it while the first one is well
            note_success(session, (via,), now)
    return answered
