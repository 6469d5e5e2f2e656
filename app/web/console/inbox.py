"""The inbox: the list of threads, one open thread, and the panel about its patient."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, time
from typing import Any, cast

from flask import redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from app.db.inbox import PAGE, Key, Row, Tab, Voice, Wanted, staff_of, tab_counts, threads, voices
from app.db.inbox_thread import (
    Beside,
    Head,
    OtherPhone,
    PumpLine,
    ToDo,
    beside,
    change_of,
    head,
    other_phones,
    pumps_of,
    to_do,
)
from app.db.thread import TaskNote, TextIn, TextOut, Thread, thread
from app.db.threads import COUNTED, ThreadState
from app.domain.permissions import Permission
from app.domain.texts import ClinicVoice
from app.web import current
from app.web.composer import Meter, Offered, Recipient, allowed_at, meter, offered, places, recipient
from app.web.console import bp
from app.web.console.gate import Signed, access_phone, staff
from app.web.console.inbox_words import did_words, spoken_in
from app.web.console.learning import LabelForm, Reading, asked_to_label, readings
from app.web.console.permits import needs
from app.web.console.reading import listed
from app.web.console.today import ALERT_OUTCOMES, TASK_OUTCOMES
from app.web.drug_left import DrugLeft, drug_left
from app.web.language import N_
from app.web.wording import clock_time, first_name

SHOWN = 60
MOST_SHOWN = 1000
MORNING = time(8)
TABS: tuple[tuple[Tab, str], ...] = (
    ("urgent", N_("Urgent")),
    ("mine", N_("Mine")),
    ("unassigned", N_("Unassigned")),
    ("all", N_("All")),
)
STATES = {
    "open": (ThreadState.OPEN, N_("Still open")),
    "waiting": (ThreadState.WAITING, N_("Waiting on patient")),
    "snoozed": (ThreadState.SNOOZED, N_("Snoozed")),
    "closed": (ThreadState.CLOSED, N_("Closed")),
}
STATE_NAMES = dict(STATES.values())


@dataclass(frozen=True)
class Typed:
    """What somebody typed or pressed, and what was wrong with it: shown again rather than lost."""

    form: str = ""  # reply, note, snooze, assign, state
    body: str = ""
    error: str = ""
    counted: bool = False
    asks_hour: bool = False  # it was sent into quiet hours: now, or in the morning?
    asks_claim: bool = False  # somebody else took the thread: send all the same?
    places: tuple[str, ...] = ()  # what a saved reply was filled with: to be checked
    values: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class UndoBar:
    change_id: int
    phone_id: int
    said: str
    voices: tuple[Voice, ...]
    number: str


@dataclass(frozen=True)
class Open:
    """Everything about the thread that is open."""

    head: Head
    speakers: tuple[Voice, ...]
    said: Thread
    entries: list[Any]
    spoken: dict[int, str]  # the language of each text, by id; texts out by their id below zero
    readings: dict[int, Reading]
    to_label: LabelForm | None
    pumps: dict[int, PumpLine]
    drug: dict[int, DrugLeft | None]
    others: tuple[OtherPhone, ...]
    tasks: tuple[ToDo, ...]
    to: Recipient
    allowed_at: datetime
    replies: tuple[Offered, ...]
    meter: Meter
    unread: bool
    shown: int
    again: frozenset[int]  # texts that failed and were sent again

    @property
    def people(self) -> list[int]:
        return [speaker.person.id for speaker in self.speakers]


def wanted() -> Wanted:
    """Return which threads the address asks for; what it does not understand, it leaves out."""
    tab = next((name for name, _ in TABS if name == request.args.get("tab")), "all")
    state = STATES.get(request.args.get("status", ""))
    language = request.args.get("language", "")
    known = current.line().words.library.languages
    return Wanted(
        cast(Tab, tab),
        state[0] if state else None,
        language if language in known else "",
        Key.read(request.args.get("after", "")),
    )


def filters(chosen: Wanted) -> dict[str, str]:
    """Return the part of an address that asks for these threads."""
    state = next((key for key, (state, _) in STATES.items() if state is chosen.state), "")
    found = {"tab": "" if chosen.tab == "all" else chosen.tab, "status": state, "language": chosen.language}
    return {name: value for name, value in (found | {"after": str(chosen.after or "")}).items() if value}


@bp.get("/inbox")
@needs(Permission.READ_PATIENTS)
def inbox() -> ResponseReturnValue:
    return inbox_page(staff(), None)


@bp.get("/inbox/<int:phone_id>")
@needs(Permission.READ_PATIENTS)
def inbox_thread(phone_id: int) -> ResponseReturnValue:
    return inbox_page(staff(), access_phone(staff(), phone_id))


@bp.get("/urgent")
@needs(Permission.READ_PATIENTS)
def urgent() -> ResponseReturnValue:
    """All alerts without an outcome. They stand on every page already; here they have the page for themselves."""
    return render_template("console/urgent.html", alert_outcomes=ALERT_OUTCOMES)


def inbox_page(signed: Signed, phone_id: int | None, typed: Typed | None = None) -> str:
    """Show the list, with a thread where one is open, as the address asks."""
    line, now, chosen, typed = current.line(), current.now(), wanted(), typed or Typed()
    with line.db.read() as session:
        rows, more = threads(session, signed.clinic.id, signed.id, chosen)
        people = voices(session, [*(row.phone_id for row in rows), *([phone_id] if phone_id else [])])
        colleagues = staff_of(session, signed.clinic.id)
        counts = tab_counts(session, signed.clinic.id, signed.id)
        opened = _open(session, signed, phone_id, people.get(phone_id, ()), now, typed) if phone_id else None
        undo = _undo_bar(session, signed, people, colleagues)
    listed(voice.person.id for row in rows for voice in people.get(row.phone_id, ()))
    kept = filters(chosen)
    return render_template(
        "console/inbox.html",
        rows=[replace(row, voices=people.get(row.phone_id, ())) for row in rows],
        following=filters(replace(chosen, after=rows[-1].key)) if more else None,
        counts=counts,
        counted=COUNTED,
        page_size=PAGE,
        tabs=TABS,
        states=STATES,
        state_names=STATE_NAMES,
        languages=line.words.library.languages,
        wanted=chosen,
        kept=kept,
        kept_here=kept | ({"texts": str(opened.shown)} if opened and opened.shown != SHOWN else {}),
        names={staff_id: name for staff_id, (name, _) in colleagues.items()},
        colleagues=[(staff_id, name) for staff_id, (name, active) in colleagues.items() if active],
        it=opened,
        typed=typed,
        undo=undo,
        noting=typed.form == "note" or (not typed.form and request.args.get("compose") == "note"),
        outcomes=TASK_OUTCOMES,
        alert_outcomes=ALERT_OUTCOMES,
        drug_of=lambda row: _drug(signed, row, now),
        did_words=did_words,
        first_name=first_name,
        price=f"{line.segment_price}",
        morning=clock_time(MORNING),
    )


def _open(
    session: Any, signed: Signed, phone_id: int, speakers: tuple[Voice, ...], now: datetime, typed: Typed
) -> Open:
    line = current.line()
    shown = max(1, min(request.args.get("texts", SHOWN, type=int) or SHOWN, MOST_SHOWN))
    patients = [speaker.person.id for speaker in speakers]
    top = head(session, phone_id, signed.id)
    said = thread(session, [phone_id], shown)
    kept: dict[str, Any] = filters(wanted())
    page = url_for("console.inbox_thread", phone_id=phone_id, **kept)
    read = readings(session, said, page)
    pumps = pumps_of(session, patients, now)
    to = recipient(top, speakers, signed.clinic.zone, signed.clinic.country)
    voice = voice_of_clinic(signed)
    values = places(line.words, voice, first_name(signed.name), speakers, pumps, to.language)
    return Open(
        top,
        speakers,
        said,
        _merged(said, beside(session, phone_id)),
        {(text.id if text.incoming else -text.id): spoken_in(text, to.language) for text in said.texts},
        read,
        asked_to_label(said, read),
        pumps,
        {speaker.person.id: _drug_of(signed, speaker, now) for speaker in speakers},
        other_phones(session, patients, phone_id),
        to_do(session, signed.clinic.id, phone_id, patients),
        to,
        allowed_at(top, to.zone, now),
        offered(line.words, to.language, values),
        meter(typed.body if typed.form == "reply" else "", line.segment_price),
        (top.last_in_id or 0) > top.seen_id,
        shown,
        _sent_again(said),
    )


def _sent_again(said: Thread) -> frozenset[int]:
    """Return the texts whose words went out once more, by a nurse or by themselves."""
    out = [text for text in said.texts if isinstance(text, TextOut)]
    later = {text.body: text.id for text in out}
    return frozenset(text.id for text in out if later.get(text.body, 0) > text.id)


def voice_of_clinic(signed: Signed) -> ClinicVoice:
    clinic = signed.clinic
    return ClinicVoice.of(
        clinic.name, clinic.phone, clinic.after_hours_phone, clinic.emergency_number, clinic.time_zone, clinic.country
    )


def _merged(said: Thread, more: tuple[Beside, ...]) -> list[TextIn | TextOut | TaskNote | Beside]:
    """Return texts, what became of alerts, notes and changes in the order of time; none older than the oldest text."""
    first = said.texts[0].at if said.earlier and said.texts else None
    kept = [entry for entry in more if first is None or entry.at >= first]
    return sorted([*said.entries, *kept], key=lambda entry: entry.at)


def _drug_of(signed: Signed, voice: Voice, now: datetime) -> DrugLeft | None:
    today = now.astimezone(signed.clinic.zone).date()
    return drug_left(today, voice.filled_on, voice.early_empty_on, voice.empty_on, voice.plan_by)


def _drug(signed: Signed, row: Row, now: datetime) -> DrugLeft | None:
    """Return what is left of the patient of a row who has the least."""
    found = [left for voice in row.voices if (left := _drug_of(signed, voice, now))]
    return min(found, key=lambda left: left.early, default=None)


def _undo_bar(session: Any, signed: Signed, people: dict[int, tuple[Voice, ...]], staff_names: Any) -> UndoBar | None:
    """Return what this nurse may still put back: nothing happened to that thread since."""
    asked = number_in(request.args, "undo")
    found = change_of(session, signed.clinic.id, asked) if asked else None
    if found is None:
        return None
    change, version, number = found
    if change.staff_id != signed.id or change.version != version:
        return None
    names = {staff_id: name for staff_id, (name, _) in staff_names.items()}
    said = did_words(change, names, current.now(), signed.clinic.zone, mine=True)
    about = people.get(change.phone_id) or voices(session, [change.phone_id]).get(change.phone_id, ())
    return UndoBar(change.id, change.phone_id, said, about, number)


def number_in(form: Mapping[str, str], name: str) -> int:
    """Return a row's number as a form or an address gives it; 0 for anything that is none."""
    value = form.get(name, "")
    return int(value) if value.isascii() and value.isdecimal() and len(value) < 16 else 0


def back_to(phone_id: int | None, **more: Any) -> ResponseReturnValue:
    """Go to a thread, or to the list, with the filters of the address."""
    kept: dict[str, Any] = filters(wanted()) | {name: value for name, value in more.items() if value is not None}
    if phone_id is None:
        return redirect(url_for("console.inbox", **kept))
    return redirect(url_for("console.inbox_thread", phone_id=phone_id, **kept))
