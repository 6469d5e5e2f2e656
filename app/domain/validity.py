"""How long each kind of text still helps: after that it is not sent, and a person is told instead.

Counted from when it was to leave. Twilio is given what is left of it (docs/messaging.md), and its queue holds a text
for ten hours at most: old advice does not come out of there either.
"""

from datetime import timedelta

from app.domain.silence import SAFETY_HELPS

# by purpose (app.db.messages.Purpose); whoever knows better says so: a reminder ends with its visit
HELPS = {
    "reply": timedelta(hours=4),  # an answer that comes late says to which text; later than this it only confuses
    "reminder": timedelta(days=1),
    "missed": timedelta(days=1),  # the next step of the ladder comes then
    "page": timedelta(minutes=10),  # comes again every few minutes until somebody acknowledges
    "staff": timedelta(hours=12),  # written about today
    "book": timedelta(days=2),
    "check_in": timedelta(days=1),
}


def helps_for(purpose: str, *, urgent: bool) -> timedelta:
    """Return how long a text of this purpose helps; a safety text never less than a day."""
    helps = HELPS[purpose]
    return max(helps, SAFETY_HELPS) if urgent and purpose != "page" else helps
