"""Content: every answer as a patient will see it, and how far its review has come."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

from flask import render_template, request
from flask.typing import ResponseReturnValue

from app.domain.permissions import Permission
from app.domain.texts import ClinicVoice
from app.web import current
from app.web.console import bp
from app.web.console.every_page import expires_soon
from app.web.console.gate import staff
from app.web.console.permits import needs
from app.web.language import N_
from faq.library import GROUPS, Answer, Source, render
from faq.segments import measure

SHOWS = {"all": N_("All"), "drafts": N_("Drafts"), "expiring": N_("Review due")}


@dataclass(frozen=True)
class ShownAnswer:
    """One answer, filled in for the clinic."""

    answer: Answer
    short: str
    more: str | None
    short_segments: int
    more_segments: int
    questions: tuple[tuple[int, str], ...]
    sources: tuple[tuple[str, Source | None], ...]
    overdue: bool
    due: bool


@bp.get("/content")
@needs(Permission.READ_CONTENT)
def content() -> ResponseReturnValue:
    show = request.args.get("show", "all")
    show = show if show in SHOWS else "all"
    words, now = current.line().words, current.now()
    languages = words.library.languages
    language = request.args.get("language", "en")
    language = language if language in languages else "en"
    clinic = staff().clinic
    voice = ClinicVoice.of(
        clinic.name, clinic.phone, clinic.after_hours_phone, clinic.emergency_number, clinic.time_zone, clinic.country
    )
    everything = list(_filled(language, voice, now))
    chosen = {
        "all": everything,
        "drafts": [shown for shown in everything if shown.answer.state != "signed"],
        "expiring": [shown for shown in everything if shown.due],
    }
    groups = [(group, [s for s in chosen[show] if s.answer.group == group]) for group in GROUPS]
    return render_template(
        "console/content.html",
        groups=[(group, answers) for group, answers in groups if answers],
        shows=[(key, label, len(chosen[key])) for key, label in SHOWS.items()],
        show=show,
        language=language,
        languages=languages,
        voice=words.voice(language),
        send_drafts=current.line().send_drafts,
    )


def _filled(language: str, voice: ClinicVoice, now: datetime) -> Iterator[ShownAnswer]:
    library = current.line().words.library
    fillings = voice.fillings()
    for answer in sorted(library.answers[language].values(), key=lambda a: a.title):
        short = render(answer.short, fillings)
        more = render(answer.more, fillings) if answer.more else None
        yield ShownAnswer(
            answer,
            short,
            more,
            measure(short).count,
            measure(more).count if more else 0,
            tuple((n, library.questions[n][0]) for n in answer.questions if n in library.questions),
            tuple((tag, library.sources.get(tag)) for tag in answer.sources),
            answer.review_by < now.date(),
            expires_soon(answer.review_by, now),
        )
