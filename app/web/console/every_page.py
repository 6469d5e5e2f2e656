"""What stands on every staff page: counts, the urgent strip, and warnings about the line itself."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Literal

from app.actions.check_line import JOB as CHECKS
from app.actions.line import Line
from app.db.pages import ClinicFacts, LineHealth, TaskRow, line_health, open_counts, open_tasks
from app.db.provider_account import all_breakers
from app.db.reading import gaps
from app.db.threads import COUNTED
from app.db.work import TaskKind
from app.domain.breaker import Breaker, Via
from app.domain.texts import Words
from app.domain.unreadable import UNREADABLE
from app.settings import DEMO_AFTER_HOURS_PHONE, DEMO_CLINIC_PHONE
from app.web.console.gate import Signed
from app.web.language import gettext as _
from app.web.language import ngettext

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
        accounts = all_breakers(session).for_clinic(clinic.id) if line.second_sender else {}
        urgent = _alerts(open_tasks(session, clinic.id, limit=max(counts.alerts, 1))) if counts.alerts else ()
    return {
        "staff": signed,
        "clinic": clinic,
        "zone": clinic.zone,
        "now": now,
        "gaps_met": gaps_met,
        "warnings": (
            *(() if simulated else fictional_numbers(clinic)),
            *by_another_number(accounts),
            *warnings(health, line.words, now, line.send_drafts, simulated=simulated),
        ),
        "urgent_tasks": urgent,
        "urgent_count": counts.alerts,
        "task_count": counts.others,
        "waiting_count": counts.threads if counts.threads < COUNTED else f"{COUNTED - 1}+",
        "simulated": simulated,
    }


def gaps_met() -> tuple[Notice, ...]:
    """Say that something on this page could not be read. Asked once the page is drawn: names are opened as late."""
    if (found := gaps()) is None or not found.met:
        return ()
    words = _("It was damaged, or its key is missing. Texts go on. Have `pumpline doctor` run: it says whose it is.")
    return (Notice("failed", _("What %(gap)s stands for cannot be read", gap=UNREADABLE), words),)


def fictional_numbers(clinic: ClinicFacts) -> tuple[Notice, ...]:
    """Warn where a live line still tells patients to call a number that is kept for fiction."""
    if not {clinic.phone, clinic.after_hours_phone} & {DEMO_CLINIC_PHONE, DEMO_AFTER_HOURS_PHONE}:
        return ()
    words = _("Patients are told to call a number that nobody answers. Change it: pumpline clinic set --phone.")
    return (Notice("failed", _("The clinic's phone is the demo's"), words),)


def by_another_number(accounts: Mapping[Via, Breaker]) -> tuple[Notice, ...]:
    """Say that patients are texted from a number that they may not know, or that no number works."""
    failing = [via for via, breaker in accounts.items() if breaker.is_failing]
    if Via.FIRST not in failing:
        return ()
    if len(failing) > 1:
        words = _("Reminders and pages wait, answers to texts still go out. Call who must know now.")
        return (Notice("failed", _("No texts leave: both accounts at the provider fail"), words),)
    words = _("The first one fails. Patients may ask whose number it is; what they text to it arrives here.")
    return (Notice("soon", _("Texts leave from our second number"), words),)


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
        words = _("Texts that come in are still answered, but nobody is paged. Have `pumpline doctor` run now.")
        found.append(Notice("failed", _("Reminders and pages have stopped"), words))
    if not health.on_call_set:
        found.append(
            Notice(
                "failed",
                _("No on-call phone"),
                _("Urgent texts page nobody. Set one: pumpline clinic set --on-call-phone."),
            )
        )
    elif health.on_call_opted_out:
        found.append(
            Notice(
                "failed", _("The on-call phone has opted out"), _("Pages do not reach it. Text START from that phone.")
            )
        )
    for name, failures in health.failing_jobs:
        if name == CHECKS:
            words = _("Patients' texts may get no answer. Have `pumpline doctor` run now: it says where they stop.")
            found.append(Notice("failed", _("The line does not answer its own texts"), words))
            continue
        words = _("It failed %(times)d times in a row and is still tried. `pumpline doctor` says more.", times=failures)
        found.append(Notice("failed", _("A job is failing: %(name)s", name=name.replace("_", " ")), words))
    return found


def _content_warnings(words: Words, now: datetime, send_drafts: bool) -> list[Notice]:
    answers = [answer for by_topic in words.library.answers.values() for answer in by_topic.values()]
    drafts = sum(answer.state != "signed" for answer in answers)
    today = now.date()
    overdue = sum(answer.review_by < today for answer in answers)
    found = []
    if drafts:
        lead = ngettext(
            "%(num)d answer is a draft, not signed by a clinician",
            "%(num)d answers are drafts, not signed by a clinician",
            drafts,
        )
        sent = ngettext("It is sent all the same.", "They are sent all the same.", drafts)
        kept = _("They are held back, and a nurse is asked instead.")
        found.append(Notice("loud", lead, sent if send_drafts else kept, "console.content", _("Read them")))
    if overdue:
        lead = ngettext("%(num)d answer past the review date", "%(num)d answers past the review date", overdue)
        found.append(Notice("soon", lead, _("Have them reviewed."), "console.content", _("Review")))
    return found


def expires_soon(review_by: Any, now: datetime) -> bool:
    """Whether an answer's review is due within 30 days, or overdue."""
    return bool(review_by <= (now + timedelta(days=30)).date())
