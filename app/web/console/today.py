"""Today: who needs a person now, and what to do."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from flask import render_template, request
from flask.typing import ResponseReturnValue

from app.db.agenda import agenda
from app.db.pages import TaskRow, open_tasks
from app.db.today import carers_of, dates_of, waits
from app.db.work import TaskKind
from app.db.worklist import DueRow, refills_due
from app.domain.permissions import Permission
from app.domain.texts import Words
from app.web import current
from app.web.console import bp
from app.web.console.every_page import expires_soon
from app.web.console.gate import staff
from app.web.console.permits import needs
from app.web.console.reading import listed
from app.web.drug_left import DrugLeft, drug_left
from app.web.language import N_
from app.web.language import gettext as _
from faq.library import Answer
from scheduler.quiet_hours import local_instant

ASK_TO_BOOK_DAYS = 28  # how long before the plan-by date an unbooked pump is work
SHOWN = 12  # rows of each list: the gravest; the others are one press away

TASK_OUTCOMES = (
    N_("Called, settled"),
    N_("Booked a visit"),
    N_("Answered by text"),
    N_("Record corrected"),
    N_("Left a message"),
    N_("No longer needed"),
)
PUMP_OUTCOMES = (
    N_("Pump checked, nothing found"),
    N_("Pump checked, a fault was found"),
    N_("Recorded"),
    N_("Referral moved on"),
    N_("Record corrected"),
    N_("No longer needed"),
)
ALERT_OUTCOMES = (
    N_("Sent to the emergency department"),
    N_("Seen in clinic today"),
    N_("Advised by phone"),
    N_("Booked a visit"),
    N_("Could not reach anyone, called for a check"),
    N_("Not an emergency"),
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
    drug: bool = False  # its rows show how much is left

    @property
    def key(self) -> str:
        """Return what names it in an address."""
        return self.kinds[0].value


REFILLS = WorkList(
    N_("Missed refills and unbooked pumps"),
    N_("least drug left first"),
    N_("No refill is missed, and every pump is booked in time."),
    "drop",
    (TaskKind.MISSED_REFILL, TaskKind.NOT_ARRIVED, TaskKind.SUPPLY, TaskKind.LATE_BOOKING),
    failed=True,
    verb=N_("call"),
    to="visits",
    drug=True,
)
LISTS = (  # in order of danger
    WorkList(
        N_("Cannot reach"),
        N_("no text gets through: call"),
        N_("Every phone took its last text."),
        "phone",
        (TaskKind.UNDELIVERED, TaskKind.CALL_INSTEAD),
        failed=True,
        verb=N_("call"),
        to="contacts",
        drug=True,
    ),
    REFILLS,
    WorkList(
        N_("Pumps to see to"),
        N_("check, confirm, record"),
        N_("No pump to check, confirm or record."),
        "pen",
        (TaskKind.CHECK_PUMP, TaskKind.SECOND_PERSON, TaskKind.RECORD_REFILL, TaskKind.BATTERY),
        to="pump",
        outcomes=PUMP_OUTCOMES,
    ),
    WorkList(
        N_("Unconfirmed visits"),
        N_("call to confirm"),
        N_("Everybody has confirmed, or still has time to."),
        "calendar",
        (TaskKind.UNCONFIRMED,),
        verb=N_("call"),
        to="visits",
        drug=True,
    ),
    WorkList(
        N_("Wants another day"),
        N_("the visit is kept until you decide"),
        N_("Nobody asked for another day."),
        "calendar",
        (TaskKind.RESCHEDULE,),
        to="visits",
        drug=True,
    ),
    WorkList(
        N_("Questions for a nurse"),
        N_("longest wait first"),
        N_("Every question had a reviewed answer."),
        "question",
        (TaskKind.QUESTION, TaskKind.HUMAN),
    ),
    WorkList(
        N_("Pictures and files"),
        N_("ask what they show"),
        N_("Nobody sent a picture or a file."),
        "image",
        (TaskKind.MEDIA,),
    ),
    WorkList(
        N_("Wrong numbers"),
        N_("check the record"),
        N_("No number turned out wrong."),
        "people",
        (TaskKind.WRONG_NUMBER,),
    ),
)
NEXT_ACT = {
    TaskKind.UNDELIVERED: N_("Call instead"),
    TaskKind.CALL_INSTEAD: N_("Call"),
    TaskKind.MISSED_REFILL: N_("Call and book"),
    TaskKind.NOT_ARRIVED: N_("Call now"),
    TaskKind.SUPPLY: N_("Call and book"),
    TaskKind.LATE_BOOKING: N_("Find an earlier day"),
    TaskKind.CHECK_PUMP: N_("Check the pump"),
    TaskKind.SECOND_PERSON: N_("Confirm or decline"),
    TaskKind.RECORD_REFILL: N_("Record refill"),
    TaskKind.BATTERY: N_("Refer"),
    TaskKind.UNCONFIRMED: N_("Call to confirm"),
    TaskKind.RESCHEDULE: N_("Find a day"),
    TaskKind.QUESTION: N_("Answer"),
    TaskKind.HUMAN: N_("Answer"),
    TaskKind.MEDIA: N_("Ask about it"),
    TaskKind.WRONG_NUMBER: N_("Check the record"),
}


@dataclass(frozen=True)
class RefillRow:
    """One patient whose refill is missed, not booked or booked late, with the tasks about it."""

    row: DueRow
    left: DrugLeft | None
    tasks: tuple[TaskRow, ...]

    @property
    def act(self) -> str:
        """Return what to do next."""
        kinds = {task.kind for task in self.tasks}
        if TaskKind.NOT_ARRIVED in kinds:
            return NEXT_ACT[TaskKind.NOT_ARRIVED]
        if self.row.visit is not None:
            return NEXT_ACT[TaskKind.LATE_BOOKING] if self.row.visit.days_late else N_("See the visit")
        return N_("Call and book") if self.tasks or self.row.missed else N_("Book")


@dataclass(frozen=True)
class Shown:
    """What the page shows of one list: the first rows, or all where the address asks for them."""

    kind: WorkList
    tasks: Sequence[TaskRow]
    refills: Sequence[RefillRow] = ()
    more: int = 0

    @property
    def count(self) -> int:
        return len(self.tasks) + len(self.refills) + self.more


@bp.get("/")
@needs(Permission.READ_PATIENTS)
def today() -> ResponseReturnValue:
    signed, moment = staff(), current.now()
    clinic, zone = signed.clinic, signed.clinic.zone
    start, middle, end = days(moment, zone)
    with current.line().db.read() as session:
        tasks = open_tasks(session, clinic.id)
        first, second = agenda(session, clinic.id, start, middle, end, moment)
        due = refills_due(session, clinic.id, moment, zone, ASK_TO_BOOK_DAYS, booked=False)
        drawn = [task.person.id for task in tasks if task.person is not None]
        dates, carers = dates_of(session, drawn), carers_of(session, drawn)
        waited = waits(session, clinic.id, moment - timedelta(days=7))
    day = moment.astimezone(zone).date()
    refills = refill_rows(due, tasks, day)
    covered = {task.id for row in refills for task in row.tasks}
    named = [task.person.id for task in tasks if task.person] + [
        visit.person.id for visit in (*first.visits, *second.visits)
    ]
    lists = [
        shown(kind, [task for task in found if task.id not in covered], refills if kind is REFILLS else [])
        for kind, found in grouped(tasks)
    ]
    listed(named + [item.row.patient_id for one in lists for item in one.refills])
    return render_template(
        "console/today.html",
        alerts=[task for task in tasks if task.kind is TaskKind.ALERT],
        lists=lists,
        whole=next((one.kind.key for one in lists if one.kind.key == request.args.get("all")), None),
        left_of={who: drug_left(day, d.filled_on, d.early_empty_on, d.empty_on, d.plan_by) for who, d in dates.items()},
        carers=carers,
        next_act=NEXT_ACT,
        agenda=[
            (_("Today's visits"), _("No visit is booked for today."), first, day),
            (_("Tomorrow's visits"), _("No visit is booked for tomorrow."), second, day + timedelta(days=1)),
        ],
        alert_outcomes=ALERT_OUTCOMES,
        shown=len(tasks),
        waits=waited,
        at_plan_by=by_sunday(due, day),
        expiring=expiring(current.line().words, moment),
    )


def shown(kind: WorkList, tasks: Sequence[TaskRow], refills: Sequence[RefillRow]) -> Shown:
    """Return the first rows of a list, or all where the address names it; the other pumps have a page of their own."""
    first = refills[:SHOWN]
    most = len(tasks) if refills or request.args.get("all") == kind.key else SHOWN
    return Shown(kind, tasks[:most], first, len(tasks) + len(refills) - len(tasks[:most]) - len(first))


def refill_rows(due: Sequence[DueRow], tasks: Sequence[TaskRow], day: date) -> list[RefillRow]:
    """Return whose refill is missed, not booked or booked late, by the early edge; with every open task about it.

    Whoever was seen a few days ago, with the volumes still to be recorded, stands in another list.
    """
    about: dict[int, list[TaskRow]] = {}
    for task in tasks:
        if task.kind in REFILLS.kinds and task.person is not None:
            about.setdefault(task.person.id, []).append(task)
    found = []
    for row in due:
        mine = tuple(about.get(row.patient_id, ()))
        seen = row.seen_on is not None and not row.long_unrecorded
        late = row.visit is None or row.visit.days_late > 0
        if mine or (late and not seen and row.early_empty_on is not None):
            left = drug_left(day, row.filled_on, row.early_empty_on, row.empty_on, row.plan_by)
            found.append(RefillRow(row, None if row.stale else left, mine))
    return found


def by_sunday(due: Sequence[DueRow], day: date) -> int:
    """Return how many pumps are at or past their plan-by date by the end of this week, and not booked before it."""
    sunday = day + timedelta(days=6 - day.weekday())
    return sum(
        row.plan_by is not None and row.plan_by <= sunday and (row.visit is None or row.visit.days_late > 0)
        for row in due
    )


def expiring(words: Words, now: datetime) -> list[Answer]:
    """Return the answers whose review is due within 30 days or overdue, the soonest first; one for each topic."""
    found: dict[str, Answer] = {}
    for by_topic in words.library.answers.values():
        for topic, answer in by_topic.items():
            if expires_soon(answer.review_by, now):
                found.setdefault(topic, answer)
    return sorted(found.values(), key=lambda answer: answer.review_by)


def grouped(tasks: Sequence[TaskRow]) -> list[tuple[WorkList, list[TaskRow]]]:
    return [(kind, [task for task in tasks if task.kind in kind.kinds]) for kind in LISTS]


def days(moment: datetime, zone: ZoneInfo) -> tuple[datetime, datetime, datetime]:
    """Return when today began at the clinic, when tomorrow does, and the day after."""
    first = moment.astimezone(zone).date()
    start, middle, end = (local_instant(first + timedelta(days=n), time(0), zone) for n in range(3))
    return start, middle, end
