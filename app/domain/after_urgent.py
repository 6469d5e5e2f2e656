"""What a phone is told in the hours after an urgent text, when its next words say nothing clear."""

from app.domain.conversation import SELF_HARM
from app.domain.crisis import crisis_line
from app.domain.effects import Decision, OpenTask, RaiseAlert, Reply
from app.domain.turn import Turn

_SURE_WHILE_URGENT = 0.9
_REACHING = frozenset({"human", "wrong_number", "help"})  # "is anyone there", "what now"
_AFTER_SELF_HARM = frozenset({"yes", "no", "thanks"})
_ASKED_FOR_BY_NAME = frozenset({"HELP", "INFO", "AYUDA"})


def while_urgent(turn: Turn) -> Decision | None:
    """What comes soon after an urgent text and is nothing clear: not "when we are open", and no topic by likeness.

    Nobody who spoke of self-harm is taken for a wrong number, or left without the crisis line.
    """
    understood = turn.understood
    if turn.sender.asked.still(turn.now).last("urgent") is None:
        return None
    self_harm = spoke_of_self_harm(turn)
    unclear = understood.kind in ("unknown", "choices") and (self_harm or understood.unknown_because != "dose")
    likeness = understood.kind == "topic" and understood.confidence < _SURE_WHILE_URGENT
    reaching = understood.intent in (_REACHING | (_AFTER_SELF_HARM if self_harm else frozenset()))
    reaching = reaching and turn.text.strip().upper() not in _ASKED_FOR_BY_NAME
    if not (unclear or likeness or reaching):
        return None
    task = OpenTask("question", "phone", "texted again after an urgent text")
    trace = (turn.why, "An urgent text came before: told to call now, and a nurse is asked to read it")
    if self_harm:
        alert = RaiseAlert(SELF_HARM, "Texted again after words of self-harm")
        return Decision((crisis_words(turn),), (alert,), (turn.why, "Words of self-harm came before: said again"))
    return Decision((Reply("text:triage_call", tells_nurse=False, fill=(("told", ""),)),), (task,), trace)


def spoke_of_self_harm(turn: Turn) -> bool:
    urgent = turn.sender.asked.still(turn.now).last("urgent")
    return urgent is not None and SELF_HARM in urgent.topics


def crisis_words(turn: Turn) -> Reply:
    return Reply(f"text:{urgent_text(SELF_HARM, turn.sender.country)}", urgent=True)


def urgent_text(category: str, country: str) -> str:
    if category != "self_harm":
        return f"urgent_{category}"
    line = crisis_line(country)
    return "urgent_self_harm_local" if line is None else "urgent_self_harm" if line.texts else "urgent_self_harm_call"
