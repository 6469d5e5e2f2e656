"""Decide what one inbound text asks for. The order is the safety argument (docs/architecture.md)."""

import re
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime

from app.domain import care_talk, helped, triage
from app.domain.after_urgent import crisis_words, spoke_of_self_harm, urgent_text, while_urgent
from app.domain.conversation import OF_THE_PUMP, SELF_HARM
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
from app.domain.paused import while_paused
from app.domain.turn import Turn
from app.domain.visit_talk import answer_by_digit, confirm, next_visit, reschedule, running_late, task_about_visit
from faq.checks import URGENT_TOPICS
from faq.language import clear, wanted
from faq.library import FALLBACK, Library
from faq.meaning import LATE_REFILL, Understanding

URGENT_REASONS = {
    "alarm": "Pump alarm",
    "withdrawal": "Possible withdrawal",
    "overdose": "Possible overdose",
    "breathing": "Trouble breathing",
    "missed_refill_symptoms": "Missed refill with symptoms",
    "missed_refill": "Refill overdue",
    "infection_or_leak": "Possible infection or leak",
    "pump_trauma": "Blow to the pump, or a stopped pump",
    "self_harm": "May harm themselves",
    "scan_unchecked": "A scan, and the pump was not checked since",
}


def decide(
    understood: Understanding,
    text: str,
    sender: Sender,
    library: Library,
    now: datetime,
    *,
    media: int = 0,
    room_to_ask: Callable[[str], bool] = lambda _: False,
) -> Decision:
    """Return replies and effects for one text. `room_to_ask`: whether "did that help" fits behind a topic's answer.

    First what nobody may miss (urgent), then what the law asks (opt-out), then what we asked, then keyword,
    question, and at last "a nurse will read this".
    """
    turn = Turn(text, understood, sender, library, now, room_to_ask)
    if code := _alert_code(turn):
        reply = Reply("text:page_taken", (("code", code),))
        return Decision((reply,), (AcknowledgeAlert(code),), ("The on-call phone took the alert",))
    if sender.is_on_call and turn.is_code:  # taken meanwhile, or mistyped: say so, whatever else the digits could mean
        return Decision((Reply("text:page_code_unknown"),), trace=("No open alert has the code that was sent",))
    if harmed := care_talk.harm(turn):
        return _with_picture(harmed) if media else harmed
    if understood.kind == "urgent":
        return _urgent(turn)
    if sender.is_on_call and sender.alert_codes and understood.intent in ("thanks", "confirm", None):
        return Decision((Reply("text:page_needs_code"),), trace=("An alert waits, and this is not its code",))
    if narrowed := _triaged(turn):
        return _with_picture(narrowed) if media else narrowed
    if answered := care_talk.answer(turn):
        if sender.opted_out:  # what they answered counts; only what may save somebody is said
            answered = replace(answered, replies=tuple(reply for reply in answered.replies if reply.urgent))
        return _with_picture(answered) if media else answered
    if reassured := while_urgent(turn):
        return _with_picture(reassured) if media else reassured
    if decision := _law(turn):
        return _with_picture(decision) if media else decision
    if sender.opted_out:
        task = OpenTask("call_instead", "phone", "opted out of texts, still texts: call")
        silent = Decision((), (task,), (turn.why, "No answer: this phone has opted out. A nurse is asked to call"))
        return _with_picture(silent) if media else silent
    decision = _remembering(while_paused(_answer(turn), turn), turn)
    return _with_media(decision, understood) if media else decision


def _remembering(decision: Decision, turn: Turn) -> Decision:
    """Keep the language of a text that is clearly in it: reminders follow."""
    language, sender = turn.understood.language, turn.sender
    switched = any(isinstance(effect, RememberLanguage) for effect in decision.effects)
    if switched or language == (sender.language or FALLBACK) or language not in turn.library.languages:
        return decision
    first = sender.language is None and language != FALLBACK  # nothing known yet: a word may tell
    if not first and not clear(turn.text, language):
        return decision
    return replace(decision, effects=(*decision.effects, RememberLanguage(language)))


def _triaged(turn: Turn) -> Decision | None:
    """An answer to a question about an emergency, where that was the question put last; opted out or not.

    Words that are neither an answer nor a wish have it put again.
    """
    live = turn.sender.asked.still(turn.now)
    asks = (
        ask
        for ask in live.asks
        if ask.kind in ("triage", "helped") or (ask.kind in OF_THE_PUMP and not ask.beside_triage)
    )
    newest = max(asks, key=lambda a: a.asked_at, default=None)
    if newest is None or newest.kind != "triage":
        return None
    if turn.understood.intent in ("yes", "no"):
        return triage.answer(turn)
    unclear = turn.understood.intent is None and turn.understood.kind in ("unknown", "choices")
    if not unclear or turn.understood.unknown_because == "dose":
        return None
    if care_talk.answer(turn) or answer_by_digit(turn):  # a digit of another question, put meanwhile
        return None
    return triage.again(turn)


def _alert_code(turn: Turn) -> str | None:
    if not turn.sender.is_on_call:
        return None
    numbers = set(re.findall(r"\d+", turn.text))
    return next((code for code in turn.sender.alert_codes if code in numbers), None)


def _urgent(turn: Turn) -> Decision:
    understood, sender = turn.understood, turn.sender
    category = understood.urgency.category if understood.urgency else "alarm"
    reason = URGENT_REASONS.get(category, "Urgent text")
    effects: list[Effect] = [RaiseAlert(category, reason)]
    trace = [turn.why, f"Urgent ({reason.lower()}): emergency words first, and an alert for the nurses"]
    topic = understood.topic
    answer = turn.library.get(topic, understood.language) if topic else None
    asked = helped.not_today(sender.asked.without("triage"), turn)  # an urgent text interrupts anything
    vague = understood.urgency is not None and understood.urgency.vague and category in _NARROWED
    crisis = vague and spoke_of_self_harm(turn)  # "nobody is calling me": the crisis line again
    vague = vague and not crisis
    if topic and answer and answer.more and not vague:
        asked = asked.with_topic("more", (topic,), turn.now)
    if vague:
        asked = triage.begin(asked, turn)
        trace.append("It may be an emergency, but not which: one question at a time")
    effects.append(Remember(asked.with_urgent(turn.now, category)))
    if understood.language != (sender.language or FALLBACK) and understood.language in turn.library.languages:
        effects.append(RememberLanguage(understood.language))  # what follows is asked in the same language
    if understood.intent in ("reschedule", "cancel_appointment", "running_late"):
        effects.append(task_about_visit("asked for another time in an urgent text", sender))
        trace.append("It also asks for another time: a task for the nurses")
    name = "urgent_vague" if vague else urgent_text(SELF_HARM if crisis else category, sender.country)
    replies = (Reply(f"text:{name}", urgent=True, adds=f"triage_{triage.QUESTIONS[0].name}" if vague else ""),)
    if understood.intent == "opt_out":  # the emergency words first; then what was asked for as well
        also = _opt_out(turn)
        return Decision((*replies, *also.replies), (*effects, *also.effects), (*trace, *also.trace[1:]))
    return Decision(replies, tuple(effects), tuple(trace))


# Where the words for the likeliest danger could be the wrong ones. Harm to oneself and breathing never wait.
_NARROWED = frozenset({"withdrawal", "overdose", "alarm", "infection_or_leak", "pump_trauma"})


# One word, and by the carriers' rule an opt-out, whatever was meant. A visit that is booked stays booked.
_CANCEL_ALONE = re.compile(r"\W*(?:cancel|cancela|cancelar)\W*", re.IGNORECASE)


def _opt_out(turn: Turn) -> Decision:
    trace = [turn.why, "Opted out: no reminder goes to this phone any more"]
    effects: list[Effect] = [OptOut("text")]
    meant_the_visit = _CANCEL_ALONE.fullmatch(turn.text) is not None
    for person in turn.sender.people:
        reason = "opted out, or meant the visit?: call" if meant_the_visit else "opted out of texts: call instead"
        effects.append(OpenTask("call_instead", f"patient:{person.patient_id}", reason, person.patient_id))
    if turn.sender.opted_out or (turn.understood.formal_opt_out and turn.sender.carrier_confirms_opt_out):
        trace.append("No answer from us: the carrier confirms this word, or it was confirmed before")
        return Decision((), tuple(effects), tuple(trace))
    return Decision((Reply("text:opted_out"),), tuple(effects), tuple(trace))


def _law(turn: Turn) -> Decision | None:
    """What must be honoured at once whoever asks: the way out, the way in, and who we are."""
    match turn.understood.intent:
        case "opt_out":
            stopped = _opt_out(turn)
            if spoke_of_self_harm(turn):  # the way out is honoured, and the crisis line said once more
                return replace(stopped, replies=(crisis_words(turn), *stopped.replies))
            return stopped
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
    understood = turn.understood
    if understood.intent in ("yes", "no"):
        return helped.answer(turn) or _unknown(turn)
    if by_digit := answer_by_digit(turn):
        return by_digit
    if understood.intent and (handler := _INTENTS.get(understood.intent)):
        return _and_the_question(handler(turn), turn)
    if understood.kind == "topic" and understood.topic:
        return _and_the_wish(_topic(turn, understood.topic), turn)
    if understood.kind == "choices":
        return _choices(turn)
    return _unknown(turn)


def _topic(turn: Turn, topic: str) -> Decision:
    answer = turn.library.get(topic, turn.understood.language)
    if answer is None:
        return _unknown(turn)
    if turn.understood.follow_up:
        return _more(turn) if answer.more else _unknown(turn)
    late = any(what == LATE_REFILL for what, _ in turn.understood.parts)
    ask = topic not in URGENT_TOPICS and not late and turn.room_to_ask(topic) and helped.may_ask(turn)
    asked = turn.sender.asked.without("choices")
    asked = asked.with_topic("more", (topic,), turn.now) if answer.more else asked.without("more")
    asked = helped.asking(asked, turn, topic) if ask else asked
    effects: tuple[Effect, ...] = (Remember(asked),) if asked != turn.sender.asked else ()
    trace = (turn.why, f"Answer {topic}, version {answer.version}")
    if late:  # no sign of harm yet, and no time to lose
        task = OpenTask("missed_refill", "phone", "texted that a refill is late: call today")
        return Decision((Reply(f"answer:{topic}"),), (*effects, task), (*trace, "A nurse is asked to call today"))
    return Decision((Reply(f"answer:{topic}", adds="helped_ask" if ask else ""),), effects, trace)


def _and_the_question(decision: Decision, turn: Turn) -> Decision:
    """A wish with a question beside it: both are answered."""
    topic = turn.understood.topic
    if turn.understood.intent == "more" or topic is None or turn.library.get(topic, turn.understood.language) is None:
        return decision
    trace = (*decision.trace, f"It also asks about {topic}: answered too")
    return Decision((*decision.replies, Reply(f"answer:{topic}")), decision.effects, trace)


def _and_the_wish(decision: Decision, turn: Turn) -> Decision:
    """A question with a wish beside it: a nurse sees to the wish."""
    wishes = [what for what, _ in turn.understood.parts if what in _WISHES]
    if not wishes:
        return decision
    tasks = tuple(task_about_visit(_WISHES[what], turn.sender) for what in wishes)
    trace = (*decision.trace, "It also asks for something else: a nurse is told")
    return Decision((*decision.replies, Reply(_TOLD_OF_WISH)), (*decision.effects, *tasks), trace)


_TOLD_OF_WISH = "text:human"
_WISHES = {
    "reschedule": "asked for another time, beside a question",
    "cancel_appointment": "asked to cancel a visit, beside a question",
    "running_late": "is running late, and has a question",
    "when_is_my_refill": "asked when the refill is, beside a question",
    "human": "asked for a person, beside a question",
}


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
    name, reason = _UNKNOWN[turn.understood.unknown_because]
    task = OpenTask("question", "phone", reason)
    return Decision((Reply(f"text:{name}"),), (task,), (turn.why, "Said so, and asked a nurse to read it"))


_UNKNOWN = {
    "": ("unknown", "a text that no reviewed answer fits"),
    "dose": ("dose_request", "asked for a dose or a pump setting"),
    "scope": ("out_of_scope", "a text that is not about a pump"),
}


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
    if turn.sender.people and _WHO_IS_THIS.match(turn.text):  # a patient who does not know our number: say who we are
        return Decision((Reply("text:help"),), trace=(turn.why, "A phone we know asks who we are: told"))
    task = OpenTask("wrong_number", "phone", "says this is a wrong number: check it before any further text")
    trace = (turn.why, "No more texts there; a nurse checks the number")
    return Decision((Reply("text:wrong_number"),), (OptOut("wrong number"), task), trace)


_WHO_IS_THIS = re.compile(
    r"\W*(?:(?:hi|hello|hola|sorry|perdon|excuse me) *,? *)?(?:who(?: is|'s|s)? (?:this|dis|texting\w*|are you)|"
    r"(?:con )?qui[eé]n (?:es|habla|me escribe|hablo))\b[^.!?]{0,12}[.!?]*\s*$",
    re.IGNORECASE,
)


def _change_language(turn: Turn) -> Decision:
    """Switch where we have the language; else a nurse is told."""
    language = wanted(turn.text, turn.understood.language)
    if language in turn.library.languages:
        trace = (turn.why, f"Texts go out in {language} from now on")
        return Decision((Reply("text:language_set", language=language),), (RememberLanguage(language),), trace)
    task = OpenTask("human", "phone", "asked for another language")
    return Decision((Reply("text:language_not_yet"),), (task,), (turn.why, "A nurse is told"))


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
