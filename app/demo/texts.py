"""Writing what was said: texts in and out with what became of them, tasks that were opened and settled, audit lines."""

import json
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import lru_cache
from heapq import merge
from random import Random
from typing import Any
from zoneinfo import ZoneInfo

from app.actions.line import Line, voice_of
from app.db.care import Reminder, ReminderState
from app.db.messages import DeliveryEvent, InboundMessage, OutboundMessage, Purpose
from app.db.people import ConsentKind
from app.db.supply import CareStep, StepState
from app.db.work import Task, TaskKind, TaskState, TaskText
from app.demo.talk import Exchange
from app.demo.writer import Deed, Known, Writer
from app.domain.conversation import Asked
from app.domain.delivery import DeliveryState
from app.domain.reminders import Circumstances, Target, wording
from app.domain.texts import Rendered
from faq.context import Context
from faq.segments import measure
from faq.understand import Understanding, understand

PHONE_OFF, OFF_REASON = 30003, "phone off or out of reach"
_UNDELIVERED = 0.006
_YES = {"en": ("1", "1", "1", "YES", "Yes", "yes I will be there"), "es": ("1", "1", "1", "SI", "si", "ahi estare")}
_BY_HAND = {
    "en": (
        "Thank you for your text. I will call you this afternoon. Ana, RN",
        "I have read your question and passed it to the doctor's office. They will call you.",
        "Please call us when you have a moment, so that we can sort this out together.",
        "This is settled now. Thank you for telling us.",
    ),
    "es": (
        "Gracias por su mensaje. Le llamo esta tarde. Ana, RN",
        "Por favor llamenos cuando pueda, para resolverlo juntos.",
        "Ya esta resuelto. Gracias por avisarnos.",
    ),
}
_CAME_OF_TASKS = ("Called, settled", "Booked a visit", "Answered by text", "Record corrected", "Left a message")
_CAME_OF_ALERTS = (
    "Sent to the emergency department",
    "Seen in clinic today",
    "Advised by phone",
    "Not an emergency",
)


@dataclass(frozen=True, slots=True)
class Texted:
    """A text that came in, as it is kept."""

    body: str
    kind: str
    topic: str | None
    intent: str | None
    category: str | None
    trace: str


class TextWriter:
    """Writes exchanges in the order of time."""

    def __init__(self, writer: Writer, line: Line, chance: Random, now: datetime) -> None:
        self._writer, self._rows, self._line = writer, writer.rows, line
        self._chance, self._now = chance, now
        self._clinic, self._voice = writer.clinic, voice_of(writer.clinic)
        self.asked: dict[int, Asked] = {}  # by phone: of visits to come
        self.stopped: dict[int, datetime] = {}  # by phone

    def write(self, exchanges: Iterable[Exchange], deeds: Iterable[Deed]) -> None:
        both: tuple[Iterable[Exchange | Deed], ...] = (exchanges, deeds)
        for one in merge(*both, key=lambda each: each.at):
            if isinstance(one, Deed):
                self._writer.audit(one.at, one.actor, one.verb, one.subject, state=one.state)
            else:
                self._exchange(one, self._writer.known[one.person.number])
            if self._rows.full():
                self._rows.flush()

    def _exchange(self, one: Exchange, known: Known) -> None:
        match one.what:
            case "reminder" | "missed":
                self._reminder(one, known)
            case "confirm":
                self._confirm(one, known)
            case "check-in":
                self._check_in(one, known)
            case "fine":
                read = _plain("1", one.person.language, self._line)
                trace = ("All is as usual after the visit",)
                words = self._say("checkin_fine", one)
                self._answered(one, known, Texted("1", read.kind, None, None, None, json.dumps(trace)), words)
            case "stop":
                self._stop(one, known)
            case _:
                self._by_themselves(one, known)

    def _say(self, name: str, one: Exchange, **fill: str) -> Rendered:
        return self._line.words.system(name, self._voice, one.person.language, **fill)

    def _reminder(self, one: Exchange, known: Known) -> None:
        reminder, visit, person = one.reminder, one.visit, one.person
        assert reminder is not None
        assert visit is not None
        row = self._rows.add(
            Reminder,
            appointment_id=visit.id,
            key=reminder.key,
            step=reminder.step,
            due_at=reminder.due_at,
            state=ReminderState.QUEUED,
            settled_at=one.at,
            created_at=visit.booked_at,
        )
        missed = one.what == "missed"
        known_then = Circumstances(
            confirmed=visit.confirmed_at is not None and visit.confirmed_at < one.at, days_left=30
        )
        target = Target(known.phone, opted_out=False, language=person.language, serves=1)
        about = (reminder.step, visit.starts_at, person.given, target, 1, self._line.words, self._voice)
        words = wording(*about, ZoneInfo(person.zone), known_then)
        purpose = Purpose.MISSED if missed else Purpose.REMINDER
        self._out(one, known, words, purpose, f"reminder:{row}:{known.phone}", reminder_id=row)
        if missed:
            self._settled(one, known, TaskKind.MISSED_REFILL, f"appointment:{visit.id}", "missed a refill visit: call")
        elif visit.starts_at > self._now:
            asked, _ = Asked().with_confirm(visit.id, one.at, visit.starts_at)
            self.asked[known.phone] = asked

    def _confirm(self, one: Exchange, known: Known) -> None:
        visit = one.visit
        assert visit is not None
        said = self._chance.choice(_YES.get(one.person.language, _YES["en"]))
        read = _plain(said, one.person.language, self._line, asked=True)
        why = f'"{said}" answers our question about the visit' if said == "1" else read.why
        trace = json.dumps((why, "The visit is confirmed"))
        when = self._line.words.voice(one.person.language).moment(visit.starts_at, self._voice.zone)
        words = self._say("confirmed", one, when=when)
        self._answered(one, known, Texted(said, read.kind, read.topic, read.intent, None, trace), words)
        self._writer.audit(one.at, f"phone:{known.phone}", "visit confirmed", f"appointment:{visit.id}")
        self.asked.pop(known.phone, None)

    def _check_in(self, one: Exchange, known: Known) -> None:
        filling = one.filling
        assert filling is not None
        assert filling.visit is not None
        row = self._rows.add(
            CareStep,
            patient_id=known.patient,
            ladder=f"check:{filling.on}",
            step=one.step,
            key=f"{one.step}@{filling.on}",
            due_at=one.at,
            state=StepState.DONE,
            settled_at=one.at,
            created_at=filling.visit.came_at,
        )
        words = self._say("checkin", one, d1="1", d2="2", d3="3", d4="4")
        self._out(one, known, words, Purpose.CHECK_IN, f"step:{row}:checkin:{known.phone}", care_step_id=row)

    def _stop(self, one: Exchange, known: Known) -> None:
        texted = Texted("STOP", "admin", None, "opt_out", None, json.dumps(("'stop' asks for: opt out",)))
        inbound = self._answered(one, known, texted, self._say("opted_out", one))
        self._writer.consent(known.phone, ConsentKind.OPT_OUT, one.at, "text", "STOP", inbound)
        self.stopped[known.phone] = one.at

    def _by_themselves(self, one: Exchange, known: Known) -> None:
        phrase = one.phrase
        assert phrase is not None
        texted = Texted(phrase.body, phrase.kind, phrase.topic, phrase.intent, phrase.category, phrase.trace)
        inbound = self._answered(one, known, texted, phrase.replies[0], urgent=phrase.urgent)
        if phrase.category is not None:
            self._settled(
                one, known, TaskKind.ALERT, f"phone:{known.phone}", phrase.reason, inbound, category=phrase.category
            )
        elif one.what == "asked" and phrase.task is not None:
            kind, reason = phrase.task
            at = self._settled(one, known, TaskKind(kind), f"phone:{known.phone}", reason, inbound)
            said = self._chance.choice(_BY_HAND.get(one.person.language, _BY_HAND["en"]))
            nurse = self._writer.nurse(known.phone)
            words, key = Rendered(said, "by hand", 1, draft=False), f"staff:{nurse}:demo{inbound}"
            self._out(one, known, words, Purpose.STAFF, key, at=at, staff_id=nurse)

    def _answered(self, one: Exchange, known: Known, texted: Texted, words: Rendered, *, urgent: bool = False) -> int:
        inbound = self._rows.add(
            InboundMessage,
            provider_id=f"demo-in-{known.phone}-{self._rows.count(InboundMessage)}",
            clinic_id=self._clinic.id,
            phone_id=known.phone,
            channel="simulator",
            body=texted.body,
            kind=texted.kind,
            topic=texted.topic,
            intent=texted.intent,
            category=texted.category,
            trace=texted.trace,
            received_at=one.at,
        )
        self._writer.audit(one.at, f"phone:{known.phone}", "text received", f"inbound:{inbound}", kind=texted.kind)
        self._out(one, known, words, Purpose.REPLY, f"inbound:{inbound}:0", inbound_id=inbound, urgent=urgent)
        return inbound

    def _out(
        self,
        one: Exchange,
        known: Known,
        words: Rendered,
        purpose: Purpose,
        key: str,
        *,
        at: datetime | None = None,
        urgent: bool = False,
        **causes: int,
    ) -> None:
        at = at or one.at
        off = purpose in (Purpose.REMINDER, Purpose.CHECK_IN) and self._chance.random() < _UNDELIVERED
        state = DeliveryState.UNDELIVERED if off else DeliveryState.DELIVERED
        ends = min(self._now, at + timedelta(seconds=self._chance.randint(2, 40)))
        links: dict[str, Any] = dict.fromkeys(("inbound_id", "reminder_id", "care_step_id", "staff_id"))
        message = self._rows.add(
            OutboundMessage,
            clinic_id=self._clinic.id,
            phone_id=known.phone,
            patient_id=known.patient,
            dedupe_key=key,
            token=f"{self._chance.getrandbits(96):024x}",
            purpose=purpose,
            urgent=urgent,
            body=words.body,
            text_id=words.text_id,
            text_version=words.version,
            segments=_segments(words.body),
            state=state,
            state_at=ends,
            due_at=at,
            attempts=0 if purpose is Purpose.REPLY else 1,
            error_code=PHONE_OFF if off else None,
            reason=OFF_REASON if off else None,
            created_at=at,
            **(links | causes),
        )
        for status, moment in (("sent", at), (state.value, ends)):
            code = PHONE_OFF if status == "undelivered" else None
            self._rows.add(DeliveryEvent, message_id=message, status=status, error_code=code, moved=True, at=moment)
        if off:
            self._settled(
                one, known, TaskKind.UNDELIVERED, f"patient:{known.patient}", f"a text did not arrive: {OFF_REASON}"
            )

    def _settled(
        self,
        one: Exchange,
        known: Known,
        kind: TaskKind,
        subject: str,
        reason: str,
        inbound: int | None = None,
        *,
        category: str | None = None,
    ) -> datetime:
        """Write a task that was opened then, taken and settled since; return when it was taken."""
        alert, nurse = kind is TaskKind.ALERT, self._writer.nurse(known.patient + one.at.day)
        waited = timedelta(minutes=self._chance.randint(2, 18) if alert else self._chance.randint(20, 300))
        taken = min(self._now, one.at + waited)
        ended = min(self._now, taken + timedelta(minutes=self._chance.randint(5, 120)))
        task = self._rows.add(
            Task,
            clinic_id=self._clinic.id,
            phone_id=None if subject.startswith("appointment") else known.phone,
            patient_id=known.patient,
            kind=kind,
            subject=subject,
            category=category,
            reason=reason,
            state=TaskState.RESOLVED,
            code=f"{self._chance.randint(1000, 9999)}" if alert else None,
            opened_at=one.at,
            raised_at=one.at,
            pages=1 + int(waited / timedelta(minutes=5)) if alert else 0,
            acknowledged_at=taken,
            acknowledged_by=nurse,
            resolved_at=ended,
            resolved_by=nurse,
            outcome=self._chance.choice(_CAME_OF_ALERTS if alert else _CAME_OF_TASKS),
            version=3,
        )
        opened, actor = "alert raised" if alert else "task opened", f"staff:{nurse}"
        self._writer.audit(
            one.at, "system", opened, f"task:{task}", **({"category": category} if alert else {"kind": kind})
        )
        self._writer.audit(taken, actor, "task acknowledged", f"task:{task}")
        self._writer.audit(ended, actor, "task resolved", f"task:{task}")
        if inbound is not None:
            self._rows.add(TaskText, task_id=task, inbound_id=inbound, at=one.at)
        return taken


@lru_cache(maxsize=4096)
def _segments(body: str) -> int:
    return measure(body).count


_READ: dict[tuple[str, str, bool], Understanding] = {}


def _plain(said: str, language: str, line: Line, *, asked: bool = False) -> Understanding:
    """Return what a short answer is read as; each once."""
    key = (said, language, asked)
    if key not in _READ:
        context = Context(asked="confirm" if asked else "none", language=language)
        _READ[key] = understand(said, context, line.words.library)
    return _READ[key]
