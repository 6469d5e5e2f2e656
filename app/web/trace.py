"""What Pumpline did and why, as the simulator tells it beside the phone: newest first, in plain words."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime

from app.db.messages import Purpose
from app.db.simulator_pages import BesidePhone, Deed, TaskDone
from app.db.thread import TextIn, TextOut
from app.db.work import TaskKind, TaskState
from app.domain.delivery import FAILURES, DeliveryState
from app.web.wording import plural, step, what

TASKS = {
    TaskKind.ALERT: "an alert for nurses",
    TaskKind.MISSED_REFILL: "a task: missed refill",
    TaskKind.QUESTION: "a task: a question for a nurse",
    TaskKind.RESCHEDULE: "a task: wants another day",
    TaskKind.CALL_INSTEAD: "a task: call instead",
    TaskKind.MEDIA: "a task: look at what was sent",
    TaskKind.HUMAN: "a task: wants to talk to a person",
    TaskKind.WRONG_NUMBER: "a task: wrong number",
    TaskKind.UNDELIVERED: "a task: a text did not arrive",
    TaskKind.UNCONFIRMED: "a task: the visit is not confirmed",
    TaskKind.NOT_ARRIVED: "a task: has not arrived",
    TaskKind.SUPPLY: "a task: the drug runs low",
    TaskKind.LATE_BOOKING: "a task: booked after the plan-by date",
    TaskKind.CHECK_PUMP: "a task: check the pump",
    TaskKind.RECORD_REFILL: "a task: record the refill",
    TaskKind.SECOND_PERSON: "a task: a second person must confirm",
    TaskKind.BATTERY: "a task: the pump must be replaced",
}
_DEEDS = {
    "booked": "A refill was booked",
    "moved": "The visit was moved",
    "cancelled": "The visit was cancelled",
    "attended": "The visit was marked attended: everything pending stops",
    "missed": "The visit counts as missed",
    "opted out": "Opted out: no reminders from now on",
    "opted in": "Opted in again",
}


@dataclass(frozen=True)
class Line:
    """`lead` is what was done, `subs` why, one thing a line; `look` is urgent for what cannot wait."""

    at: datetime
    lead: str
    subs: tuple[str, ...] = ()
    look: str = ""


def trace_lines(texts: Sequence[TextIn | TextOut], beside: BesidePhone, most: int = 40) -> tuple[Line, ...]:
    lines = [*_texts(texts), *_tasks(beside.tasks), *_deeds(beside.deeds)]
    lines += [Line(r.at, f"Did not send the {step(r.step)}", (r.reason,)) for r in beside.skipped]
    order = sorted(enumerate(lines), key=lambda numbered: (numbered[1].at, numbered[0]), reverse=True)
    return tuple(line for _, line in order)[:most]


def _texts(texts: Sequence[TextIn | TextOut]) -> Iterator[Line]:
    replies: dict[int, list[TextOut]] = {}
    for text in texts:
        if isinstance(text, TextOut) and text.answers is not None:
            replies.setdefault(text.answers, []).append(text)
    for text in texts:
        if isinstance(text, TextIn):
            lead, *rest = text.trace or ("A text came in",)
            if sent := replies.get(text.id):
                answered = _answered(sent)
                rest = [line for line in rest if not answered.startswith(line)] + [answered]
            yield Line(text.at, lead, tuple(rest), "urgent" if text.kind == "urgent" else "")
        elif text.purpose is not Purpose.REPLY:
            yield _sent(text)


def _answered(replies: Sequence[TextOut]) -> str:
    names = ", ".join(dict.fromkeys(what(reply.text_id, reply.version) for reply in replies))
    return f"{names[:1].upper()}{names[1:]}, {plural(sum(reply.segments for reply in replies), 'segment')}"


def _sent(text: TextOut) -> Line:
    verb = {
        DeliveryState.QUEUED: "Will send",
        DeliveryState.SENDING: "Sending",
        DeliveryState.WITHDRAWN: "Did not send",
        DeliveryState.EXPIRED: "Did not send",
    }.get(text.state, "Could not deliver" if text.state in FAILURES else "Sent")
    look = "urgent" if text.urgent else ""
    match text.purpose:
        case Purpose.REMINDER | Purpose.MISSED | Purpose.BOOK | Purpose.CHECK_IN:
            lead = f"{verb} the {step(text.step)}"
        case Purpose.PAGE:
            lead = f"{verb} a page to the on-call phone"
        case Purpose.REPLY:
            lead = f"{verb} a reply"
        case Purpose.STAFF:
            lead = f"{verb} a text by hand" + (f", from {text.staff_name}" if text.staff_name else "")
    why = (text.reason,) if text.reason else ()
    return Line(text.at, lead, (f"{_because(text)}, {plural(text.segments, 'segment')}", *why), look)


def _because(text: TextOut) -> str:
    match text.purpose:
        case Purpose.REMINDER:
            return "due by the patient's clock"
        case Purpose.MISSED | Purpose.BOOK | Purpose.CHECK_IN:
            return _WHY.get((text.step or "").partition(":")[0], _missed(text.step))
        case Purpose.PAGE:
            return "a code and a link, nothing about the patient; again every 5 min until someone acknowledges"
        case Purpose.REPLY:
            return "answers a text"
        case Purpose.STAFF:
            return "written on the staff pages"


_WHY = {
    "book": "no visit is booked, and the plan-by date comes nearer",
    "left": "few days of drug are left, and no visit is booked in time",
    "carer": "the patient lets us tell a carer, and few days of drug are left",
    "why": "each answer has an offer of its own",
    "checkin": "after a refill or a change of dose; three of four answers are urgent",
    "scan": "an MRI was recorded, and nobody said that the pump was checked",
}


def _missed(of_step: str | None) -> str:
    first = of_step == "missed:1"
    return "the visit passed and was not marked attended" if first else "the visit is still not marked attended"


def _tasks(tasks: Iterable[TaskDone]) -> Iterator[Line]:
    for task in tasks:
        look = "urgent" if task.kind is TaskKind.ALERT else ""
        yield Line(task.opened_at, f"Opened {TASKS[task.kind]}", (task.reason,), look)
        if task.raised_at > task.opened_at and task.state is not TaskState.RESOLVED:
            yield Line(
                task.raised_at, f"Raised {TASKS[task.kind].replace('a ', 'the ', 1)} again", (task.reason,), look
            )
        if task.acknowledged_at:
            who = "from the on-call phone" if task.by_phone else "on the staff page"
            yield Line(task.acknowledged_at, f"Acknowledged {who}", ("nobody is paged about it any more",))
        if task.resolved_at:
            yield Line(task.resolved_at, f"Closed {TASKS[task.kind]}", (task.outcome,) if task.outcome else ())


def _deeds(deeds: Iterable[Deed]) -> Iterator[Line]:
    for deed in deeds:
        by_text = deed.actor.startswith("phone:")  # told with the text that did it
        if deed.verb in _DEEDS and not by_text:
            yield Line(deed.at, _DEEDS[deed.verb])
