"""Answers to what we asked about the pump itself: a visit to book, a miss, how somebody is, a scan.

Each question has digits of its own, so that a carer of two patients can answer both. An answer that may mean harm is
heard before anything else in the same words.
"""

from app.domain import answers, triage
from app.domain.conversation import OF_THE_PUMP, Ask, Asked
from app.domain.effects import (
    Decision,
    Effect,
    OpenTask,
    RaiseAlert,
    RecordCheckIn,
    RecordScan,
    RecordWhy,
    Remember,
    Reply,
)
from app.domain.turn import Turn
from app.domain.why_missed import REASONS

_OTHERS = ("confirm", "choices", "triage", "helped")  # what else a digit may answer


def harm(turn: Turn) -> Decision | None:
    """Return what an answer leads to that may mean harm: heard before anything else in the same words."""
    decision = answer(turn)
    alerts = decision is not None and any(isinstance(effect, RaiseAlert) for effect in decision.effects)
    return decision if alerts else None


def answer(turn: Turn) -> Decision | None:
    """Return what a text answers, where the newest question that it fits is one of these: a digit with at most a few
    words of courtesy, or the words that a question of this kind is answered with."""
    live = turn.sender.asked.still(turn.now)
    mine = sorted((ask for ask in live.asks if ask.kind in OF_THE_PUMP), key=lambda ask: ask.asked_at, reverse=True)
    digit = answers.digit(turn.text)
    if digit is None:
        newest = max(live.asks, key=lambda ask: ask.asked_at, default=None)
        for ask in mine:
            place = answers.place(ask.kind, turn.text, newest=ask == newest)
            if place is not None:
                return _answered(turn, ask, place)
        return None
    newer = max((ask.asked_at for ask in live.asks if ask.kind in _OTHERS and _takes(ask, digit)), default=None)
    for ask in mine:
        if not 0 <= digit - ask.digit < OF_THE_PUMP[ask.kind]:
            continue
        if newer is not None and newer > ask.asked_at:
            return None
        return _answered(turn, ask, digit - ask.digit)
    return None


def _takes(ask: Ask, digit: int) -> bool:
    if ask.kind == "confirm":
        return digit in (ask.digit, ask.digit + 1)
    return digit <= len(ask.topics) if ask.kind == "choices" else digit in (1, 2)


def _answered(turn: Turn, ask: Ask, place: int) -> Decision:
    match ask.kind:
        case "book":
            return _book(turn, ask)
        case "why":
            return _why(turn, ask, REASONS[place])
        case "checkin":
            return _check_in(turn, ask, place)
        case _:
            return _scan(turn, ask, checked=place == 0)


def _without(turn: Turn, ask: Ask) -> Asked:
    return Asked(tuple(other for other in turn.sender.asked.asks if other != ask))


def _book(turn: Turn, ask: Ask) -> Decision:
    task = OpenTask("reschedule", f"patient:{ask.patient_id}", "wants to book a visit: call", ask.patient_id)
    effects: tuple[Effect, ...] = (task, Remember(_without(turn, ask)))
    return Decision((Reply("text:book_called"),), effects, ("Answers our asking to book: a nurse is asked to call",))


def _why(turn: Turn, ask: Ask, reason: str) -> Decision:
    recorded = RecordWhy(ask.appointment_id or 0, reason)
    rest = _without(turn, ask)
    trace = (f"Says why the visit was missed: {reason}",)
    if reason == "ill":  # with a late refill it may be the drug that is missing
        alert = RaiseAlert("missed_refill_symptoms", "Missed a refill, and says they were unwell", ask.patient_id)
        remember = Remember(rest.with_urgent(turn.now, "missed_refill_symptoms"))
        return Decision((Reply("text:why_ill", urgent=True),), (recorded, alert, remember), (*trace, "An alert"))
    offers = dict(zip(REASONS, ask.topics, strict=False))
    task = OpenTask("missed_refill", f"appointment:{ask.appointment_id}", _TOLD[reason], ask.patient_id)
    fill = (("desk", ask.topics[-1]),) if len(ask.topics) > len(REASONS) else ()
    reply = Reply(f"text:{_OFFERED[offers.get(reason, 'nurse_call')]}", fill)
    return Decision((reply,), (recorded, task, Remember(rest)), trace)


_OFFERED = {
    "transport": "why_ride",
    "home_refill": "why_home",
    "earlier_slot": "why_earlier",
    "nurse_call": "why_nurse",
}
_TOLD = {
    "ride": "missed a refill visit, had no ride: call today",
    "cost": "missed a refill visit because of cost: call today",
    "weather": "missed a refill visit because of the weather: call today",
    "other": "missed a refill visit for another reason: call today",
}
_BAD = (
    ("overdose", "After a visit: sleepy, weak or dizzy"),
    ("withdrawal", "After a visit: itching, tighter or hot"),
)


def _check_in(turn: Turn, ask: Ask, place: int) -> Decision:
    rest = _without(turn, ask)
    recorded = RecordCheckIn(ask.patient_id or 0, place + 1)
    if place == 0:
        return Decision((Reply("text:checkin_fine"),), (recorded, Remember(rest)), ("All is as usual after the visit",))
    if place <= len(_BAD):
        category, reason = _BAD[place - 1]
        effects = (
            recorded,
            RaiseAlert(category, reason, ask.patient_id),
            Remember(rest.with_urgent(turn.now, category)),
        )
        return Decision((Reply(f"text:urgent_{category}", urgent=True),), effects, (f"{reason}: urgent",))
    asked = triage.begin(rest, turn).with_urgent(turn.now, "withdrawal")
    alert = RaiseAlert("withdrawal", "After a visit: something is not as usual", ask.patient_id)
    reply = Reply("text:urgent_vague", urgent=True, adds=f"triage_{triage.QUESTIONS[0].name}")
    trace = ("Something is not as usual after the visit: urgent, and asked which, one question at a time",)
    return Decision((reply,), (recorded, alert, Remember(asked)), trace)


def _scan(turn: Turn, ask: Ask, *, checked: bool) -> Decision:
    recorded = RecordScan(ask.subject_id or 0, checked)
    rest = _without(turn, ask)
    if checked:
        return Decision(
            (Reply("text:mri_checked"),), (recorded, Remember(rest)), ("The pump was checked after a scan",)
        )
    alert = RaiseAlert("scan_unchecked", "A scan, and the pump was not checked since", ask.patient_id)
    remember = Remember(rest.with_urgent(turn.now, "scan_unchecked"))
    trace = ("The pump was not checked after a scan: urgent",)
    return Decision((Reply("text:mri_unchecked", urgent=True),), (recorded, alert, remember), trace)
