"""What Pumpline did and why, as the simulator tells it beside the phone: newest first, in plain words."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime

from app.db.messages import Purpose
from app.db.simulator_pages import BesidePhone, Deed, TaskDone
from app.db.thread import TextIn, TextOut
from app.db.work import TaskKind, TaskState
from app.domain.delivery import FAILURES, DeliveryState
from app.web.language import N_, tr
from app.web.language import gettext as _
from app.web.wording import plural, step, what

TASKS = {
    TaskKind.ALERT: N_("an alert for nurses"),
    TaskKind.MISSED_REFILL: N_("missed refill"),
    TaskKind.QUESTION: N_("a question for a nurse"),
    TaskKind.RESCHEDULE: N_("wants another day"),
    TaskKind.CALL_INSTEAD: N_("call instead"),
    TaskKind.MEDIA: N_("look at what was sent"),
    TaskKind.HUMAN: N_("wants to talk to a person"),
    TaskKind.WRONG_NUMBER: N_("wrong number"),
    TaskKind.UNDELIVERED: N_("a text did not arrive"),
    TaskKind.UNCONFIRMED: N_("the visit is not confirmed"),
    TaskKind.NOT_ARRIVED: N_("has not arrived"),
    TaskKind.SUPPLY: N_("the drug runs low"),
    TaskKind.LATE_BOOKING: N_("booked after the plan-by date"),
    TaskKind.CHECK_PUMP: N_("check the pump"),
    TaskKind.RECORD_REFILL: N_("record the refill"),
    TaskKind.SECOND_PERSON: N_("a second person must confirm"),
    TaskKind.BATTERY: N_("the pump must be replaced"),
}
_DEEDS = {
    "booked": N_("A refill was booked"),
    "moved": N_("The visit was moved"),
    "cancelled": N_("The visit was cancelled"),
    "attended": N_("The visit was marked attended: everything pending stops"),
    "missed": N_("The visit counts as missed"),
    "opted out": N_("Opted out: no reminders from now on"),
    "opted in": N_("Opted in again"),
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
    lines += [Line(r.at, _("Did not send the %(step)s", step=step(r.step)), (tr(r.reason),)) for r in beside.skipped]
    order = sorted(enumerate(lines), key=lambda numbered: (numbered[1].at, numbered[0]), reverse=True)
    return tuple(line for _place, line in order)[:most]


def _texts(texts: Sequence[TextIn | TextOut]) -> Iterator[Line]:
    replies: dict[int, list[TextOut]] = {}
    for text in texts:
        if isinstance(text, TextOut) and text.answers is not None:
            replies.setdefault(text.answers, []).append(text)
    for text in texts:
        if isinstance(text, TextIn):
            lead, *rest = text.trace or (N_("A text came in"),)
            sent = replies.get(text.id, ())
            said = {f"Answer {reply.text_id.partition(':')[2]}, version {reply.version}" for reply in sent}
            subs = [tr(line) for line in rest if line not in said] + ([_answered(sent)] if sent else [])
            yield Line(text.at, tr(lead), tuple(subs), "urgent" if text.kind == "urgent" else "")
        elif text.purpose is not Purpose.REPLY:
            yield _sent(text)


def _answered(replies: Sequence[TextOut]) -> str:
    names = ", ".join(dict.fromkeys(what(reply.text_id, reply.version) for reply in replies))
    return f"{names[:1].upper()}{names[1:]}, {plural(sum(reply.segments for reply in replies), 'segment')}"


def _sent(text: TextOut) -> Line:
    verb = {
        DeliveryState.QUEUED: _("Will send"),
        DeliveryState.SENDING: _("Sending"),
        DeliveryState.WITHDRAWN: _("Did not send"),
        DeliveryState.EXPIRED: _("Did not send"),
    }.get(text.state, _("Could not deliver") if text.state in FAILURES else _("Sent"))
    look = "urgent" if text.urgent else ""
    match text.purpose:
        case Purpose.REMINDER | Purpose.MISSED | Purpose.BOOK | Purpose.CHECK_IN:
            lead = _("%(verb)s the %(step)s", verb=verb, step=step(text.step))
        case Purpose.PAGE:
            lead = _("%(verb)s a page to the on-call phone", verb=verb)
        case Purpose.REPLY:
            lead = _("%(verb)s a reply", verb=verb)
        case Purpose.STAFF:
            lead = _("%(verb)s a text by hand", verb=verb)
            if text.staff_name:
                lead = _("%(verb)s a text by hand, from %(name)s", verb=verb, name=text.staff_name)
    why = (tr(text.reason),) if text.reason else ()
    return Line(text.at, lead, (f"{_because(text)}, {plural(text.segments, 'segment')}", *why), look)


def _because(text: TextOut) -> str:
    match text.purpose:
        case Purpose.REMINDER:
            return _("due by the patient's clock")
        case Purpose.MISSED | Purpose.BOOK | Purpose.CHECK_IN:
            why = _WHY.get((text.step or "").partition(":")[0])
            return tr(why) if why else _missed(text.step)
        case Purpose.PAGE:
            return _("a code and a link, nothing about the patient; again every 5 min until someone acknowledges")
        case Purpose.REPLY:
            return _("answers a text")
        case Purpose.STAFF:
            return _("written on the staff pages")


_WHY = {
    "book": N_("no visit is booked, and the plan-by date comes nearer"),
    "left": N_("few days of drug are left, and no visit is booked in time"),
    "carer": N_("the patient lets us tell a carer, and few days of drug are left"),
    "why": N_("each answer has an offer of its own"),
    "checkin": N_("after a refill or a change of dose; three of four answers are urgent"),
    "scan": N_("an MRI was recorded, and nobody said that the pump was checked"),
}


def _missed(of_step: str | None) -> str:
    if of_step == "missed:1":
        return _("the visit passed and was not marked attended")
    return _("the visit is still not marked attended")


def _tasks(tasks: Iterable[TaskDone]) -> Iterator[Line]:
    for task in tasks:
        look, reason = "urgent" if task.kind is TaskKind.ALERT else "", (tr(task.reason),)
        opened, raised, closed = _stages(task.kind)
        yield Line(task.opened_at, opened, reason, look)
        if task.raised_at > task.opened_at and task.state is not TaskState.RESOLVED:
            yield Line(task.raised_at, raised, reason, look)
        if task.acknowledged_at:
            by_phone, on_page = _("Acknowledged from the on-call phone"), _("Acknowledged on the staff page")
            nobody = _("nobody is paged about it any more")
            yield Line(task.acknowledged_at, by_phone if task.by_phone else on_page, (nobody,))
        if task.resolved_at:
            yield Line(task.resolved_at, closed, (tr(task.outcome),) if task.outcome else ())


def _stages(kind: TaskKind) -> tuple[str, str, str]:
    """Say that such a task was opened, raised again, and closed."""
    if kind is TaskKind.ALERT:
        return _("Opened an alert for nurses"), _("Raised an alert for nurses again"), _("Closed an alert for nurses")
    task = tr(TASKS[kind])
    return (
        _("Opened a task: %(task)s", task=task),
        _("Raised the task: %(task)s again", task=task),
        _("Closed a task: %(task)s", task=task),
    )


def _deeds(deeds: Iterable[Deed]) -> Iterator[Line]:
    for deed in deeds:
        by_text = deed.actor.startswith("phone:")  # told with the text that did it
        if deed.verb in _DEEDS and not by_text:
            yield Line(deed.at, tr(_DEEDS[deed.verb]))
