"""Texts of which the provider reports nothing: when to ask it, until when, and what may last how long."""

from datetime import timedelta

from app.domain.delivery import DeliveryState

SILENT_FOR = timedelta(seconds=60)  # reports come within seconds, or something is wrong
LEAST_APART = timedelta(minutes=1)
MOST_APART = timedelta(hours=1)
CLOCKS_APART = timedelta(minutes=90)  # so far our clock may have been ahead when a text was made, set an hour wrong
PERSON_AFTER = timedelta(minutes=15)  # a safety text of which nothing is known by then is a nurse's work
ASK_UNTIL = timedelta(hours=24)  # a provider's queue holds a text for ten hours at most; then carriers have their day
ANSWER_HELPS = timedelta(hours=1)  # an answer to a text, sent again; later it would surprise
SAFETY_HELPS = timedelta(hours=24)

# How long a text may stay in a state before something must have come of it; `pumpline messages stuck`.
MAY_LAST = {
    DeliveryState.QUEUED: timedelta(minutes=10),  # beyond its time
    DeliveryState.SENDING: timedelta(minutes=5),
    DeliveryState.UNKNOWN: ASK_UNTIL + MOST_APART,
    DeliveryState.HANDED_OVER: ASK_UNTIL + MOST_APART,
    DeliveryState.ACCEPTED: ASK_UNTIL + MOST_APART,
    DeliveryState.SENT: ASK_UNTIL + MOST_APART,
}


def ask_again_in(age: timedelta) -> timedelta:
    """Return how long to wait before the next question about a text of this age: ever longer, at most an hour."""
    return min(max(age, LEAST_APART), MOST_APART)


def still_helps(age: timedelta, *, urgent: bool) -> bool:
    """Whether an answer that never left is still worth sending as a text of its own."""
    return age <= (SAFETY_HELPS if urgent else ANSWER_HELPS)
