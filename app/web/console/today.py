"""Today: who needs a person now, and what to do."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, time, timedelta
from zoneinfo import ZoneInfo

from flask import render_template
from flask.typing import ResponseReturnValue

from app.db.pages import TaskRow, open_tasks, visits_between
from app.db.work import TaskKind
from app.domain.permissions import Permission
from app.web import current
from app.web.console import bp
from app.web.console.gate import staff
from app.web.console.permits import needs
from app.web.console.reading import listed
from scheduler.quiet_hours import local_instant

TASK_OUTCOMES = (
    "Called, settled",
    "Booked a visit",
    "Answered by text",
    "Record corrected",
    "Left a message",
    "No longer needed",
)
PUMP_OUTCOMES = (
    "Pump checked, nothing found",
    "Pump checked, a fault was found",
    "Recorded",
    "Referral moved on",
    "Record corrected",
    "No longer needed",
)
ALERT_OUTCOMES = (
    "Sent to the emergency department",
    "Seen in clinic today",
    "Advised by phone",
    "Booked a visit",
    "Could not reach anyone, called for a check",
    "Not an emergency",
)


@dataclass(frozen=True)
class WorkList:
    """One list of tasks; `calm` is said when it is empty."""

    title: str
    hint: str
    calm: str
    icon: str
    kinds: tuple[TaskKind, ...]
    failed: bool = False  # its rows are failures, and red
    verb: str = ""  # what is to be done at once: "call now"
    to: str = "conversation"  # where a row leads: conversation, visits, pump
    outcomes: tuple[str, ...] = TASK_OUTCOMES


LISTS = (  # in order of danger
    WorkList(
        "Missed refills and unbooked pumps",
        "least time first",
        "No refill is missed, and every pump is booked in time.",
        "drop",
        (TaskKind.MISSED_REFILL, TaskKind.NOT_ARRIVED, TaskKind.SUPPLY, TaskKind.LATE_BOOKING),
        failed=True,
        verb="call",
        to="visits",
    ),
    WorkList(
        "Pumps to see to",
        "check, confirm, record",
        "No pump to check, confirm or record.",
        "pen",
        (TaskKind.CHECK_PUMP, TaskKind.SECOND_PERSON, TaskKind.RECORD_REFILL, TaskKind.BATTERY),
        to="pump",
        outcomes=PUMP_OUTCOMES,
    ),
    WorkList(
        "Cannot reach",
        "call instead of texting",
        "Every phone took its last text.",
        "phone",
        (TaskKind.UNDELIVERED, TaskKind.CALL_INSTEAD),
        failed=True,
        verb="call",
    ),
    WorkList(
        "Unconfirmed visits",
        "call to confirm",
        "Everybody has confirmed, or still has time to.",
        "calendar",
        (TaskKind.UNCONFIRMED,),
        verb="call",
        to="visits",
    ),
    WorkList(
        "Wants another day",
        "the visit is kept until you decide",
        "Nobody asked for another day.",
        "calendar",
        (TaskKind.RESCHEDULE,),
        to="visits",
    ),
    WorkList(
        "Questions for a nurse",
        "longest wait first",
        "Every question had a reviewed answer.",
        "question",
        (TaskKind.QUESTION, TaskKind.HUMAN),
    ),
    WorkList(
        "Pictures and files", "ask what they show", "Nobody sent a picture or a file.", "image", (TaskKind.MEDIA,)
    ),
    WorkList("Wrong numbers", "check the record", "No number turned out wrong.", "people", (TaskKind.WRONG_NUMBER,)),
)


@bp.get("/")
@needs(Permission.READ_PATIENTS)
def today() -> ResponseReturnValue:
    signed, moment = staff(), current.now()
    start, middle, end = days(moment, signed.clinic.zone)
    with current.line().db.read() as session:
        tasks = open_tasks(session, signed.clinic.id)
        visits = visits_between(session, signed.clinic.id, start, end)
    listed([task.person.id for task in tasks if task.person] + [visit.person.id for visit in visits])
    return render_template(
        "console/today.html",
        alerts=[task for task in tasks if task.kind is TaskKind.ALERT],
        lists=grouped(tasks),
        agenda=[
            ("Today", [visit for visit in visits if visit.starts_at < middle]),
            ("Tomorrow", [visit for visit in visits if visit.starts_at >= middle]),
        ],
        alert_outcomes=ALERT_OUTCOMES,
        shown=len(tasks),
    )


def grouped(tasks: Sequence[TaskRow]) -> list[tuple[WorkList, list[TaskRow]]]:
    return [(kind, [task for task in tasks if task.kind in kind.kinds]) for kind in LISTS]


def days(moment: datetime, zone: ZoneInfo) -> tuple[datetime, datetime, datetime]:
    """Return when today began at the clinic, when tomorrow does, and the day after."""
    first = moment.astimezone(zone).date()
    start, middle, end = (local_instant(first + timedelta(days=n), time(0), zone) for n in range(3))
    return start, middle, end
