"""Decide what one inbound text asks for. The order is the safety argument (docs/architecture.md)."""

import re
from collections.abc import Callable
from datetime import datetime

from app.domain.effects import (
    AcknowledgeAlert,
    Decision,
    Effect,
    OpenTask,
    OptIn,
    OptOut,
    RaiseAlert,
    Remember,
    RememberLanguage,
    Reply,
    Sender,
)
from app.domain.turn import Turn
from app.domain.visit_talk import answer_by_digit, confirm, next_visit, reschedule, running_late, task_about_visit
from faq.library import Library
from faq.understand import LATE_REFILL, Understanding

_URGENT_REASONS = {
    "alarm": "Pump alarm",
    "withdrawal": "Possible withdrawal",
    "overdose": "Possible overdose",
    "breathing": "Trouble breathing",
    "missed_refill_symptoms": "Missed refill with symptoms",
    "missed_refill": "Refill overdue",
    "infection_or_leak": "Possible infection or leak",
    "pump_trauma": "Blow to the pump, or a stopped pump",
    "self_harm": "May harm themselves",
}


def decide(
    understood: Understanding, text: str, sender: Sender, library: Library, now: datetime, *, media: int = 0
) -> Decision:
    """Return replies and effects for one text.

    First what nobody may miss (urgent), then what the law asks (opt-out), then what we asked, then keyword,
    question, and at last "a nurse will read this".
    """
    turn = Turn(text, understood, sender, library, now)
    if code := _alert_code(turn):
        reply = Reply("text:page_taken", (("code", code),))
        return Decision((reply,), (AcknowledgeAlert(code),), ("The on-call phone took the alert",))
    if sender.is_on_call and turn.is_code:  # taken meanwhile, or mistyped: say so, whatever else the digits could mean
        return Decision((Reply("text:page_code_unknown"),), trace=("No open alert has the code that was sent",))
    if understood.kind == "urgent":
        return _urgent(turn)
    if sender.is_on_call and sender.alert_codes and understood.intent in ("thanks", "confirm", None):
        return Decision((Reply("text:page_needs_code"),), trace=("An alert waits, and this is not its code",))
    if decision := _law(turn):
        return _with_picture(decision) if media else decision
    if sender.opted_out:
        task = OpenTask("call_instead", "phone", "opted out of texts, still texts: call")
        silent = Decision((), (task,), (turn.why, "No answer: this phone has opted out. A nurse is asked to call"))
        return _with_picture(silent) if media else silent
    decision = _answer(turn)
    return _with_media(decision, understood) if media else decision


def _alert_code(turn: Turn) -> str | None:
    if not turn.sender.is_on_call:
        return None
    numbers = set(re.findall(r"\d+", turn.text))
    return next((code for code in turn.sender.alert_codes if code in numbers), None)


def _urgent(turn: Turn) -> Decision:
    understood, sender = turn.understood, turn.sender
    category = understood.urgency.category if understood.urgency else "alarm"
    reason = _URGENT_REASONS.get(category, "Urgent text")
    effects: list[Effect] = [RaiseAlert(category, reason)]
    trace = [turn.why, f"Urgent ({reason.lower()}): emergency words first, and an alert for the nurses"]
    topic = understood.topic
    answer = turn.library.get(topic, understood.language) if topic else None
    if topic and answer and answer.more:
        effects.append(Remember(sender.asked.with_topic("more", (topic,), turn.now)))
    if understood.intent in ("reschedule", "cancel_appointment", "running_late"):
        effects.append(task_about_visit("asked for another time in an urgent text", sender))
        trace.append("It also asks for another time: a task for the nurses")
    replies = (Reply(f"text:urgent_{category}", urgent=True),)
    if understood.intent == "opt_out":  # the emergency words first; then what was asked for as well
        also = _opt_out(turn)
        return Decision((*replies, *also.replies), (*effects, *also.effects), (*trace, *also.trace[1:]))
    return Decision(replies, tuple(effects), tuple(trace))


def _opt_out(turn: Turn) -> Decision:
    trace = [turn.why, "Opted out: no reminder goes to this phone any more"]
    effects: list[Effect] = [OptOut("text")]
    for person in turn.sender.people:
        reason = "opted out of texts: call instead"
        effects.append(OpenTask("call_instead", f"patient:{person.patient_id}", reason, person.patient_id))
    if turn.sender.opted_out or (turn.understood.formal_opt_out and turn.sender.carrier_confirms_opt_out):
        trace.append("No answer from us: the carrier confirms this word, or it was confirmed before")
        return Decision((), tuple(effects), tuple(trace))
    return Decision((Reply("text:opted_out"),), tuple(effects), tuple(trace))


def _law(turn: Turn) -> Decision | None:
    """What must be honoured at once whoever asks: the way out, the way in, and who we are."""
    match turn.understood.intent:
        case "opt_out":
            return _opt_out(turn)
        case "opt_in":
            return _opt_in(turn.sender)
        case "help":
            return Decision((Reply("text:help"),), trace=(turn.why,))
    return None


def _opt_in(sender: Sender) -> Decision:
    if not sender.opted_out:
        return Decision((Reply("text:already_in"),), (OptIn("text"),), ("Opted in, as before",))
    return Decision((Reply("text:opted_in"),), (OptIn("text"),), ("Opted in again: texts may go to this phone",))


def _answer(turn: Turn) -> Decision:
    if by_digit := answer_by_digit(turn):
        return by_digit
    understood = turn.understood
    if understood.intent and (handler := _INTENTS.get(understood.intent)):
        return handler(turn)
    if understood.kind == "topic" and understood.topic:
        return _topic(turn, understood.topic)
    if understood.kind == "choices":
        return _choices(turn)
    return _unknown(turn)


def _topic(turn: Turn, topic: str) -> Decision:
    answer = turn.library.get(topic, turn.understood.language)
    if answer is None:
        return _unknown(turn)
    asked = turn.sender.asked.without(kind="choices")
    asked = asked.with_topic("more", (topic,), turn.now) if answer.more else asked.without(kind="more")
    effects: tuple[Effect, ...] = (Remember(asked),) if asked != turn.sender.asked else ()
    trace = (turn.why, f"Answer {topic}, version {answer.version}")
    if any(what == LATE_REFILL for what, _ in turn.understood.parts):  # no sign of harm yet, and no time to lose
        task = OpenTask("missed_refill", "phone", "texted that a refill is late: call today")
        return Decision((Reply(f"answer:{topic}"),), (*effects, task), (*trace, "A nurse is asked to call today"))
    return Decision((Reply(f"answer:{topic}"),), effects, trace)


def _choices(turn: Turn) -> Decision:
    topics = turn.understood.choices
    found = [(n, turn.library.get(topic, turn.understood.language)) for n, topic in enumerate(topics, 1)]
    options = ", ".join(f"{n} {answer.title}" for n, answer in found if answer)
    asked = turn.sender.asked.with_topic("choices", topics, turn.now)
    trace: tuple[str, ...] = (turn.why, "Not sure enough: asked which one")
    effects: tuple[Effect, ...] = (Remember(asked),)
    if not _ASKS.search(turn.text):  # it tells something, and a list of topics may miss what: a nurse reads it too
        effects = (*effects, OpenTask("question", "phone", "told us something that no reviewed answer clearly fits"))
        trace = (*trace, "It is no question: a nurse is asked to read it")
    return Decision((Reply("text:choices", (("options", options),)),), effects, trace)


def _unknown(turn: Turn) -> Decision:
    task = OpenTask("question", "phone", "a text that no reviewed answer fits")
    return Decision((Reply("text:unknown"),), (task,), (turn.why, "Said so, and asked a nurse to read it"))


def _more(turn: Turn) -> Decision:
    ask = turn.sender.asked.still(turn.now).last("more")
    topic = ask.topics[0] if ask and ask.topics else None
    answer = turn.library.get(topic, turn.understood.language) if topic else None
    if topic is None or answer is None or answer.more is None:
        return Decision((Reply("text:more_none"),), trace=("MORE, but nothing was asked about in the last day",))
    return Decision((Reply(f"more:{topic}"),), (), (f"More of the answer {topic}, version {answer.version}",))


def _menu(turn: Turn) -> Decision:
    return Decision((Reply("menu"),), trace=(turn.why,))


def _confirm(turn: Turn) -> Decision:
    return confirm(turn) or _unknown(turn)


def _thanks(turn: Turn) -> Decision:
    return Decision((Reply("text:thanks"),), trace=(turn.why,))


def _human(turn: Turn) -> Decision:
    task = OpenTask("human", "phone", "asked for a person")
    return Decision((Reply("text:human"),), (task,), (turn.why, "A nurse is asked to call"))


def _wrong_number(turn: Turn) -> Decision:
    task = OpenTask("wrong_number", "phone", "says this is a wrong number: check it before any further text")
    trace = (turn.why, "No more texts there; a nurse checks the number")
    return Decision((Reply("text:wrong_number"),), (OptOut("wrong number"), task), trace)


def _change_language(turn: Turn) -> Decision:
    task = OpenTask("human", "phone", "asked for another language")
    effects: tuple[Effect, ...] = (RememberLanguage(turn.understood.language), task)
    return Decision((Reply("text:language_not_yet"),), effects, (turn.why,))


_ASKS = re.compile(
    r"\?|^\W*(?:what|whats|how|hows|can|could|is|are|do|does|did|will|would|should|when|where|which|who|why|may|"
    r"que|como|cuando|puedo|donde|cual|quien)\b",
    re.IGNORECASE,
)
_INTENTS: dict[str, Callable[[Turn], Decision]] = {
    "more": _more,
    "menu": _menu,
    "confirm": _confirm,
    "reschedule": reschedule,
    "cancel_appointment": reschedule,
    "running_late": running_late,
    "when_is_my_refill": next_visit,
    "thanks": _thanks,
    "human": _human,
    "wrong_number": _wrong_number,
    "change_language": _change_language,
}


def _with_media(decision: Decision, understood: Understanding) -> Decision:
    """A picture always reaches a nurse; words beside it are answered as well."""
    if understood.kind == "unknown":  # nothing else to say than that a nurse will look
        return _with_picture(Decision((Reply("text:media"),), (), decision.trace))
    answered = _with_picture(decision)
    return Decision((*answered.replies, Reply("text:media")), answered.effects, answered.trace)


def _with_picture(decision: Decision) -> Decision:
    task = OpenTask("media", "phone", "sent a picture")
    trace = (*decision.trace, "A picture came with it: kept for a nurse")
    return Decision(decision.replies, (*decision.effects, task), trace)
