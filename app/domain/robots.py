"""Two machines that answer each other: the line stops after a few turns, and a person reads what came.

A patient's phone may answer by itself ("I'm driving and will call you back"), and so may whoever has the number now.
Such a machine says the same words each time, or never tires. People repeat themselves too, so what is short is no sign
(a keyword, the answer to what we asked); while an emergency is under way more is borne, and no day's count holds; and
safety texts and opting out are answered whatever was said before. Only the eleventh answer to the very same words,
within a minute of the tenth, is left out.
"""

from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from app.domain.effects import Decision, OpenTask

SAME_WORDS = 3  # answers to the same words, one text after another
SAME_WORDS_IN_DANGER = 10
LEAST_CHARACTERS = 12
WITHIN = timedelta(hours=24)
APART_IN_A_LOOP = timedelta(minutes=1)  # safety words that were said ten times already
A_MACHINE = "texts the same words again and again, perhaps by itself, and is no longer answered: read it, call"
WROTE_MUCH = "texted more today than is answered by itself: read it, call"


@dataclass(frozen=True)
class Before:
    """What came from this phone within a day before this text: how many texts in a row said the same, when the last of
    all came, and how many answers went out."""

    same: int = 0
    last_at: datetime | None = None
    answers: int = 0


def may_loop(text: str) -> bool:
    return len(text.strip()) >= LEAST_CHARACTERS


def without_loops(decision: Decision, before: Before, a_day: int, now: datetime, *, in_danger: bool) -> Decision:
    """Return what is left of a decision about a phone that may be a machine. `a_day`: answers at most, 0 for no limit.

    What was decided beside the answers stays: an alert is raised however often its words came.
    """
    loops = before.same >= (SAME_WORDS_IN_DANGER if in_danger else SAME_WORDS)
    much = bool(a_day) and before.answers >= a_day and not in_danger
    if not decision.replies or not (loops or much):
        return decision
    at_once = before.last_at is not None and now - before.last_at < APART_IN_A_LOOP
    unending = before.same >= SAME_WORDS_IN_DANGER and at_once
    kept = tuple(
        reply for reply in decision.replies if reply.text_id == "text:opted_out" or (reply.urgent and not unending)
    )
    if len(kept) == len(decision.replies):
        return decision
    task = OpenTask("question", "phone", A_MACHINE if loops else WROTE_MUCH)
    held = {(effect.kind, effect.subject) for effect in decision.effects if isinstance(effect, OpenTask)}
    new = () if (task.kind, task.subject) in held else (task,)
    why = "No answer: the same words came again and again" if loops else "No answer: answered often enough today"
    return replace(decision, replies=kept, effects=(*decision.effects, *new), trace=(*decision.trace, why))
