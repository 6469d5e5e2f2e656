"""The assistant while a nurse has the conversation: it leaves questions to the nurse, and nothing else.

It comes last, after everything that nobody may miss: an emergency, an answer to what we asked, STOP, START and HELP are
decided before it and exactly as ever. What is about an emergency or a late refill is answered here too.
"""

from dataclasses import replace
from datetime import datetime, time, timedelta
from zoneinfo import ZoneInfo

from app.domain.conversation import Asked
from app.domain.effects import Decision, Effect, OpenTask, RecordHelped, Remember, Reply
from app.domain.turn import Turn
from faq.checks import URGENT_TOPICS
from scheduler.quiet_hours import local_instant

SHORTEST = timedelta(hours=1)
_QUESTIONS = frozenset({"choices", "more", "helped", "helped_said"})  # what only the assistant asks or offers
_LEFT_OUT = frozenset(
    {
        "menu",
        "text:choices",
        "text:more_none",
        "text:helped_yes",
        "text:helped_no",
        "text:unknown",
        "text:out_of_scope",
        "text:thanks",
    }
)
READ_BY_NURSE = "texted while a nurse has the conversation"


def paused_until(now: datetime, zone: ZoneInfo, day_ends: time) -> datetime:
    """Return until when a nurse who writes now has the conversation: the end of the clinic's day, an hour at least."""
    return max(local_instant(now.astimezone(zone).date(), day_ends, zone), now + SHORTEST)


def while_paused(decision: Decision, turn: Turn) -> Decision:
    """Take topic answers, menus and "did that help" out of a decision, and have a nurse read the text instead."""
    if not turn.sender.paused or _late_refill(decision):
        return decision
    kept = tuple(reply for reply in decision.replies if not _left_out(reply))
    if len(kept) == len(decision.replies):
        return decision
    silent = [reply for reply in decision.replies if _left_out(reply)]
    effects = tuple(
        effect
        for was in decision.effects
        if not isinstance(was, RecordHelped) and (effect := _as_it_was(was, turn.sender.asked)) is not None
    )
    trace = (*decision.trace, "A nurse has the conversation: not answered, left for the nurse")
    asks_nobody = all(reply.text_id == "text:thanks" for reply in silent)
    if not asks_nobody and not any(isinstance(effect, OpenTask) and effect.kind == "question" for effect in effects):
        effects = (*effects, OpenTask("question", "phone", READ_BY_NURSE))
    return replace(decision, replies=kept, effects=effects, trace=trace)


def _late_refill(decision: Decision) -> bool:
    return any(isinstance(effect, OpenTask) and effect.kind == "missed_refill" for effect in decision.effects)


def _left_out(reply: Reply) -> bool:
    kind, _, topic = reply.text_id.partition(":")
    if kind in ("answer", "more"):
        return topic not in URGENT_TOPICS
    return reply.text_id in _LEFT_OUT


def _as_it_was(effect: Effect, before: Asked) -> Effect | None:
    """Return the effect, without remembering a question that is not put now; None where nothing is left to remember."""
    if not isinstance(effect, Remember):
        return effect
    others = tuple(ask for ask in effect.asked.asks if ask.kind not in _QUESTIONS)
    asked = Asked((*others, *(ask for ask in before.asks if ask.kind in _QUESTIONS)))
    return None if set(asked.asks) == set(before.asks) else Remember(asked)
