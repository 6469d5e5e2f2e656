"""Everything of one simulated clinic: the line under test, the people, the provider, and what was seen from outside."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, TypeVar

from app.actions.errors import Refused
from app.actions.line import Line
from app.actions.receive_text import InboundText, receive_text
from app.actions.record_status import StatusReport, record_status
from app.simulation.agenda import Agenda
from app.simulation.beats import Beats
from app.simulation.opening import Opening, local_hour
from app.simulation.parameters import MINUTES_A_DAY, TEXTS_FROM, TEXTS_UNTIL, Shard
from app.simulation.provider import Handset, Provider, Report, Text
from app.simulation.rows import OVERDUE, Rows, stored

if TYPE_CHECKING:
    from app.simulation.nurses import Desk
    from app.simulation.patients import Patient

LINE_NUMBER = "+16145559991"
ON_CALL_NUMBER = "+16145559990"
PATIENT_TEXTS = ("reminder", "missed", "book", "check_in")  # purposes that leave by themselves
# The only texts of these that may leave at night, by their words: not by what their row says of itself.
AT_ANY_HOUR = ("text:missed_now", "text:missed_now_shared", "text:mri", "text:mri_shared")
CARER_TOLD = "text:missed_carer"  # at any hour with hardly any drug left

Answer = TypeVar("Answer")


@dataclass(frozen=True)
class UrgentText:
    """A text that the simulation knows to be urgent, whatever was made of it. `minute`: when it reached us."""

    inbound_id: int
    minute: int
    words: str


@dataclass
class Miss:
    """A visit to which nobody came."""

    appointment_id: int
    minute: int
    days_left: int | None  # by the early edge, as recorded
    refilled: int | None = None
    ran_dry: bool = False


@dataclass(frozen=True)
class Empty:
    """A pump in which nothing was left. `why` is empty where somebody had the task in time."""

    patient: int
    minute: int
    why: str


@dataclass
class Seen:
    """What is seen from outside, and what people really did."""

    counts: Counter[str] = field(default_factory=Counter)
    texts: Counter[tuple[str, str]] = field(default_factory=Counter)  # month, purpose
    urgent: list[UrgentText] = field(default_factory=list)
    outside_hours: Counter[str] = field(default_factory=Counter)  # by words
    misses: list[Miss] = field(default_factory=list)
    empties: list[Empty] = field(default_factory=list)
    days_left_at_refill: list[float] = field(default_factory=list)  # really, at the flow the pump really has
    refused: Counter[str] = field(default_factory=Counter)
    overdue: set[tuple[str, int]] = field(default_factory=set)


class World:
    def __init__(self, shard: Shard, line: Line, rows: Rows) -> None:
        self.shard = shard
        self.line = line
        self.rows = rows
        self.agenda = Agenda()
        self.days = shard.parameters.days
        self.opening = Opening(self.days)
        self.provider = Provider(shard, self.agenda, self._reported)
        self.beats = Beats(line, self.provider, rows, shard)
        self.seen = Seen()
        self.patients: dict[int, Patient] = {}  # by their id in the database
        self.desk: Desk
        self.staff: tuple[int, ...] = ()
        self._came: Counter[str] = Counter()
        self._inbound = 0

    @property
    def now(self) -> datetime:
        return self.agenda.now

    @property
    def minute(self) -> int:
        return self.agenda.minute

    @property
    def over(self) -> bool:
        """The last day is past: people start nothing new, and what is urgent is seen through."""
        return self.minute >= self.days * MINUTES_A_DAY

    def run(self, until: int, told: Callable[[int], None] = lambda _: None) -> None:
        """Let time pass until this minute; `told` hears of every day begun."""
        day = self.minute // MINUTES_A_DAY
        wake = self.minute
        while True:
            minute = min(wake, self.agenda.first if self.agenda.first is not None else until)
            if minute >= until:
                self.agenda.minute = until
                return
            if minute // MINUTES_A_DAY > day:
                told(minute // MINUTES_A_DAY - day)
                day = minute // MINUTES_A_DAY
            self.agenda.go_to(minute)
            self.beats.run(minute)
            self._carry()
            wake = self.beats.next(minute)

    def night(self, *, repairs: bool) -> None:
        """Look for what is overdue, and let the jobs repair."""
        self.looks_for_overdue()
        if repairs:
            self.beats.repair(self.minute)

    def looks_for_overdue(self) -> None:
        before = stored(self.now - timedelta(hours=1))
        for kind, sql in OVERDUE.items():
            self.seen.overdue |= {(kind, row[0]) for row in self.rows.all(sql, before)}

    def _carry(self) -> None:
        """Let the provider bring what it took, now that we know what each text is about."""
        if not self.provider.taken:
            return
        texts, self.provider.taken = self.provider.taken, []
        facts = self.rows.facts(text.token for text in texts)
        for text in texts:
            purpose, text.text_id, text.patient_id, key, text.appointment_id, step, task_id = facts[text.token]
            text.purpose, text.step, text.task_id = purpose, key or step or "", task_id or 0
            self._note(text)
            self.provider.carry(text)

    def _note(self, text: Text) -> None:
        if text.number == ON_CALL_NUMBER:
            self.seen.counts["pages"] += 1
            return
        self.seen.texts[self.month, text.purpose] += 1
        patient = self.patients.get(text.patient_id or 0)
        if patient is None or text.purpose not in PATIENT_TEXTS or text.text_id in AT_ANY_HOUR:
            return
        if text.text_id == CARER_TOLD and patient.nearly_empty_by_record():
            return
        if not TEXTS_FROM <= local_hour(self.minute, patient.zone) < TEXTS_UNTIL:
            self.seen.outside_hours[text.text_id] += 1

    @property
    def month(self) -> str:
        return f"{self.now:%Y-%m}"

    # texts that come in

    def text_us(self, number: str, body: str, *, urgent: bool = False) -> None:
        """A person texts: it reaches us sooner or later, and now and then twice."""
        self._came[number] += 1
        late, twice = self.provider.delay_of(number, self._came[number])
        self._inbound += 1
        provider_id = f"IN{self._inbound:032d}"
        self.agenda.after(late, lambda: self._arrives(provider_id, number, body, urgent=urgent, lost=twice))
        if twice:
            self.agenda.after(late + 1, lambda: self._arrives(provider_id, number, body, urgent=False, lost=False))

    def _arrives(self, provider_id: str, number: str, body: str, *, urgent: bool, lost: bool) -> None:
        """`lost`: our answer is, and the provider will ask again; the replies leave with the next answer."""
        inbound = InboundText(provider_id, number, LINE_NUMBER, body)
        received = receive_text(self.line, inbound, self.now)
        if not received.repeated:
            self.seen.counts["texts in"] += 1
        if urgent:
            self.seen.urgent.append(UrgentText(received.inbound_id, self.minute, body))
        if lost:
            return
        for reply in received.replies:
            if number != ON_CALL_NUMBER:
                self.seen.texts[self.month, "reply"] += 1
            self.provider.hand_over(number, reply.body, reply.token)

    def _reported(self, report: Report) -> None:
        record_status(
            self.line, StatusReport(report.status, report.token, report.provider_id, report.error_code), self.now
        )

    def add_phone(self, number: str, read: Callable[[Text], None], fails_with: int | None = None) -> None:
        self.provider.phones[number] = Handset(number, read, fails_with)

    def try_to(self, what: str, act: Callable[[], Answer]) -> Answer | None:
        """Do what staff do by hand; where the verb refuses, they shrug, and it is counted."""
        try:
            return act()
        except Refused as refused:
            self.seen.refused[f"{what}: {refused}"] += 1
            return None


def by_month(counts: Counter[tuple[str, str]]) -> dict[str, Counter[str]]:
    found: defaultdict[str, Counter[str]] = defaultdict(Counter)
    for (month, what), count in counts.items():
        found[month][what] += count
    return dict(found)
