"""Talk about visits: confirm, change, late, when.

A visit is given up by text only where another one is arranged before the drug must be planned; else a nurse decides.
"""

from app.domain.conversation import Ask
from app.domain.effects import ConfirmVisit, Decision, DropVisit, Effect, OpenTask, Remember, Reply, Sender, Visit
from app.domain.turn import Turn

MOST_VISITS = 4  # named in one text; whoever has more is called


def answer_by_digit(turn: Turn) -> Decision | None:
    """Return what a bare digit asks for, where the newest question we put was about a visit."""
    if turn.digit is None:
        return None
    live = turn.sender.asked.still(turn.now)
    choices = live.last("choices")
    for ask in live.confirms:
        if choices and choices.asked_at > ask.asked_at and turn.digit <= len(choices.topics):
            continue
        if turn.digit in (ask.digit, ask.digit + 1):
            visit = next((v for v in turn.sender.visits if v.appointment_id == ask.appointment_id), None)
            if visit is None:
                continue
            why = f'"{turn.digit}" answers our question about the visit'
            return confirmed(turn.sender, visit, why) if turn.digit == ask.digit else changed(turn.sender, visit, why)
    if turn.understood.intent in ("confirm", "reschedule") and live.confirms:
        return _ask_which(turn)  # "1" once more, its visit settled: it must not count for another one
    return None


def confirm(turn: Turn) -> Decision | None:
    """Confirm in words; None where no visit could be meant."""
    visit, several = _which_visit(turn)
    if visit:
        return confirmed(turn.sender, visit, turn.why)
    return _ask_which(turn) if several else None


def reschedule(turn: Turn) -> Decision:
    """Ask a nurse to call. The visit stays booked until a person finds another time."""
    said = "asked to cancel a visit" if turn.understood.intent == "cancel_appointment" else "asked for another time"
    visit, several = _which_visit(turn)
    if visit:
        return changed(turn.sender, visit, turn.why, said)
    if several:
        return _ask_which(turn)
    return Decision(
        (Reply("text:change_no_visit"),), (task_about_visit(said, turn.sender),), (turn.why, "A nurse is asked to call")
    )


def confirmed(sender: Sender, visit: Visit, why: str) -> Decision:
    asked = sender.asked.without_confirm(visit.appointment_id)
    effects: tuple[Effect, ...] = (ConfirmVisit(visit.appointment_id), Remember(asked))
    return Decision((Reply(shared("confirmed", sender), visit=visit),), effects, (why, "The visit is confirmed"))


def changed(sender: Sender, visit: Visit, why: str, said: str = "asked for another time") -> Decision:
    asked = sender.asked.without_confirm(visit.appointment_id)
    if visit.other_at is not None:
        drop: tuple[Effect, ...] = (DropVisit(visit.appointment_id), Remember(asked))
        trace = (why, "Another visit is booked in time: this one is cancelled")
        return Decision((Reply(shared("visit_dropped", sender), visit=visit),), drop, trace)
    task = OpenTask("reschedule", f"appointment:{visit.appointment_id}", said, visit.patient_id, by_plan=True)
    trace = (why, "A nurse is asked to call. The visit stays booked until then")
    return Decision((Reply(shared("change", sender), visit=visit),), (task, Remember(asked)), trace)


def running_late(turn: Turn) -> Decision:
    task = task_about_visit("is running late", turn.sender)
    return Decision((Reply("text:running_late"),), (task,), (turn.why, "A nurse is told"))


def next_visit(turn: Turn) -> Decision:
    if not turn.sender.visits:
        task = task_about_visit("asked when the refill is: none is booked", turn.sender)
        return Decision((Reply("text:no_visit"),), (task,), (turn.why, "No visit is booked: a nurse is told"))
    if turn.sender.names_patients:
        return Decision((Reply("text:next_visit_shared", lists="visits"),), trace=(turn.why,))
    return Decision((Reply("text:next_visit", visit=turn.sender.visits[0]),), trace=(turn.why,))


def task_about_visit(reason: str, sender: Sender) -> OpenTask:
    if len(sender.people) == 1:
        patient_id = sender.people[0].patient_id
        return OpenTask("reschedule", f"patient:{patient_id}", reason, patient_id, by_plan=True)
    return OpenTask("reschedule", "phone", reason)


def shared(name: str, sender: Sender) -> str:
    """Name the text that also says who, where that is not plain."""
    return f"text:{name}_shared" if sender.names_patients else f"text:{name}"


def _which_visit(turn: Turn) -> tuple[Visit | None, bool]:
    """Return the visit meant by words, and whether several could be: asked about first, then the only one booked."""
    visits = {visit.appointment_id: visit for visit in turn.sender.visits}
    asks = [ask for ask in turn.sender.asked.still(turn.now).confirms if ask.appointment_id in visits]
    if len(asks) == 1:
        return visits[_appointment(asks[0])], False
    if not asks and len(visits) == 1:
        return next(iter(visits.values())), False
    return None, len(visits) > 1


def _appointment(ask: Ask) -> int:
    if ask.appointment_id is None:
        raise ValueError("a question about a visit names it")
    return ask.appointment_id


def _ask_which(turn: Turn) -> Decision:
    """Words on a phone with several visits: put the question of each again, with its own digits."""
    if not turn.sender.visits:
        return next_visit(turn)
    asked = turn.sender.asked.still(turn.now)
    for visit in turn.sender.visits[:MOST_VISITS]:
        asked, _ = asked.with_confirm(visit.appointment_id, turn.now, visit.starts_at)
    trace = (turn.why, "Several visits could be meant: asked which")
    return Decision((Reply("text:which_visit", lists="asks"),), (Remember(asked),), trace)
