"""What stands on every staff page: counts, the urgent strip, and warnings about the line itself."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Literal

from app.actions.line import Line
from app.db.pages import ClinicFacts, LineHealth, TaskRow, line_health, open_counts, open_tasks
from app.db.threads import COUNTED
from app.db.work import TaskKind
from app.domain.texts import Words
from app.settings import DEMO_AFTER_HOURS_PHONE, DEMO_CLINIC_PHONE
from app.web.console.gate import Signed
from app.web.wording import plural

Look = Literal["loud", "failed", "soon"]


@dataclass(frozen=True)
class Notice:
    """One line on every staff page. Loud is ours to sign, failed is broken, soon is due."""

    look: Look
    lead: str
    words: str
    to: str = ""  # an endpoint
    act: str = ""


def around_page(signed: Signed, line: Line, now: datetime) -> dict[str, Any]:
    clinic, simulated = signed.clinic, line.channel == "simulator"
    on_call_hash = line.db.hash_of(clinic.on_call_phone) if clinic.on_call_phone else None
    with line.db.read() as session:
        counts = open_counts(session, clinic.id, on_call_hash)
        health = line_health(session, clinic, counts.on_call_opted_out, now)
        urgent = _alerts(open_tasks(session, clinic.id, limit=max(counts.alerts, 1))) if counts.alerts else ()
    return {
        "staff": signed,
        "clinic": clinic,
        "zone": clinic.zone,
        "now": now,
        "warnings": (
            *(() if simulated else fictional_numbers(clinic)),
            *warnings(health, line.words, now, line.send_drafts, simulated=simulated),
        ),
        "urgent_tasks": urgent,
        "urgent_count": counts.alerts,
        "task_count": counts.others,
        "waiting_count": counts.threads if counts.threads < COUNTED else f"{COUNTED - 1}+",
        "simulated": simulated,
    }


def fictional_numbers(clinic: ClinicFacts) -> tuple[Notice, ...]:
    """Warn where a live line still tells patients to call a number that is kept for fiction."""
    if not {clinic.phone, clinic.after_hours_phone} & {DEMO_CLINIC_PHONE, DEMO_AFTER_HOURS_PHONE}:
        return ()
    words = "Patients are told to call a number that nobody answers. Change it: pumpline clinic set --phone."
    return (Notice("failed", "The clinic's phone is the demo's", words),)


def _alerts(tasks: tuple[TaskRow, ...]) -> tuple[TaskRow, ...]:
    return tuple(task for task in tasks if task.kind is TaskKind.ALERT)


def warnings(
    health: LineHealth, words: Words, now: datetime, send_drafts: bool, *, simulated: bool
) -> tuple[Notice, ...]:
    found = [*_line_warnings(health, simulated=simulated), *_content_warnings(words, now, send_drafts)]
    return tuple(found)


def _line_warnings(health: LineHealth, *, simulated: bool) -> list[Notice]:
    found = []
    if health.stopped and not simulated:  # a jump of the simulator's clock looks like a silence
        words = "Texts that come in are still answered, but nobody is paged. Have `pumpline doctor` run now."
        found.append(Notice("failed", "Reminders and pages have stopped", words))
    if not health.on_call_set:
        found.append(
            Notice(
                "failed", "No on-call phone", "Urgent texts page nobody. Set one: pumpline clinic set --on-call-phone."
            )
        )
    elif health.on_call_opted_out:
        found.append(
            Notice("failed", "The on-call phone has opted out", "Pages do not reach it. Text START from that phone.")
        )
    for name, failures in health.failing_jobs:
        words = f"It failed {failures} times in a row and is still tried. `pumpline doctor` says more."
        found.append(Notice("failed", f"A job is failing: {name.replace('_', ' ')}", words))
    return found


def _content_warnings(words: Words, now: datetime, send_drafts: bool) -> list[Notice]:
    answers = [answer for by_topic in words.library.answers.values() for answer in by_topic.values()]
    drafts = sum(answer.state != "signed" for answer in answers)
    today = now.date()
    overdue = sum(answer.review_by < today for answer in answers)
    found = []
    if drafts:
        many = drafts != 1
        lead = f"{plural(drafts, 'answer')} {'are drafts' if many else 'is a draft'}, not signed by a clinician"
        sent = "They are sent all the same" if many else "It is sent all the same"
        kept = "They are held back, and a nurse is asked instead"
        found.append(Notice("loud", lead, f"{sent if send_drafts else kept}.", "console.content", "Read them"))
    if overdue:
        lead = f"{plural(overdue, 'answer')} past the review date"
        found.append(Notice("soon", lead, "Have them reviewed.", "console.content", "Review"))
    return found


def expires_soon(review_by: Any, now: datetime) -> bool:
    """Whether an answer's review is due within 30 days, or overdue."""
    return bool(review_by <= (now + timedelta(days=30)).date())
