"""Texts of the ladders: to whom they go, in which words, and what an answer to them will mean."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy.orm import Session

from app.actions.line import Line, voice_of
from app.actions.outbox import owe
from app.db.directory import remember
from app.db.messages import Purpose
from app.db.people import Clinic
from app.db.supply import CareStep
from app.domain.conversation import OF_THE_PUMP, Ask, Asked
from app.domain.reminders import Target
from app.domain.why_missed import REASONS, Offers

BOOK_COUNTS_FOR = timedelta(days=7)
WHY_COUNTS_FOR = timedelta(days=3)
CHECK_IN_COUNTS_FOR = timedelta(hours=20)
SCAN_COUNTS_FOR = timedelta(hours=48)


@dataclass(frozen=True)
class CareText:
    """One text of the system's own (app/texts), and what it asks: `asks` is a kind of conversation.Ask, or nothing."""

    name: str
    purpose: Purpose
    urgent: bool = False
    asks: str = ""
    counts_for: timedelta = timedelta(0)
    names_always: bool = False  # written to somebody else about the patient


TEXTS = {
    "book": CareText("book", Purpose.BOOK, asks="book", counts_for=BOOK_COUNTS_FOR),
    "book_now": CareText("book_now", Purpose.MISSED, asks="book", counts_for=BOOK_COUNTS_FOR),
    "missed_now": CareText("missed_now", Purpose.MISSED, urgent=True),
    "missed_carer": CareText("missed_carer", Purpose.MISSED, names_always=True),
    "missed_why": CareText("missed_why", Purpose.MISSED, asks="why", counts_for=WHY_COUNTS_FOR),
    "checkin": CareText("checkin", Purpose.CHECK_IN, asks="checkin", counts_for=CHECK_IN_COUNTS_FOR),
    "mri": CareText("mri", Purpose.CHECK_IN, asks="scan", counts_for=SCAN_COUNTS_FOR),
}


@dataclass(frozen=True)
class About:
    """Whom and what a text is about."""

    patient_id: int
    given_name: str
    starts_at: datetime | None = None  # of the visit
    appointment_id: int | None = None
    scan_id: int | None = None
    offers: Offers | None = None


def send_care_text(
    line: Line,
    session: Session,
    text: CareText,
    step: CareStep,
    clinic: Clinic,
    targets: Sequence[tuple[Target, Asked]],
    about: About,
    now: datetime,
    *,
    due_at: datetime | None = None,
    expires_at: datetime | None = None,
    urgent: bool = False,
) -> dict[int, Asked]:
    """Owe the text to each phone and remember what its answer will mean; return what each phone may now answer."""
    remembered = {}
    for target, asked in targets:
        ask = None
        if text.asks:
            asked, ask = asked.with_care(_ask(text, about, now), OF_THE_PUMP[text.asks])
        named = text.names_always or target.serves > 1 or target.carer
        name = text.name if text.names_always else f"{text.name}{'_shared' if named else ''}"
        fill = _fill(line, about, clinic, target.language, ask)
        words = line.words.system(name, voice_of(clinic), target.language, **fill)
        owe(
            session,
            clinic_id=clinic.id,
            phone_id=target.phone_id,
            words=words,
            purpose=text.purpose,
            dedupe_key=f"step:{step.id}:{text.name}:{target.phone_id}",
            now=now,
            due_at=due_at,
            expires_at=expires_at,
            urgent=urgent or text.urgent,
            patient_id=about.patient_id,
            care_step_id=step.id,
        )
        if ask is not None:
            remember(session, target.phone_id, asked.to_json())
            remembered[target.phone_id] = asked
    return remembered


def _ask(text: CareText, about: About, now: datetime) -> Ask:
    topics: tuple[str, ...] = ()
    if about.offers is not None:
        topics = tuple(about.offers.of(reason) if reason != "ill" else "" for reason in REASONS)
        topics += (about.offers.transport_phone,) if about.offers.transport_phone else ()
    return Ask(
        text.asks,
        now,
        now + text.counts_for,
        appointment_id=about.appointment_id if text.asks == "why" else None,
        topics=topics,
        patient_id=about.patient_id,
        subject_id=about.scan_id,
    )


def _fill(line: Line, about: About, clinic: Clinic, language: str, ask: Ask | None) -> dict[str, str]:
    voice, zone = line.words.voice(language), voice_of(clinic).zone
    fill = {"who": voice.called(about.given_name)}
    if about.starts_at is not None:
        fill |= {"when": voice.moment(about.starts_at, zone), "day": voice.day(about.starts_at, zone)}
    first = ask.digit if ask else 1
    fill |= {f"d{n}": str(first + n - 1) for n in range(1, 6)}
    return fill | {"yes": str(first)}
