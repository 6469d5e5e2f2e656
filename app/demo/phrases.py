"""What people text, and what the line makes of it: each phrase goes once through the real understanding."""

import json
from dataclasses import dataclass, field
from datetime import datetime
from random import Random

from app.actions.line import Line, voice_of
from app.actions.render import render_reply
from app.db.people import Clinic
from app.domain.effects import OpenTask, RaiseAlert, Remember, RememberLanguage, Sender
from app.domain.inbound import decide
from app.domain.texts import Rendered
from app.simulation.sayings import every
from faq.understand import Context, understand

_LIVED = ("question", "odd", "sorry", "change", "late")
_URGENT = ("urgent", "beeps")


@dataclass(frozen=True, slots=True)
class Phrase:
    """One text with what is kept about it. `task`: kind and reason of what it opens; `category`: of the alert."""

    body: str
    kind: str
    topic: str | None
    intent: str | None
    category: str | None
    trace: str
    replies: tuple[Rendered, ...]
    urgent: bool = False
    task: tuple[str, str] | None = None
    reason: str = ""


@dataclass(slots=True)
class Phrases:
    """By language: what was answered at once, what a nurse had to see to, and what raised an alert."""

    answered: dict[str, list[Phrase]] = field(default_factory=dict)
    asked: dict[str, list[Phrase]] = field(default_factory=dict)
    urgent: dict[str, list[Phrase]] = field(default_factory=dict)

    def draw(self, which: str, language: str, chance: Random) -> Phrase:
        by_language: dict[str, list[Phrase]] = getattr(self, which)
        return chance.choice(by_language.get(language) or by_language["en"])


def read_phrases(line: Line, clinic: Clinic, now: datetime) -> Phrases:
    """Read the questions of the answer files and the sayings of the simulation."""
    found = Phrases()
    for language, body in _bodies(line):
        phrase = _phrase(line, clinic, language, body, now)
        if phrase is None:
            continue
        kept = found.urgent if phrase.category else found.asked if phrase.task else found.answered
        kept.setdefault(language, []).append(phrase)
    return found


def _bodies(line: Line) -> list[tuple[str, str]]:
    said = [one for what in (*_LIVED, *_URGENT) for one in every(what)]
    library = line.words.library
    for language in sorted(library.answers):
        for _, answer in sorted(library.answers[language].items()):
            said += [(language, phrase) for phrase in answer.phrases]
    return list(dict.fromkeys(said))


def _phrase(line: Line, clinic: Clinic, language: str, body: str, now: datetime) -> Phrase | None:
    """Return what the line makes of it; None where that hangs on more than the words."""
    library = line.words.library
    understood = understand(body, Context(language=language), library)
    decision = decide(understood, body, Sender(language=language), library, now)
    alert = next((effect for effect in decision.effects if isinstance(effect, RaiseAlert)), None)
    task = next((effect for effect in decision.effects if isinstance(effect, OpenTask)), None)
    others = [e for e in decision.effects if not isinstance(e, RaiseAlert | OpenTask | Remember | RememberLanguage)]
    if others or len(decision.replies) != 1 or (task is not None and task.subject != "phone"):
        return None
    reply = decision.replies[0]
    replies = render_reply(
        reply,
        line.words,
        voice_of(clinic),
        understood.language,
        paged=False,
        visits=(),
        asks={},
        shared=False,
        link="",
    )
    if len(replies) != 1 or understood.intent == "when_is_my_refill":  # by the visits that are booked
        return None
    return Phrase(
        body,
        understood.kind,
        understood.topic,
        understood.intent,
        alert.category if alert else None,
        json.dumps(decision.trace),
        replies,
        urgent=reply.urgent,
        task=(task.kind, task.reason) if task and not alert else None,
        reason=alert.reason if alert else "",
    )
