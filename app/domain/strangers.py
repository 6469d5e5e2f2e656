"""How much the line says to phones that are nobody's: enough for a person who asks, too little to earn money with.

Some networks pay whoever makes us text their numbers. So a phone that belongs to no patient is answered only in the
clinic's countries, so many times a day, and all such phones together so many times an hour. No bound counts for a
patient or a carer, for the on-call phone, for an emergency in those countries, or for whoever opts out. An emergency
from another country gets its words within those numbers: a patient may travel with a phone that we do not know.
"""

from dataclasses import dataclass, replace

from app.domain.effects import Decision, OpenTask, RaiseAlert, Reply, Sender
from app.domain.phone import countries_named, is_ordinary, may_be_texted

LINE_IS_FULL = "many unknown phones text today, answers to them have stopped: tell whoever runs this line"
WROTE_MUCH = "wrote more today than an unknown phone is answered: read it"
FROM_ABROAD = "texts from a country that this line does not text, and got no answer: call"
ANSWERED_ABROAD = "an emergency from a country that this line does not text: it got the emergency words, call"


@dataclass(frozen=True)
class Bounds:
    """`countries`: ISO codes. The rest: answers to one unknown phone in a day, and to all of them in an hour."""

    countries: frozenset[str] = countries_named("US")
    a_day: int = 10
    an_hour: int = 100


def is_bounded(sender: Sender) -> bool:
    return not sender.people and not sender.is_on_call


def bounded(
    decision: Decision, number: str, bounds: Bounds, *, in_danger: bool, today: int, this_hour: int
) -> Decision:
    """Return what is left of a decision about an unknown phone, and what a nurse is asked to do instead.

    `in_danger`: it spoke of an emergency lately. `today`, `this_hour`: answers that went to it, and to all like it.
    What was decided beside the answers stays: an alert is raised wherever it came from.
    """
    if not decision.replies:
        return decision
    if not may_be_texted(number, bounds.countries):
        room = today < bounds.a_day and this_hour < bounds.an_hour and is_ordinary(number)
        said = tuple(reply for reply in decision.replies if room and (reply.urgent or in_danger))
        urgent = any(isinstance(effect, RaiseAlert) for effect in decision.effects)
        call = OpenTask("call_instead", "phone", ANSWERED_ABROAD if said else FROM_ABROAD)
        why = "Only what an emergency is told" if said else "No answer"
        why = f"{why}: not a number of the countries that this line texts"
        return _without(decision, said, why, (call,) if urgent else ())
    if in_danger:
        return decision
    kept = tuple(reply for reply in decision.replies if reply.urgent or reply.text_id == "text:opted_out")
    if len(kept) == len(decision.replies):
        return decision
    if today >= bounds.a_day:
        reads = OpenTask("question", "phone", WROTE_MUCH)
        return _without(decision, kept, "No answer: this unknown phone was answered often enough today", (reads,))
    if this_hour >= bounds.an_hour:
        told = OpenTask("question", "unknown phones", LINE_IS_FULL)
        reads = OpenTask("question", "phone", "an unknown phone that got no answer: read it")
        return _without(decision, kept, "No answer: unknown phones were answered too often this hour", (told, reads))
    return decision


def _without(decision: Decision, kept: tuple[Reply, ...], why: str, tasks: tuple[OpenTask, ...]) -> Decision:
    held = {(effect.kind, effect.subject) for effect in decision.effects if isinstance(effect, OpenTask)}
    new = tuple(task for task in tasks if (task.kind, task.subject) not in held)
    return replace(decision, replies=kept, effects=(*decision.effects, *new), trace=(*decision.trace, why))
